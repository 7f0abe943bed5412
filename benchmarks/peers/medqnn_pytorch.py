"""medqnn without its native kernel, as where llvmlite is not installed."""

from __future__ import annotations

import sys

sys.modules["llvmlite"] = None  # type: ignore[assignment]  # to import it is an ImportError

from peers.medqnn_layer import DEVICES, DTYPES, PACKAGES, build  # noqa: E402

__all__ = ["DEVICES", "DTYPES", "PACKAGES", "build"]
