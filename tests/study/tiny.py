"""A study small enough to be done in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.tiny import command, options, write_medmnist

SETS = (
    "training.epochs=2",
    "training.batch_size=16",
    "data.task=all-classes",
    "model.hidden=8",
    "evaluation.resamples=100",
)
SEEDS, TRIALS = 2, 2


def study(path: Path, data: Path, *words: str) -> tuple[str, ...]:
    """The command of the tiny study."""
    own = ("--seeds", str(SEEDS), "--twins", "dense", "--tune", str(TRIALS), "--workers", "2")
    return (
        *("study", "hqcnn-medmnist", "--data", str(data), "--out", str(path), *own),
        *words,
        *options(*SETS),
    )


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in MedMNIST's format, of two classes."""
    path = tmp_path_factory.getbasetemp() / "stripes.npz"
    return path if path.exists() else write_medmnist(path, classes=2)


@pytest.fixture(scope="session")
def tiny_study(tmp_path_factory: pytest.TempPathFactory, tiny_data: Path) -> Path:
    """A complete study, hybrid and dense, shared and tuned; only to be read."""
    path = tmp_path_factory.getbasetemp() / "tiny-study"
    if not path.exists():
        done = command(*study(path, tiny_data))
        assert done.returncode == 0, done.stdout + done.stderr
        path.with_suffix(".out").write_text(done.stdout)
        path.with_suffix(".err").write_text(done.stderr)
    return path
