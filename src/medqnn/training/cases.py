"""What a run keeps for its report to look at single images: attributes, and those it got wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from medqnn.data.attributes import attributes
from medqnn.evaluation.failures import failures
from medqnn.evaluation.predictions import AnyPredictions, Predictions
from medqnn.training.folder import RunFolder, save_arrays
from medqnn.training.inputs import Inputs

ATTRIBUTES = "attributes.csv"
TUMOUR_SIZE = "tumour size, % of the image"
WORST = 12  # pictures of misclassified images kept for each variant

Pixels = Callable[[np.ndarray], dict[str, np.ndarray]]


def attribute_table(inputs: Inputs) -> pd.DataFrame:
    """Id and attributes of the test images, text or numbers.

    Besides the data set's own attributes there is the size of the tumour in per cent of the
    prepared image, if any mask shows one; missing where the image has no mask or an empty one.
    """
    rows = inputs.rows("test")
    images = inputs.table.rows.iloc[rows].reset_index(drop=True)
    table = pd.concat([images["id"], attributes(images)], axis=1)
    size = 100 * (inputs.decoded.masks[rows] > 0).mean(axis=(1, 2))
    if size.any():
        table[TUMOUR_SIZE] = np.where(size > 0, size.round(4), np.nan)
    return table


def read_attributes(folder: RunFolder) -> pd.DataFrame | None:
    """The table as written, cells as text and missing where empty; None if the run has none."""
    path = folder.path / ATTRIBUTES
    if not path.is_file():
        return None
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])


def keep_failures(
    folder: RunFolder, variant: str, predictions: AnyPredictions, pixels: Pixels
) -> None:
    """Write which test images a variant gets wrong, and the pixels of the most confident ones.

    Nothing is written where findings may occur together: an image is then not simply wrong.

    Args:
        folder: the run.
        variant: whose predictions.
        predictions: of the test images.
        pixels: from numbers of test images (k,) to arrays images and masks of them.
    """
    if not isinstance(predictions, Predictions):
        return
    table = failures(predictions)
    folder.write(f"{variant}/failures.csv", lambda file: table.to_csv(file, index=False))
    places = {name: place for place, name in enumerate(predictions.ids)}
    worst = np.array([places[name] for name in table["id"][:WORST]], dtype=np.int64)
    arrays = pixels(worst) | {"ids": predictions.ids[worst]}
    folder.write(f"{variant}/failures.npz", lambda file: save_arrays(file, **arrays))
