"""Runs that are cut off and go on end bit by bit where uninterrupted ones do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file

from medqnn.errors import RunError
from medqnn.training.folder import RunFolder
from medqnn.training.plan import start
from medqnn.training.run import proceed
from training.tiny import MEDQNN, SMALL, command, options, tiny_recipe

LONG = (
    *("training.epochs=40", "training.early_stopping=40", "training.plateau_patience=1"),
    *("training.batch_size=8", "variants=[hybrid, dense]"),
)
FULL_DISK = """
import resource, sys
from medqnn.cli.main import run
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
run()
"""


def assert_same_training(one: Path, other: Path, variant: str) -> None:
    """Weights, predictions and history, but for the seconds, agree bit by bit."""
    a, b = (load_file(run / variant / "model.safetensors") for run in (one, other))
    assert a.keys() == b.keys()
    assert all((a[name] == b[name]).all() for name in a)
    name = f"{variant}/predictions.csv"
    assert (one / name).read_bytes() == (other / name).read_bytes()
    histories = [pd.read_csv(run / variant / "history.csv") for run in (one, other)]
    pd.testing.assert_frame_equal(*(history.drop(columns="seconds") for history in histories))
    assert len(histories[0]) == 40


def begin(folder: Path, out: Path) -> list[str]:
    sets = options(*SMALL, *LONG)
    return ["train", "hqcm-ebtc", "--data", str(folder), "--out", str(out), *sets]


def stop(words: list[str], history: Path, signum: int) -> subprocess.Popen[str]:
    """Start ``medqnn`` and send it a signal once the history has some epochs."""
    process = subprocess.Popen(
        [MEDQNN, *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 120
    while not (history.is_file() and history.read_text().count("\n") > 4):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no training within two minutes"
        time.sleep(0.005)
    process.send_signal(signum)
    return process


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing interrupts."""
    run = start(tiny_recipe(*LONG), str(folder), tmp_path_factory.mktemp("whole") / "run")
    proceed(run)
    return run.path


@pytest.fixture(scope="module")
def killed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose process was killed while it trained the second variant."""
    run = tmp_path_factory.mktemp("killed") / "run"
    process = stop(begin(folder, run), run / "dense" / "history.csv", signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return run


def files(run: Path) -> Iterator[tuple[Path, int]]:
    return ((path, path.stat().st_mtime_ns) for path in sorted(run.rglob("*")) if path.is_file())


def test_killed_run_goes_on_to_the_same_bits(whole: Path, killed: Path) -> None:
    with pytest.raises(RunError, match=r"is running, not complete: finish it with `medqnn train"):
        RunFolder(killed).require_complete()
    assert not (killed / "dense" / "metrics.json").exists()
    finished = dict(files(killed / "hybrid"))
    done = command("train", str(killed))
    assert done.returncode == 0, done.stderr
    RunFolder(killed).require_complete()
    assert dict(files(killed / "hybrid")) == finished, "the finished variant is left alone"
    for variant in ("hybrid", "dense"):
        assert_same_training(whole, killed, variant)
    name = "comparisons.json"
    assert (whole / name).read_bytes() == (killed / name).read_bytes()


def test_interrupted_run_says_how_to_go_on_and_does(
    whole: Path, folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = stop(begin(folder, run), run / "hybrid" / "history.csv", signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert f"medqnn train {run}" in (out + err).replace("\n", " ").replace("  ", " ")
    interrupted = RunFolder(run)
    assert interrupted.facts()["status"] == "interrupted"
    with pytest.raises(RunError, match="is interrupted, not complete"):
        interrupted.require_complete()
    proceed(interrupted)
    interrupted.require_complete()
    for variant in ("hybrid", "dense"):
        assert_same_training(whole, run, variant)


def test_complete_run_goes_on_to_nothing(whole: Path) -> None:
    before = dict(files(whole / "hybrid"))
    proceed(RunFolder(whole))
    RunFolder(whole).require_complete()
    assert dict(files(whole / "hybrid")) == before


def test_full_disk_is_one_line_and_the_run_goes_on_once_there_is_space(
    folder: Path, tmp_path: Path
) -> None:
    """The limit lets the run begin and stops its first checkpoint."""
    spec = (*SMALL, "model.widths=[64, 64, 32]", "training.epochs=3")
    words = ["train", "hqcm-ebtc", "--data", str(folder), "--out", str(tmp_path / "run")]
    start(tiny_recipe(*spec), str(folder), tmp_path / "decoded")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, "500000", *words, *options(*spec)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"error: cannot write to {tmp_path / 'run'} (File too large)")
    assert done.stderr.count("\n") == 1
    run = RunFolder(tmp_path / "run")
    with pytest.raises(RunError, match="not complete"):
        run.require_complete()
    proceed(run)
    run.require_complete()
