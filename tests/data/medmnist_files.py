"""Small files in MedMNIST's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

COUNTS = {"train": 12, "val": 4, "test": 6}


def medmnist_arrays(labels: int = 3, shape: tuple[int, ...] = (28, 28)) -> dict[str, Any]:
    """Noise images of every part, whose labels run through 0 to labels - 1 and around."""
    draw = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, count in COUNTS.items():
        arrays[f"{part}_images"] = draw.integers(0, 256, (count, *shape), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(count, dtype=np.uint8) % labels)[:, None]
    return arrays


def write_medmnist(path: Path, arrays: dict[str, Any] | None = None) -> Path:
    np.savez_compressed(path, **(medmnist_arrays() if arrays is None else arrays))
    return path
