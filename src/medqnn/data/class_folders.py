"""A folder of images in which the folder that holds an image says its class.

Understood are `<class>/` alone and `Training|Testing/<class>/` or `train|val|test/<class>/`, where
the first level says the part of the split as well. Images may stand deeper below their class. A
folder `masks/` beside them may mirror any of them: the mask of `Training/glioma/7.jpg` is
`masks/Training/glioma/7.png`, or of any other image suffix.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pandas as pd

from medqnn.data.folders import read_image_files
from medqnn.data.table import ImageTable
from medqnn.errors import DataError

LAYOUTS = "CLASS/image, Training|Testing/CLASS/image or train|val|test/CLASS/image"
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_PARTS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
_MASKS = "masks"
_CLUTTER = ("__macosx", "thumbs.db", "desktop.ini")  # and whatever starts with a dot


def is_class_folder(root: str | Path) -> bool:
    """Whether the folder holds folders that may be those of classes or parts."""
    return bool(_folders(Path(root)))


def read_class_folders(root: str | Path) -> ImageTable:
    """List the images below a folder by class; pixels are read later.

    An image's id is its path in the folder. Patients are unknown: every image is its own. Files
    that are no images and hidden ones are left out; links are followed.

    Args:
        root: folder in one of the layouts above. Parts may be written in any case; without a
            validation part one is drawn from the training images.

    Raises:
        DataError: No class folders, one only, one without an image, layouts mixed, two folders
            for one part, or masks that belong to no image or to the same.
    """
    root = Path(root)
    folders = _class_folders(root)
    classes = tuple(sorted({folder.name for folder, _ in folders}))
    if len(classes) < 2:
        raise DataError(
            f"{root} has one class only, {classes[0]}: two or more are needed, as {LAYOUTS}"
        )
    images = [
        (image, folder.name, part)
        for folder, part in folders
        for image in _images_of_class(root, folder)
    ]
    rows = pd.DataFrame(sorted(images), columns=["id", "label", "split"])
    rows["source"] = [str(root / image) for image in rows["id"]]
    rows["patient"] = rows["id"]
    rows["mask"] = rows["id"].map(_masks(root, rows["id"])).astype(object)
    rows["fold"] = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    name = root.resolve().name
    return ImageTable(name, rows, classes, read_image_files, patients_known=False)


def _class_folders(root: Path) -> list[tuple[Path, str | None]]:
    """Each class folder and its part, None where the layout has no parts."""
    folders = _folders(root)
    names = ", ".join(folder.name for folder in folders) or "no folders"
    parts = {folder: _PARTS.get(folder.name.lower()) for folder in folders}
    named = [part for part in parts.values() if part]
    loose = _loose_image(root)
    if loose or not folders or 0 < len(named) < len(folders):
        raise DataError(
            f"{root} holds {names}{f' and the image {loose}' if loose else ''}, which is no "
            f"layout that is understood: arrange it as {LAYOUTS}"
        )
    if len(set(named)) < len(named):
        raise DataError(f"{root} has two folders for one part of the split ({names}): merge them")
    if not named:
        return [(folder, None) for folder in folders]
    return [(below, part) for folder, part in parts.items() for below in _classes_of_part(folder)]


def _classes_of_part(part: Path) -> list[Path]:
    folders, loose = _folders(part), _loose_image(part)
    if loose or not folders:
        fault = f"the image {loose} beside the class folders" if loose else "no class folders"
        raise DataError(f"{part} holds {fault}: arrange it as {LAYOUTS}")
    return folders


def _images_of_class(root: Path, folder: Path) -> list[str]:
    images = list(_images(root, folder))
    if not images:
        raise DataError(
            f"the class folder {folder} holds no image ({', '.join(SUFFIXES)}): add images, "
            f"remove it, or arrange the data as {LAYOUTS}"
        )
    return images


def _masks(root: Path, images: pd.Series) -> dict[str, str]:
    """Path of the mask of each image that has one."""
    folder = next((entry for entry in _entries(root) if _is_masks(entry)), None)
    if folder is None:
        return {}
    found: dict[str, str] = {}
    for mask in _images(folder, folder):
        place = os.path.splitext(mask)[0]
        if place in found:
            raise DataError(f"{folder} holds two masks for {place}: keep one")
        found[place] = str(folder / mask)
    places = {image: os.path.splitext(image)[0] for image in images}
    strays = sorted(set(found) - set(places.values()))
    if strays:
        raise DataError(
            f"{len(strays)} of {len(found)} masks in {folder} belong to no image, the first is "
            f"{found[strays[0]]}: give each the path of its image below {_MASKS}/"
        )
    return {image: found[place] for image, place in places.items() if place in found}


def _images(root: Path, folder: Path) -> Iterator[str]:
    """Paths below root of the images in a folder at any depth, links followed."""
    seen = {os.path.realpath(above) for above in folder.absolute().parents}
    for here, below, files in os.walk(folder, onerror=_refuse, followlinks=True):
        if (real := os.path.realpath(here)) in seen:  # a link back
            below.clear()
            continue
        seen.add(real)
        below[:] = [name for name in below if not _is_clutter(name)]
        place = Path(here).relative_to(root)
        yield from ((place / name).as_posix() for name in files if _is_image(name))


def _folders(root: Path) -> list[Path]:
    """The folders in a folder but for masks and clutter, by name."""
    return sorted(entry for entry in _entries(root) if entry.is_dir() and not _is_masks(entry))


def _loose_image(folder: Path) -> str | None:
    return next((entry.name for entry in _entries(folder) if _is_image(entry.name)), None)


def _entries(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if not _is_clutter(entry.name)]
    except OSError as error:
        _refuse(error)


def _refuse(error: OSError) -> NoReturn:
    raise DataError(
        f"cannot read the folder {error.filename} ({error.strerror}): mend its permissions"
    ) from error


def _is_masks(entry: Path) -> bool:
    return entry.name.lower() == _MASKS and entry.is_dir()


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not _is_clutter(name)


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _CLUTTER
