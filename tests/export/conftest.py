from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from medqnn.export.onnx import Written
from medqnn.export.run_onnx import export_onnx
from medqnn.training.folder import RunFolder
from training.tiny import tiny_run

__all__ = ["tiny_run"]


@pytest.fixture(scope="session")
def exported(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Written]:
    """A run, and its hybrid's ONNX file; only to be read."""
    path = tmp_path_factory.mktemp("exported") / "runs" / "demo"
    folder = RunFolder(shutil.copytree(tiny_run, path))
    return folder, export_onnx(folder, "hybrid")
