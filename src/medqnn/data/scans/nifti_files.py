"""The volumes of a folder: which is an image, which a mask, whose it is, and its label.

Volumes (`.nii`, `.nii.gz`) may stand anywhere below the folder. A mask volume stands beside its
image volume as `NAME_mask`, `NAME_seg` or `NAME_dseg`, or with the last part of NAME dropped, so
that several contrasts share one (`P1_t1.nii.gz`, `P1_t2.nii.gz`, `P1_seg.nii.gz`); or below
`masks/` by the same path. Labels come from `labels.csv`, from BIDS' `participants.tsv`, or from
the folder at the top that a volume stands in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from medqnn.data.scans.label_table import LABELS, Facts, LabelTable, read_labels
from medqnn.data.scans.nifti_volume import SUFFIXES, Volume, read_volume
from medqnn.data.scans.scan_files import BadFileError, OnBad, files_below, printable, refuse
from medqnn.errors import DataError

_PARTICIPANTS = "participants.tsv"
_LEVELS = ("file", "patient")
_MASKS = "masks/"
_MASK_NAME = re.compile(r"(.+)[_-](?:mask|seg|dseg)$", re.IGNORECASE)
_LAST_PART = re.compile(r"[_-][^_/-]+$")
_BIDS = re.compile(r"(?:^|/)(sub-[A-Za-z0-9]+)(?=[/_.])")
_NO_CLASS = re.compile(r"train|training|val|valid|validation|test|testing|sub-.*", re.IGNORECASE)
_OTHER_GRID = 1e-3  # by which affines may differ, relative to a voxel: headers round


class Scan(NamedTuple):
    """A volume with its label.

    Attributes:
        place: path in the folder.
        volume: the image.
        mask: its mask, of the same grid, or None.
        facts: what the label table says.
        patient: whose it is, None if nobody says.
    """

    place: str
    volume: Volume
    mask: Volume | None
    facts: Facts
    patient: str | None


def is_nifti(path: str) -> bool:
    """Whether a file's name says that it is NIfTI."""
    return path.lower().endswith(SUFFIXES)


def labelled_scans(
    root: Path, labels: str | Path | None, label_column: str, on_bad: OnBad | None
) -> Iterator[Scan]:
    """Give the volumes that have a label, by path.

    Raises:
        DataError: As `read_nifti_folder`.
    """
    paths = {
        Path(path).relative_to(root).as_posix(): path
        for path in files_below(root)
        if is_nifti(path)
    }
    images = [place for place in paths if not _is_mask(place)]
    masks = _masks(root, images, [place for place in paths if _is_mask(place)])
    table = _label_table(root, labels, label_column)
    if table is None:
        _check_classes(root, images)
    unlabelled = []
    for place in images:
        facts, patient = _facts(table, place)
        if facts is None:
            unlabelled.append(place)
        elif facts.label is not None:
            try:
                volume, mask = _read(paths[place], paths.get(masks.get(place, "")))
            except BadFileError as error:
                refuse(error, on_bad)
            else:
                yield Scan(place, volume, mask, facts, patient)
    if unlabelled and table:
        _refuse_unlabelled(root, unlabelled, table, on_bad)


def _label_table(root: Path, labels: str | Path | None, column: str) -> LabelTable | None:
    asked = [root / LABELS, root / _PARTICIPANTS] if labels is None else [Path(labels)]
    path = next((path for path in asked if path.is_file()), None)
    if path is None and labels is not None:
        raise DataError(
            f"no {printable(asked[0])}: give a table with the columns file or subject, and {column}"
        )
    return None if path is None else read_labels(path, _LEVELS, column)


def _check_classes(root: Path, images: list[str]) -> None:
    """Refuse folders that are hardly classes."""
    volumes = Counter(Path(place).parts[0] for place in images if "/" in place)
    loose = next((place for place in images if "/" not in place), None)
    strange = next((name for name in volumes if _NO_CLASS.fullmatch(name)), None)
    if loose or strange or (len(volumes) > 2 and max(volumes.values()) == 1):
        fault = printable(loose or strange or "a folder for each volume")
        raise DataError(
            f"no labels for {printable(root)}, which holds {fault}: put volumes into a folder for "
            f"each class, or write {LABELS} with the columns file or subject, and label"
        )


def _facts(table: LabelTable | None, place: str) -> tuple[Facts | None, str | None]:
    """What is known of a volume: its label, and whose it is."""
    bids = _BIDS.search(place)
    subject = bids[1] if bids else None
    if table is None:
        return Facts(Path(place).parts[0], None, None, None), subject
    *folders, name = Path(place).parts
    stem = _stem(name)
    people = [subject, subject.removeprefix("sub-")] if subject else [*reversed(folders), stem]
    keys = [{"file": key} for key in (place, name, _stem(place), stem, *reversed(folders))]
    keys += [{"patient": person} for person in people]
    found = next(((key, facts) for key in keys if (facts := table.of(**key))), None)
    if found is None:
        return None, subject
    key, facts = found
    return facts, facts.patient or subject or key.get("patient")


def _is_mask(place: str) -> bool:
    return place.lower().startswith(_MASKS) or bool(_MASK_NAME.fullmatch(_stem(place)))


def _stem(place: str) -> str:
    return re.sub(r"\.nii(\.gz)?$", "", place, flags=re.IGNORECASE)


def _masks(root: Path, images: list[str], masks: list[str]) -> dict[str, str]:
    """Place of the mask of each image that has one."""
    owned = {}
    for mask in masks:
        mirrored = mask.lower().startswith(_MASKS)
        name = _stem(mask[len(_MASKS) :] if mirrored else mask)
        owned[name if mirrored else _MASK_NAME.sub(r"\1", name)] = mask
    found = {}
    for image in images:
        stem = _stem(image)
        if own := owned.get(stem) or owned.get(_LAST_PART.sub("", stem)):
            found[image] = own
    if strays := sorted(set(masks) - set(found.values())):
        raise DataError(
            f"{len(strays)} of {len(masks)} mask volumes in {printable(root)} belong to no image, "
            f"the first is {printable(strays[0])}: name each NAME_mask or NAME_seg after its "
            f"image NAME, or give it its image's path below {_MASKS}; two for one image are none"
        )
    return found


def _read(image: str, mask: str | None) -> tuple[Volume, Volume | None]:
    """Headers of an image and its mask.

    Raises:
        BadFileError: One of them, or if they lie on different grids.
    """
    volume = read_volume(image)
    if mask is None:
        return volume, None
    marked = read_volume(mask)
    voxel = np.linalg.norm(volume.affine[:3, :3], axis=0).min()
    apart = np.abs(marked.affine - volume.affine).max() / voxel
    if marked.shape != volume.shape or apart > _OTHER_GRID:
        raise BadFileError(
            mask,
            f"is not on the grid of its image: {_grid(marked)}, the image {_grid(volume)}; "
            "resample it to the image",
        )
    return volume, marked


def _grid(volume: Volume) -> str:
    shape = "×".join(map(str, volume.shape))
    rows = np.array2string(volume.affine[:3], precision=4, suppress_small=True)
    return f"{shape} voxels with affine {' '.join(rows.split())}"


def _refuse_unlabelled(
    root: Path, places: list[str], table: LabelTable, on_bad: OnBad | None
) -> None:
    if on_bad is None:
        raise DataError(
            f"{len(places)} volumes have no label, the first is {printable(root / places[0])}: add "
            f"their {table.column} to {table.name}, with an empty label to leave them out"
        )
    for place in places:
        on_bad(str(root / place), f"has no label: {table.name} does not list its {table.column}")
