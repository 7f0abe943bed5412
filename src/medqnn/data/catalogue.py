"""Which data set a text names."""

from __future__ import annotations

from pathlib import Path

from medqnn.data.cheng import is_cheng_folder, read_cheng_folder
from medqnn.data.folders import INDEX, read_index_folder
from medqnn.data.table import ImageTable
from medqnn.errors import DataError

_UNDERSTOOD = (
    f'"phantom", "phantom:IMAGES" or "phantom:IMAGES:SEED"; a folder with {INDEX}; '
    "a folder with the MATLAB files of Cheng 2015"
)


def open_table(source: str, *, image_size: int = 128) -> ImageTable:
    """Open a data set by name or path.

    Args:
        source: "phantom", "phantom:IMAGES", "phantom:IMAGES:SEED" (the embedded synthetic set, by
            default 1,200 images of seed 0), or a folder.
        image_size: side of the phantom's images in pixels; files keep theirs.

    Raises:
        DataError: Nothing of the kind, with a list of what is understood.
    """
    name, _, numbers = source.partition(":")
    if name == "phantom":
        return _open_phantom(numbers, image_size)
    root = Path(source).expanduser()
    if not root.is_dir():
        fault = "is a file" if root.exists() else "does not exist"
        raise DataError(f"the data set {source} {fault}: give {_UNDERSTOOD}")
    if (root / INDEX).is_file():
        return read_index_folder(root)
    if is_cheng_folder(root):
        return read_cheng_folder(root)
    raise DataError(f"the folder {source} holds neither index nor .mat files: give {_UNDERSTOOD}")


def _open_phantom(numbers: str, image_size: int) -> ImageTable:
    from medqnn.data.phantom import phantom_table  # the atlas is slow to load

    given = numbers.split(":") if numbers else []
    if len(given) > 2 or not all(number.isdecimal() for number in given):
        raise DataError(f"the data set phantom:{numbers} is not understood: give {_UNDERSTOOD}")
    options = dict(zip(("images", "seed"), map(int, given), strict=False))
    return phantom_table(**options, size=image_size)
