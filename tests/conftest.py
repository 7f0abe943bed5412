from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)  # the suite runs one process a core

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets beside the checkout; tests that need it skip without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no ../shared/data beside this checkout: real data sets are not here")
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of decoded images for this session, so that the user's own is left alone."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDQNN_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def salt() -> Iterator[None]:
    """Pseudonyms of this session, so that no salt is written to the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDQNN_SALT", "of the tests alone")
        yield
