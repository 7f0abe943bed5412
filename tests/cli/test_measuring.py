"""What the commands that measure a run once have in common."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from cli.conftest import Medqnn
from medqnn.robustness import results as robustness
from medqnn.under_noise import results as noise
from robustness.measured import measured_run
from under_noise.measured import PROFILES, SHOTS, noisy_run

__all__ = ["measured_run", "noisy_run"]
pytestmark = pytest.mark.usefixtures("hundred_columns")
OF_NOISE = [word for one in PROFILES for word in ("--profile", one)]
OF_NOISE += [str(word) for count in SHOTS for word in ("--shots", count)]


class Measuring(NamedTuple):
    """A command, a run of its own that it has measured, and the options of that."""

    command: str
    results: ModuleType
    run: Path
    options: list[str]


@pytest.fixture(params=["noise", "robustness"])
def measuring(request: pytest.FixtureRequest, tmp_path: Path) -> Measuring:
    name, results, options = {
        "noise": ("noisy_run", noise, OF_NOISE),
        "robustness": ("measured_run", robustness, []),
    }[request.param]
    run = Path(shutil.copytree(request.getfixturevalue(name), tmp_path / "run"))
    return Measuring(request.param, results, run, options)


def test_the_same_is_shown_again_within_100_columns(
    medqnn: Medqnn, measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring.results, "measure", None)
    done = medqnn(measuring.command, measuring.run, *measuring.options)
    assert done.code == 0, done.err
    assert done.err == ""
    assert max(len(line) for line in done.out.splitlines() if line[:1] in "┏┃┡│├└") <= 100
    assert "…" not in done.out


def test_ctrl_c_ends_with_a_line_and_what_was_there(
    medqnn: Medqnn, measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(measuring.results, "measure", interrupt)
    table = measuring.run / measuring.results.TABLE
    kept = table.read_bytes()
    done = medqnn(measuring.command, measuring.run, "--seed", 3)
    assert done.code == 130
    assert "interrupted: nothing was written" in done.words
    assert table.read_bytes() == kept


@pytest.mark.parametrize("command", ["noise", "robustness"])
def test_help_teaches_by_example(medqnn: Medqnn, command: str) -> None:
    assert f"Example: medqnn {command}" in medqnn(command, "--help").words
