from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from training.tiny import tiny_run

__all__ = ["tiny_run"]


@pytest.fixture
def own_run(tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of the tiny run, to be written into."""
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))
