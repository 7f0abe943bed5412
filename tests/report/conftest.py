from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .runs import make_run


@pytest.fixture
def run_maker() -> Callable[..., Path]:
    return make_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual run: hybrid and dense, synthetic, with published figures. Not to be changed."""
    published = {"accuracy": "96.48 % hybrid", "parameters": 12}
    return make_run(tmp_path_factory.mktemp("runs") / "demo", published=published)
