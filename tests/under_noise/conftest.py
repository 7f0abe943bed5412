from __future__ import annotations

from pathlib import Path

import pytest

from training.tiny import tiny_run, write_folder
from under_noise.measured import noisy_run

__all__ = ["noisy_run", "tiny_run"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 images of two classes and 8 patients; only to be read."""
    return write_folder(tmp_path_factory.mktemp("noise") / "squares", patients=8)
