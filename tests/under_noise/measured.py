"""A run that was measured under noise, made once a session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from medqnn.training.folder import RunFolder
from medqnn.under_noise.results import measure_run
from medqnn.under_noise.settings import devices

PROFILES, SHOTS = ("ibm-eagle",), (32, 16)


@pytest.fixture(scope="session")
def noisy_run(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny run with its results; only to be read."""
    path = tmp_path_factory.getbasetemp() / "noisy-run"
    if not path.exists():
        shutil.copytree(tiny_run, path)
        measure_run(RunFolder(path), devices(PROFILES, SHOTS))
    return path
