from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from medqnn.diagnostics.diagnose import diagnose_run
from medqnn.training.folder import RunFolder
from training.tiny import tiny_run

__all__ = ["tiny_run"]


@pytest.fixture(scope="session")
def diagnosed(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A run that was diagnosed, and what was found; only to be read."""
    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("diagnosed") / "run")
    return run, diagnose_run(RunFolder(run), samples=20, seed=0)
