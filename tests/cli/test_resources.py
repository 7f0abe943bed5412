from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cli.conftest import Medqnn
from medqnn.cli.resources import duration
from medqnn.cli.show import console
from medqnn.training.folder import RunFolder


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "width", 80)


def rows(out: str) -> dict[str, list[str]]:
    lines = [line.split("│")[1:-1] for line in out.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return {row[0]: row[1:] for row in cells}


def test_help_teaches_by_example(medqnn: Medqnn) -> None:
    done = medqnn("resources", "--help")
    assert "Example: medqnn resources hqcm-ebtc --shots 4000" in done.words


def test_a_system_is_counted_without_a_run(medqnn: Medqnn) -> None:
    done = medqnn("resources", "hqcm-ebtc", "--shots", 4000)
    assert done.code == 0, done
    assert "…" not in done.out
    table = rows(done.out)
    prepared, written = table["state preparation"], table["all, as written"]
    assert int(written[1]) == int(prepared[1]) + 2 * 5  # two rings of five CNOTs
    assert "Measured circuits an image: 5, of 4,000 shots each" in done.words
    assert "ibm_torino" in done.words
    assert "without queue" in done.words


def test_a_system_is_counted_alike_each_time(medqnn: Medqnn) -> None:
    with torch.random.fork_rng(devices=[]):
        tables = []
        for seed in (1, 2):  # angles of these have other counts
            torch.manual_seed(seed)
            tables.append(medqnn("resources", "hqcm-ebtc").out)
    assert tables[0] == tables[1]


def test_a_run_is_counted_with_its_own_angles(medqnn: Medqnn, tiny_run: Path) -> None:
    done = medqnn("resources", tiny_run)
    assert done.code == 0, done
    assert {"heavy-hex, CZ", "all-to-all, R_xx"} <= rows(done.out).keys()


def test_what_has_no_circuit_is_named(
    fails: Callable[..., str], tiny_run: Path, tmp_path: Path
) -> None:
    assert "no recipe 'hqcm'" in fails("resources", "hqcm")
    folder = RunFolder(shutil.copytree(tiny_run, tmp_path / "run"))
    folder.write_json("run.json", folder.facts() | {"variants": ["dense"]})
    assert "has a quantum layer" in fails("resources", folder.path)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (32e-9, "32 ns"),
        (1.56e-6, "1.56 µs"),
        (0.0085, "8.5 ms"),
        (42.6, "42.6 s"),
        (531.0, "8.85 min"),
        (86400.0, "24 h"),
    ],
)
def test_times_are_in_units_that_people_read(seconds: float, words: str) -> None:
    assert duration(seconds) == words
