"""NIfTI files made for tests."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (3, 4, 5)  # right × anterior × superior
VOXELS = np.arange(60, dtype=np.int16).reshape(SHAPE)
SPACING = (2.0, 3.0, 4.0)
AFFINE = np.diag([*SPACING, 1.0])


def write(
    path: Path,
    voxels: np.ndarray = VOXELS,
    affine: np.ndarray = AFFINE,
    kind: type[nib.Nifti1Image] = nib.Nifti1Image,
) -> Path:
    """Write a volume, by default one whose stored axes run right, anterior and superior."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(kind(voxels, affine), path)
    return path
