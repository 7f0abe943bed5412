"""The pixels of one DICOM image as intensities."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydicom.dataset import Dataset
from pydicom.pixels import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi,
    apply_windowing,
    pixel_array,
)
from pydicom.tag import Tag
from pydicom.uid import UID

from medqnn.data.scans.dicom_codecs import PLUGINS
from medqnn.data.scans.dicom_frames import Frame
from medqnn.data.scans.dicom_header import Header, read_header
from medqnn.data.scans.scan_files import BadFileError, BoundedReader
from medqnn.data.table import Sample

Window = Literal["file", "percentile"]

_PERCENTILES = (0.5, 99.5)
_TAGS: list[Any] = [
    Tag(keyword)
    for keyword in (
        "ModalityLUTSequence",
        "VOILUTSequence",
        "VOILUTFunction",
        "RedPaletteColorLookupTableDescriptor",
        "GreenPaletteColorLookupTableDescriptor",
        "BluePaletteColorLookupTableDescriptor",
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
    )
]


def read_dicom_image(row: pd.Series, window: Window = "file") -> Sample:
    """Read one image: the frame `frame` (from 1) of the file `source`.

    Grey images go through the modality lookup table or rescale first, then through the window:
    the file's own (its first, or its lookup table) if it leaves any contrast, else the range from
    the 0.5th to the 99.5th percentile. Where black and white are exchanged (MONOCHROME1) they are
    put right. Palette and YBR images become RGB.

    Args:
        row: a row of a table that `read_dicom_folder` made.
        window: "file", or "percentile" for the percentile range in any case.

    Returns:
        Grey float32 H×W, or RGB H×W×3 as stored; no mask.

    Raises:
        BadFileError: A file that has changed or gone, or pixels that cannot be decoded.
    """
    path, index = str(row["source"]), int(row["frame"]) - 1
    header = _header(path)
    if index >= len(header.frames):
        raise BadFileError(path, "has changed since it was listed: list the folder again")
    frame = header.frames[index]
    pixels, data = _decode(path, index, header.syntax)
    try:
        image = _intensities(pixels, data, frame, window)
    except Exception as error:  # pydicom reads lookup tables late, and raises what it meets
        raise BadFileError(
            path,
            f"has a lookup table or window that cannot be applied ({type(error).__name__}): mend "
            "it or leave it out",
        ) from error
    if not np.isfinite(image).all():
        raise BadFileError(path, "has pixels that are not finite numbers: mend it or leave it out")
    return Sample(image, None)


def _header(path: str) -> Header:
    try:
        state = os.stat(path)
    except OSError as error:
        raise BadFileError(path, f"cannot be read ({error.strerror}): put it back") from error
    header = _cached_header(path, state.st_size, state.st_mtime_ns)
    if header is None:
        raise BadFileError(path, "has changed since it was listed: list the folder again")
    return header


@lru_cache(maxsize=16)  # the header of a multi-frame file is long, and asked for by every frame
def _cached_header(path: str, size: int, changed: int) -> Header | None:
    return read_header(path)


def _decode(path: str, index: int, syntax: str) -> tuple[np.ndarray, Dataset]:
    """Stored values of a frame, and the elements that turn them into intensities."""
    data = Dataset()
    try:
        with BoundedReader(path) as file:
            pixels = pixel_array(
                file,
                ds_out=data,
                specific_tags=_TAGS,
                index=index,
                decoding_plugin=PLUGINS[UID(syntax)],
                transfer_syntax_uid=syntax,
            )
    except Exception as error:  # pydicom and the decoders raise what they meet
        raise BadFileError(
            path,
            f"has an image {index + 1} that cannot be decoded ({UID(syntax).name}, "
            f"{type(error).__name__}): copy it again or leave it out",
        ) from error
    return pixels, data


def _intensities(pixels: np.ndarray, data: Dataset, frame: Frame, window: Window) -> np.ndarray:
    if data.PhotometricInterpretation == "PALETTE COLOR":
        return apply_color_lut(pixels, data)[..., :3]
    if pixels.ndim == 3:
        return pixels
    if frame.rescale:
        data.RescaleSlope, data.RescaleIntercept = frame.rescale
    values = apply_modality_lut(pixels, data)
    shown = _windowed(values, data, frame) if window == "file" else None
    if shown is None or not shown.max() > shown.min():
        shown = np.clip(values, *np.percentile(values, _PERCENTILES))
    if data.PhotometricInterpretation == "MONOCHROME1":
        shown = shown.max() + shown.min() - shown.astype(np.float64)
    with np.errstate(over="ignore"):  # an overflow shows as an infinite pixel
        return shown.astype(np.float32)


def _windowed(values: np.ndarray, data: Dataset, frame: Frame) -> np.ndarray | None:
    """Values by the file's window or lookup table; None if it has none that is valid."""
    if data.get("VOILUTSequence"):
        return apply_voi(np.rint(values).astype(np.int32), data)
    if frame.window is None:
        return None
    data.WindowCenter, data.WindowWidth = frame.window
    if frame.window[1] < 1:  # no window at all: some devices write 0
        return None
    return apply_windowing(values, data)
