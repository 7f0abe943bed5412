"""The head that all phantom patients are deformed from: the MNI152 brain in a synthetic head.

The brain (grey and white matter) is the ICBM 2009a template that nilearn ships. The template is
skull-stripped, so the cranium is built from distance maps around it, and face and neck, which no
lesion ever touches, from ellipsoids. Coordinates are MNI: mm, x right, y anterior, z superior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import nibabel
import numpy as np
from scipy import ndimage

from medqnn.data.phantom.head import AIR, FACE, HEAD, VESSELS, paint, tube_distance

SPACING = 1.5  # mm between voxels of the atlas
LOWEST = np.array([-100.0, -140.0, -136.0])  # mm, centre of the first voxel
SHAPE = (134, 174, 164)
COARSE = 2  # distance maps are smooth: they are made at every second voxel
TEMPLATE = "datasets/data/mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
CHANNELS = ("white", "grey", "cranium", "head", "fat", "muscle", "vessel")


@dataclass(frozen=True)
class Atlas:
    """Maps of the head on one grid, and the places where tumours may arise.

    Attributes:
        maps: float32 (x, y, z, 7), in the order of ``CHANNELS``: probabilities of white and grey
            matter; signed distances in mm to the inside of the skull and to the skin (negative
            inside); fractions of fat and muscle outside the skull; distance in mm to the wall of
            the nearest large vessel (negative inside).
        dural_sites: float32 (n, 3), points in mm on the inside of the skull vault and base.
        white_sites: float32 (n, 3), points in mm deep in the white matter.
    """

    maps: np.ndarray
    dural_sites: np.ndarray
    white_sites: np.ndarray

    def sample(self, points: np.ndarray, channels: slice = slice(None)) -> np.ndarray:
        """Interpolate the maps linearly.

        Args:
            points: float32 (n, 3), mm; those outside the grid take its nearest voxel.
            channels: Which maps to read.

        Returns:
            float32 (channels, n).
        """
        place = (points - LOWEST.astype(np.float32)) / np.float32(SPACING)
        place = np.clip(place, 0, np.array(SHAPE, np.float32) - 1.001)
        corner = place.astype(np.int32)
        x, y, z = (place - corner).T[:, :, None]
        flat = (corner[:, 0] * SHAPE[1] + corner[:, 1]) * SHAPE[2] + corner[:, 2]
        voxels = self.maps.reshape(-1, len(CHANNELS))

        def along_z(offset: int) -> np.ndarray:
            low = voxels[flat + offset, channels]
            return low + z * (voxels[flat + offset + 1, channels] - low)

        row, plane = SHAPE[2], SHAPE[1] * SHAPE[2]
        near, far = along_z(0), along_z(plane)
        near += y * (along_z(row) - near)
        far += y * (along_z(plane + row) - far)
        return np.ascontiguousarray((near + x * (far - near)).T)


@cache
def load_atlas() -> Atlas:
    """Build the atlas; about two seconds, once a process."""
    white, grey = _template("wm", 1), _template("gm", 1)
    coarse_cranium = _cranium(_template("t1", COARSE) > 0)
    cranium, head = _upsample(coarse_cranium), _upsample(_head(coarse_cranium))
    vessel = _upsample(tube_distance(_points(COARSE), VESSELS))
    maps = np.empty((*SHAPE, len(CHANNELS)), np.float32)
    for channel, values in enumerate((white, grey, cranium, head, *_soft_tissue(head), vessel)):
        maps[..., channel] = values
    return Atlas(maps, _dural_sites(cranium), _white_sites(white))


def _template(name: str, step: int) -> np.ndarray:
    """One of nilearn's packaged templates, 0 to 1, at every ``step``-th voxel of the atlas."""
    image = nibabel.nifti1.load(str(files("nilearn") / TEMPLATE.format(name)))
    offset = LOWEST - image.affine[:3, 3]
    shape = tuple(n // step for n in SHAPE)
    volume = np.asarray(image.dataobj, dtype=np.float32) / 255
    return ndimage.affine_transform(volume, np.full(3, SPACING * step), offset, shape, order=1)


def _points(step: int) -> tuple[np.ndarray, ...]:
    """Open grids of x, y and z in mm, every ``step`` voxels."""
    axes = (low + SPACING * np.arange(0, n, step) for low, n in zip(LOWEST, SHAPE, strict=True))
    return np.ix_(*axes)


def _upsample(volume: np.ndarray) -> np.ndarray:
    """A coarse map on the atlas grid: the value halfway between two voxels is their mean."""
    volume = volume.astype(np.float32)
    for axis in range(3):
        n = volume.shape[axis]
        following = volume.take(np.minimum(np.arange(n) + 1, n - 1), axis)
        pairs = np.stack([volume, (volume + following) / 2], axis + 1)
        volume = pairs.reshape(*volume.shape[:axis], 2 * n, *volume.shape[axis + 1 :])
    return volume


def _signed_distance(inside: np.ndarray) -> np.ndarray:
    """Distance in mm to the surface of a coarse mask, negative inside."""
    distance = ndimage.distance_transform_edt
    return SPACING * COARSE * (distance(~inside) - distance(inside))


def _cranium(brain: np.ndarray) -> np.ndarray:
    """Signed distance to the inside of the skull: the closed brain and 2.5 mm of fluid."""
    closing = 9.0
    swollen = _signed_distance(brain) < closing
    smooth = ndimage.gaussian_filter(_signed_distance(_signed_distance(swollen) < -closing), 1.0)
    return smooth - 2.5


def _head(cranium: np.ndarray) -> np.ndarray:
    """Signed distance to the skin: 13 mm around the cranium, joined with face and neck."""
    inside = paint(cranium < 13, _points(COARSE), HEAD, True)
    return ndimage.gaussian_filter(_signed_distance(inside), 1.5)


def _soft_tissue(head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fractions of fat and of muscle outside the skull; bone and air have neither."""
    grain = np.random.default_rng(152).standard_normal([n // COARSE for n in SHAPE])
    streaks = ndimage.gaussian_filter(grain, (1.5, 1.5, 3.0))
    fat = np.clip(_upsample(0.2 + 0.16 * streaks / streaks.std()), 0, 1)
    fat = np.maximum(fat, np.clip((head + 6.5) / 2, 0, 1))
    muscle = 1 - fat
    for shapes, fat_inside, muscle_inside in ((FACE.fat, 1, 0), (FACE.muscle, 0, 1), (AIR, 0, 0)):
        fat = paint(fat, _points(1), shapes, fat_inside)
        muscle = paint(muscle, _points(1), shapes, muscle_inside)
    return fat, muscle


def _sites(mask: np.ndarray) -> np.ndarray:
    return (LOWEST + SPACING * np.argwhere(mask)).astype(np.float32)


def _dural_sites(cranium: np.ndarray) -> np.ndarray:
    """Inside of the skull above the foramen magnum but for the sella, and the sides of the falx."""
    x, y, z = _points(1)
    skull = (np.abs(cranium + 1) < 0.5) & (z > -52)
    falx = (np.abs(np.abs(x) - 5.5) < 1.5) & (np.abs(cranium + 15) < 8) & (z > 5)
    sella = np.hypot(np.hypot(x, y - 2), z + 30) < 24
    return _sites((skull | falx) & ~sella)


def _white_sites(white: np.ndarray) -> np.ndarray:
    """White matter of the hemispheres and cerebellum, well within it."""
    return _sites((ndimage.uniform_filter(white, 5) > 0.8) & (_points(1)[2] > -50))
