"""One NIfTI volume: where it lies in the body, and its slices as a radiologist sees them."""

from __future__ import annotations

import gzip
import math
import os
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Literal

import nibabel as nib
import numpy as np

from medqnn.data.scans.scan_files import BadFileError

Plane = Literal["axial", "coronal", "sagittal"]

PLANES: dict[Plane, int] = {"sagittal": 0, "coronal": 1, "axial": 2}  # axis of the slices in RAS+
SUFFIXES = (".nii", ".nii.gz")
_MOST_BYTES = 2**30  # of a volume, which is held in memory
_DEFLATE_RATIO = 1032  # no byte of a gzip file becomes more
_KEPT = 4  # volumes: an image and its mask, and the ones before, which other threads still read

_kept: OrderedDict[tuple[str, int, int], np.ndarray] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Volume:
    """A file's header.

    Attributes:
        path: the file.
        shape: of the stored array.
        affine: 4×4, from indices of the stored array to RAS+ millimetres.
        dtype: of the stored numbers.
        offset: bytes before them.
        slope: what a stored number is multiplied with,
        intercept: and what is added then.
        axes: stored axis of each anatomical one (right, anterior, superior).
        flipped: whether the stored axis runs the other way, for each anatomical one.
    """

    path: str
    shape: tuple[int, ...]
    affine: np.ndarray
    dtype: np.dtype
    offset: int
    slope: float
    intercept: float
    axes: tuple[int, ...]
    flipped: tuple[bool, ...]

    def count(self, plane: Plane) -> int:
        """Number of slices."""
        return self.shape[self.axes[PLANES[plane]]]

    def spacing(self, plane: Plane) -> tuple[float, float]:
        """Distance between rows and between columns of a slice, in mm."""
        sides = [
            float(np.linalg.norm(self.affine[:3, self.axes[axis]]))
            for axis in range(3)
            if axis != PLANES[plane]
        ]
        return sides[1], sides[0]

    def slice(self, plane: Plane, index: int) -> np.ndarray:
        """Intensities of a slice, counted from the left, the back or below.

        Axial and coronal slices show the patient's right on the left of the image, sagittal ones
        the front on the left; the front is up in axial slices, the head in the others.

        Returns:
            Floating point H×W.

        Raises:
            BadFileError: A file that has gone, is cut off or damaged.
        """
        axis = PLANES[plane]
        if self.flipped[axis]:
            index = self.count(plane) - 1 - index
        stored = np.moveaxis(_stored(self), self.axes[axis], 0)[index]
        across, up = (other for other in range(3) if other != axis)
        if self.axes[across] > self.axes[up]:
            stored = stored.T
        # across × up now; unless flipped, both run away from what the first pixel shows
        columns, rows = (1 if self.flipped[other] else -1 for other in (across, up))
        return self._scaled(stored[::columns, ::rows].T)

    def occupied(self, plane: Plane) -> np.ndarray:
        """Whether a slice has anything above 0, bool, one for each slice.

        Raises:
            BadFileError: As `slice`.
        """
        axis = PLANES[plane]
        others = tuple(other for other in range(3) if other != self.axes[axis])
        found: np.ndarray = np.any(self._scaled(_stored(self)) > 0, axis=others)
        return found[::-1] if self.flipped[axis] else found

    def _scaled(self, stored: np.ndarray) -> np.ndarray:
        values: np.ndarray = stored.astype(np.float32 if stored.dtype.itemsize < 4 else np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # shows as values that are not finite
            return values * self.slope + self.intercept


def read_volume(path: str) -> Volume:
    """Read the header of a .nii or .nii.gz file, NIfTI 1 or 2.

    Raises:
        BadFileError: A file that is not NIfTI, is cut off, or holds anything but one volume of real
            numbers that lies somewhere.
    """
    try:
        with open(path, "rb") as file:  # nibabel's words for a file that may not be read mislead
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise BadFileError(
            path, f"cannot be read ({error.strerror}): mend it or leave it out"
        ) from error
    if not size:
        raise BadFileError(path, "is empty: copy it again or leave it out")
    try:
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Image):  # a Nifti2Image is one too
            raise BadFileError(path, "is not NIfTI but another format: leave it out")
        volume = _header(path, image)
    except BadFileError:
        raise
    except Exception as error:  # nibabel raises what it meets in a damaged file
        kind = type(error).__name__
        raise BadFileError(
            path, f"is damaged or not NIfTI ({kind}): copy it again or leave it out"
        ) from error
    _check_size(volume, size)
    return volume


def _header(path: str, image: nib.Nifti1Image) -> Volume:
    lengths = tuple(int(length) for length in image.shape)
    dtype = image.header.get_data_dtype()
    if any(length != 1 for length in lengths[3:]) or dtype.kind not in "iuf":
        raise BadFileError(
            path,
            f"holds {'×'.join(map(str, lengths))} values of {dtype}: one volume of real numbers is "
            "read; save the volume to use alone",
        )
    directions = nib.io_orientation(image.affine)
    if min(lengths) < 1 or not np.isfinite(directions).all():
        raise BadFileError(
            path, "has axes without a direction in space, or of no length: mend its header"
        )
    axes = [int(np.flatnonzero(directions[:, 0] == axis)[0]) for axis in range(3)]
    stored: Any = image.dataobj  # an ArrayProxy, whatever the annotation says
    return Volume(
        path=path,
        shape=(*lengths, 1, 1)[:3],
        affine=image.affine,
        dtype=dtype,
        offset=int(stored.offset),
        slope=float(stored.slope),
        intercept=float(stored.inter),
        axes=tuple(axes),
        flipped=tuple(bool(directions[axis, 1] < 0) for axis in axes),
    )


def _check_size(volume: Volume, size: int) -> None:
    """Refuse sizes that the file cannot hold, before anything is allocated for them."""
    shape = "×".join(map(str, volume.shape))
    most = size * _DEFLATE_RATIO if _is_compressed(volume.path) else size
    if volume.offset < 0 or _length(volume) > most:
        raise BadFileError(
            volume.path,
            f"holds {size:,} bytes, too few for {shape} values of {volume.dtype}: copy it again, "
            "it is cut off or damaged",
        )
    if _length(volume) > _MOST_BYTES:
        raise BadFileError(
            volume.path,
            f"has {shape} values of {volume.dtype}, more than {_MOST_BYTES // 2**20:,} MiB: crop "
            "it, or save it with fewer bytes a value",
        )


def _is_compressed(path: str) -> bool:
    return path.lower().endswith(".gz")


def _length(volume: Volume) -> int:
    """Bytes of the file, uncompressed."""
    return volume.offset + math.prod(volume.shape) * volume.dtype.itemsize


def _stored(volume: Volume) -> np.ndarray:
    """The stored numbers; those of the last few volumes are kept.

    Slices are asked for one by one, and a compressed file can only be read whole. One thread
    reads at a time: the others most likely wait for the same volume.
    """
    try:
        with _lock:
            state = os.stat(volume.path)
            key = (volume.path, state.st_size, state.st_mtime_ns)
            if key not in _kept:
                while len(_kept) >= _KEPT:
                    _kept.popitem(last=False)
                _kept[key] = _read(volume)
            _kept.move_to_end(key)
            return _kept[key]
    except (OSError, EOFError, zlib.error) as error:
        fault = getattr(error, "strerror", None) or "its compressed data are damaged"
        raise BadFileError(
            volume.path, f"cannot be read ({fault}): copy it again or leave it out"
        ) from error


def _read(volume: Volume) -> np.ndarray:
    length = _length(volume)
    with gzip.open(volume.path) if _is_compressed(volume.path) else open(volume.path, "rb") as file:
        content = file.read(length + 1)  # at its end, gzip compares the checksum
    if len(content) < length:
        raise BadFileError(
            volume.path, f"is cut off after {len(content):,} of {length:,} bytes: copy it again"
        )
    values = np.frombuffer(content, volume.dtype, math.prod(volume.shape), volume.offset)
    return values.reshape(volume.shape, order="F")
