"""Another data set than the one a run was trained on, prepared for its networks."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pandas as pd

from medqnn.data.cache import Progress, decode
from medqnn.data.catalogue import open_table
from medqnn.data.decoding import Skipped
from medqnn.data.scans.pseudonyms import namer
from medqnn.data.table import ImageTable, indicators
from medqnn.errors import DataError, RecipeError
from medqnn.explain.new_images import NewImage, scan_options
from medqnn.training.folder import RunFolder
from medqnn.training.inputs import Inputs, ask
from medqnn.training.run import recipe_of
from medqnn.training.sections import Data, Recipe


def open_set(folder: RunFolder, source: str, progress: Progress | None = None) -> Inputs:
    """Open another data set for a run's networks: its classes, all images in the test part.

    Images that cannot be used are left out, see ``Inputs.skipped``.

    Args:
        folder: A complete run.
        source: See ``data.catalogue.open_table``.
        progress: Wraps the decoding of images.

    Raises:
        DataError: A set that cannot be read, has classes that the run does not know, or is the one
            that the run was trained on.
    """
    data, recipe = folder.require_complete()["data"], recipe_of(folder)
    spec, classes, skipped = recipe.data, tuple(data["classes"]), list[Skipped]()
    table = _open(source, spec, skipped)
    table = _as_asked(table, recipe, classes, bool(data.get("multilabel")))
    form = (spec.image_size, int(spec.channels), spec.scaling)
    decoded = decode(table, *form, progress, skip_bad=True)
    if decoded.fingerprint == data["fingerprint"]:
        raise DataError(
            f"{source} is the data set that the run was trained on: `medqnn explain "
            f"{folder.path}` takes its test images alone; give another by --data"
        )
    table = decoded.kept(table)
    split = pd.Series("test", index=table.rows.index)
    skipped += decoded.skipped
    labels = _labels(table, classes)
    rule = "all of it is new to the run"
    return Inputs(
        recipe, table, data["task"], classes, labels, split, rule, decoded, tuple(skipped)
    )


def chosen(inputs: Inputs, rows: np.ndarray) -> list[NewImage]:
    """Images of a data set by their rows, int64 (k,)."""
    table, decoded = inputs.table.rows.iloc[rows], inputs.decoded
    return [
        NewImage(
            str(name),
            np.array(decoded.images[row]),
            decoded.masks[row] > 0 if decoded.annotated[row] else None,
            str(label),
        )
        for name, label, row in zip(table["id"], table["label"], rows, strict=True)
    ]


def _open(source: str, spec: Data, skipped: list[Skipped]) -> ImageTable:
    name = namer()  # a scan's path may hold the patient's name

    def on_bad(path: str, reason: str) -> None:
        skipped.append(Skipped(name("file", path), reason))

    return open_table(source, image_size=spec.image_size, scans=scan_options(spec), on_bad=on_bad)


def _as_asked(
    table: ImageTable, recipe: Recipe, classes: tuple[str, ...], multilabel: bool
) -> ImageTable:
    """The table with the run's classes as labels."""
    if table.multilabel != multilabel:
        kinds = ("one class an image", "findings that may occur together")
        raise DataError(
            f"{table.name} has {kinds[table.multilabel]}, the run was trained on "
            f"{kinds[multilabel]}: give a set of the same kind"
        )
    if not set(table.classes) <= set(classes):
        with suppress(RecipeError, DataError):  # the classes below say it more simply
            table, _ = ask(table, recipe)
    unknown = [name for name in table.classes if name not in classes]
    if unknown:
        raise DataError(
            f"{table.name} has classes that the run does not know ({', '.join(unknown)}): rename "
            f"them to {', '.join(classes)}"
        )
    return table


def _labels(table: ImageTable, classes: tuple[str, ...]) -> np.ndarray:
    labels = table.rows["label"]
    if table.multilabel:
        shown = indicators(labels, True).reindex(columns=list(classes), fill_value=False)
        return shown.to_numpy(np.float32)
    return np.array(labels.map(classes.index), dtype=np.int64)
