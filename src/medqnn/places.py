"""Where this package keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_dir


def cache_folder() -> Path:
    """`MEDQNN_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("MEDQNN_CACHE") or user_cache_dir("medqnn"))
