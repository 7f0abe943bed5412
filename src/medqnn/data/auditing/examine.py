"""Every image of a table looked at once: what its file is like, and its fingerprint."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from medqnn.data.auditing.fingerprints import fingerprint, no_fingerprints
from medqnn.data.cache import Progress
from medqnn.data.table import ImageTable
from medqnn.errors import DataError

_THREADS = min(4, os.cpu_count() or 1)
_CHUNK = 128
_FRAME = 32  # the border is this part of the shorter side, at least 1 pixel
_NEARLY_ALL = 0.999  # of the pixels of a blank image have one value
_FULL = 0.99  # of the pixels of a full mask are lesion
_SAMPLED = 2000  # pixels that tell the usual value of an image, should it have one
_UNKNOWN = "unknown"


class Examination(NamedTuple):
    """What was seen of the n images of a table.

    Attributes:
        facts: one row an image, aligned with the table: `error` (why it cannot be read, or
            missing); `width`, `height` (pixels), `pixels` ("grey uint8", "RGB uint16"), `format`
            ("JPEG", "PNG", or a file's suffix), `minimum`, `maximum`, `mean` (intensities as
            stored), `border_mean`, `border_sd` (of the outermost 1/32, as a share of the range
            of the image), `blank` ("constant", "nearly" or ""), `mask` ("none", "empty", "some",
            "full" or "other size"); `file_hash` (missing where a file holds several images) and
            `pixel_hash`.
        details: int8 (n, 2, 64, 64), their fingerprints; zeros for unreadable and constant images.
    """

    facts: pd.DataFrame
    details: np.ndarray


def examine(table: ImageTable, progress: Progress | None = None) -> Examination:
    """Read every image of a table; those that cannot be read are noted and passed over.

    Args:
        table: the data set.
        progress: wraps the iteration over the images, called with an iterable and its length.
    """
    details = no_fingerprints(len(table))
    facts: list[dict[str, Any]] = []
    seen = progress(_seen(table), len(table)) if progress else _seen(table)
    for number, (fact, detail) in enumerate(seen):
        facts.append(fact)
        if detail is not None:
            details[number] = detail
    return Examination(pd.DataFrame(facts, columns=_COLUMNS), details)


@dataclass(frozen=True)
class _Row:
    """One image: its row, and whether its file holds no other."""

    row: pd.Series
    alone: bool


_Seen = tuple[dict[str, Any], np.ndarray | None]
_COLUMNS = [
    *("error", "width", "height", "pixels", "format", "minimum", "maximum", "mean"),
    *("border_mean", "border_sd", "blank", "mask", "file_hash", "pixel_hash"),
]


def _seen(table: ImageTable) -> Iterator[_Seen]:
    """Facts and fingerprint of each row in order."""
    alone = ~table.rows["source"].duplicated(keep=False).to_numpy()

    def one(index: int) -> _Seen:
        return _look(_Row(table.rows.iloc[index], bool(alone[index])), table.read)

    yield one(0)  # alone: what a reader loads once, each thread would load for itself
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(1, len(table), _CHUNK):
            yield from pool.map(one, range(start, min(start + _CHUNK, len(table))))


def _look(row: _Row, read: Callable[[pd.Series], Any]) -> _Seen:
    facts: dict[str, Any] = _of_file(row)
    try:
        image, mask = read(row.row)
        image = np.asarray(image)
        if image.size == 0 or not np.isfinite(image).all():
            raise DataError(f"{row.row['source']}: no pixels, or pixels that are not finite")
    except (DataError, OSError) as error:
        return {**facts, "error": str(error)}, None
    facts |= _of_image(image) | {"mask": _of_mask(mask, image.shape[:2])}
    return facts, None if facts["blank"] == "constant" else fingerprint(image)


def _of_file(row: _Row) -> dict[str, Any]:
    source = Path(str(row.row["source"]))
    suffix = source.suffix.lower().removeprefix(".") or _UNKNOWN
    if not row.alone:
        return {"format": suffix}
    try:
        content = source.read_bytes()
    except OSError:  # not a file: the phantom, or one that the reader will complain about
        return {"format": suffix}
    facts = {"file_hash": hashlib.sha256(content).hexdigest(), "format": suffix}
    try:
        with Image.open(BytesIO(content)) as file:
            facts["format"] = file.format or suffix
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        pass  # DICOM, MATLAB and so on: the suffix tells
    return facts


def _of_image(image: np.ndarray) -> dict[str, Any]:
    height, width = image.shape[:2]
    low, high = float(image.min()), float(image.max())
    border = (_border(image) - low) / max(high - low, 1e-12)
    kind = f"{'RGB' if image.ndim == 3 else 'grey'} {image.dtype}"
    described = f"{image.shape} {image.dtype.str}".encode()
    return {
        "width": width,
        "height": height,
        "pixels": kind,
        "minimum": low,
        "maximum": high,
        "mean": float(image.mean(dtype=np.float64)),
        "border_mean": float(border.mean()),
        "border_sd": float(border.std()),
        "blank": _blankness(image, low, high),
        "pixel_hash": hashlib.sha256(described + image.tobytes()).hexdigest(),
    }


def _border(image: np.ndarray) -> np.ndarray:
    """Values of the outermost pixels, float64."""
    frame = max(1, min(image.shape[:2]) // _FRAME)
    middle = image[frame:-frame]
    sides = [image[:frame], image[-frame:], middle[:, :frame], middle[:, -frame:]]
    return np.concatenate([side.reshape(-1) for side in sides]).astype(np.float64)


def _blankness(image: np.ndarray, low: float, high: float) -> str:
    if low == high:
        return "constant"
    values = image.reshape(-1)
    usual = np.median(values[:: max(1, len(values) // _SAMPLED)])
    return "nearly" if np.count_nonzero(values == usual) >= _NEARLY_ALL * len(values) else ""


def _of_mask(mask: np.ndarray | None, shape: tuple[int, ...]) -> str:
    if mask is None:
        return "none"
    if mask.shape != shape:
        return "other size"
    share = float(mask.mean())
    return "empty" if share == 0 else "full" if share >= _FULL else "some"
