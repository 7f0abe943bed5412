"""Which data set a text names."""

from __future__ import annotations

from pathlib import Path

from medqnn.data.cheng import is_cheng_folder, read_cheng_folder
from medqnn.data.class_folders import LAYOUTS, is_class_folder, read_class_folders
from medqnn.data.folders import INDEX, read_index_folder
from medqnn.data.medmnist import read_medmnist
from medqnn.data.table import ImageTable
from medqnn.errors import DataError

_UNDERSTOOD = (
    '"phantom", "phantom:IMAGES" or "phantom:IMAGES:SEED"; the .npz file of a MedMNIST 2D set; '
    f"a folder with {INDEX}; a folder with the MATLAB files of Cheng 2015; "
    f"a folder of images laid out as {LAYOUTS}"
)


def open_table(source: str, *, image_size: int = 128) -> ImageTable:
    """Open a data set by name or path.

    Args:
        source: "phantom", "phantom:IMAGES", "phantom:IMAGES:SEED" (the embedded synthetic set, by
            default 1,200 images of seed 0), a MedMNIST .npz file, or a folder.
        image_size: side of the phantom's images in pixels; files keep theirs.

    Raises:
        DataError: Nothing of the kind, with a list of what is understood.
    """
    name, _, numbers = source.partition(":")
    if name == "phantom":
        return _open_phantom(numbers, image_size)
    root = Path(source).expanduser()
    if root.suffix.lower() == ".npz" and root.is_file():
        return read_medmnist(root)
    if not root.is_dir():
        fault = "is a file of another kind" if root.exists() else "does not exist"
        raise DataError(f"the data set {source} {fault}: give {_UNDERSTOOD}")
    if (root / INDEX).is_file():
        return read_index_folder(root)
    if is_cheng_folder(root):
        return read_cheng_folder(root)
    if is_class_folder(root):
        return read_class_folders(root)
    raise DataError(f"the folder {source} holds no data set: give {_UNDERSTOOD}")


def _open_phantom(numbers: str, image_size: int) -> ImageTable:
    from medqnn.data.phantom import phantom_table  # the atlas is slow to load

    given = numbers.split(":") if numbers else []
    if len(given) > 2 or not all(number.isdecimal() for number in given):
        raise DataError(f"the data set phantom:{numbers} is not understood: give {_UNDERSTOOD}")
    options = dict(zip(("images", "seed"), map(int, given), strict=False))
    return phantom_table(**options, size=image_size)
