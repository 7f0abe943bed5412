from __future__ import annotations

from pathlib import Path

import pytest

from robustness.measured import measured_run
from training.tiny import tiny_run, write_folder

__all__ = ["measured_run", "tiny_run"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 images of two classes and 32 patients; only to be read."""
    return write_folder(tmp_path_factory.mktemp("robust") / "squares", patients=16)
