from __future__ import annotations

from pathlib import Path

import pytest

from training.tiny import tiny_run, write_folder

__all__ = ["tiny_run"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 images of two classes and 16 patients; only to be read."""
    return write_folder(tmp_path_factory.mktemp("data") / "squares")
