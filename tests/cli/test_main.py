from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from cli.conftest import Medqnn
from training.tiny import command

COMMANDS = (
    "train",
    "study",
    "leaderboard",
    "evaluate",
    "compare",
    "robustness",
    "noise",
    "diagnose",
    "explain",
    "report",
    "recipe list",
    "recipe show",
)
IMPORTED = """
import sys
from medqnn.cli.main import run
sys.argv = ["medqnn", *sys.argv[1:]]
try:
    run()
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_help_names_every_command_and_where_to_start(medqnn: Medqnn) -> None:
    done = medqnn("--help")
    assert done.code == 0
    for name in COMMANDS:
        assert name.split()[0] in done.out
    assert "medqnn train hqcm-ebtc --data phantom" in done.words


def test_version_is_that_of_the_package(medqnn: Medqnn) -> None:
    done = medqnn("--version")
    assert (done.code, done.out.strip()) == (0, version("medqnn"))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_teaches_by_example(medqnn: Medqnn, name: str) -> None:
    done = medqnn(*name.split(), "--help")
    assert done.code == 0
    assert f"Example: medqnn {name}" in done.words


def test_help_shows_values_in_brackets_as_they_are_typed(medqnn: Medqnn) -> None:
    assert "variants=[hybrid,matched]" in medqnn("train", "--help").words.replace(" │ │ ", " ")


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["recipe", "show", "--help"]])
def test_help_comes_at_once(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    imported = set(done.stdout.splitlines()[-1].split())
    assert not imported & {"torch", "lightning", "pandas", "numpy", "scipy"}


def test_nothing_typed_is_answered_by_the_help(medqnn: Medqnn) -> None:
    for words in ([], ["recipe"]):
        done = medqnn(*words)
        assert "Usage: " in done.words
        assert "Commands" in done.words


def test_errors_of_the_console_script_are_one_line() -> None:
    done = command("evaluate", "nowhere")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: nowhere ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["trian"], ["train"], ["train", "x", "--lr", "1"]])
def test_what_is_no_command_is_a_usage_error(medqnn: Medqnn, words: list[str]) -> None:
    done = medqnn(*words)
    assert done.code == 2
    assert done.err.startswith("Usage: ")
    assert "Traceback" not in done.err
