"""Which test images a report explains, chosen after scoring: best, median, worst and errors.

Where attention was scored against masks, images are ranked by the Jaccard index of the hybrid's
smallest scored part of the map (its highest 1%, column jaccard@q0.99, unless the recipe says
otherwise); else by how sure the hybrid is. Without a hybrid the first network stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import torch
from torch import nn

from medqnn.errors import RunError
from medqnn.evaluation.failures import failures
from medqnn.evaluation.predictions import AnyPredictions, Predictions, read_predictions
from medqnn.explain.methods import METHODS, methods_of, targets_of
from medqnn.layers.twins import HYBRID
from medqnn.training.assess import jaccard_columns
from medqnn.training.batches import Images, InOrder, loader
from medqnn.training.folder import RunFolder, save_arrays
from medqnn.training.inputs import Inputs
from medqnn.training.plan import pixels
from medqnn.training.predict import BATCH_SIZE
from medqnn.training.trained import Trained

FILE = "cases.npz"
EACH = 3  # images of each group but the errors
MOST_ERRORS = 150  # pictures, so that the page can still be sent by mail
CONFIDENCE = "confidence"


class Cases(NamedTuple):
    """Test images to show, and why.

    Attributes:
        network: by whose scores they were chosen.
        measure: a column of its localisation.csv, or "confidence".
        groups: ids under "best", "median", "worst", or "surest right", "least sure",
            "surest wrong"; the first of each is the most telling.
        errors: ids of what the network gets wrong, the surest answer first, then of what its first
            twin alone gets wrong; 150 at most, none where findings may occur together.
        all_errors: how many there are.
        ids: (m,) str, each image once.
        images: uint8 (m, H, W) or (m, H, W, 3).
        masks: uint8 (m, H, W), 0 where nothing is marked.
        maps: Grad-CAM of the answer, float16 (m, H, W) in [0, 1], of networks without attention.
    """

    network: str
    measure: str
    groups: dict[str, list[str]]
    errors: list[str]
    all_errors: int
    ids: np.ndarray
    images: np.ndarray
    masks: np.ndarray
    maps: dict[str, np.ndarray]


def pair(names: Sequence[str]) -> tuple[str, str | None]:
    """The hybrid, or the first network without one, and the first of the others."""
    network = HYBRID if HYBRID in names else names[0]
    return network, next((name for name in names if name != network), None)


def write_cases(folder: RunFolder, trained: Trained) -> None:
    """Write RUN/cases.npz, whole or not at all.

    Args:
        folder: The run, whose predictions and localisation were written.
        trained: Its data and networks.

    Raises:
        RunError: If the folder cannot be written.
        EvaluationError: If its predictions cannot be read.
    """
    network, twin = pair(list(trained.models))
    shown = [name for name in (network, twin) if name]
    predictions = [read_predictions(folder.path / name / "predictions.csv") for name in shown]
    indices = _indices(folder, network)
    measure, groups = CONFIDENCE, by_confidence(predictions[0])
    if indices is not None:
        measure, groups = str(indices.name), by_overlap(indices)
    wrong = errors(predictions)
    kept = dict.fromkeys(chain(*groups.values(), wrong[:MOST_ERRORS]))
    ids, every = np.array(list(kept), dtype=str), pd.Index(trained.inputs.table.rows["id"])
    rows = every.get_indexer(ids)
    arrays = pixels(trained.inputs, rows) | {"ids": ids, "network": np.array(network)}
    arrays |= {"measure": np.array(measure), "all_errors": np.array(len(wrong))}
    arrays |= {"errors": np.array(wrong[:MOST_ERRORS], dtype=str)}
    arrays |= {f"group/{name}": np.array(own, dtype=str) for name, own in groups.items()}
    for name, model in trained.models.items():
        if "attention" not in methods_of(model):
            arrays[f"map/{name}"] = _grad_cam(model, trained.inputs, rows)
    folder.write(FILE, lambda path: save_arrays(path, **arrays))


def read_cases(folder: RunFolder) -> Cases | None:
    """What `write_cases` wrote; None if it did not.

    Raises:
        RunError: If the file is broken.
    """
    path = folder.path / FILE
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            kept = dict(archive)
        return Cases(
            network=str(kept["network"]),
            measure=str(kept["measure"]),
            groups={name: own.tolist() for name, own in _under(kept, "group/").items()},
            errors=kept["errors"].tolist(),
            all_errors=int(kept["all_errors"]),
            ids=kept["ids"],
            images=kept["images"],
            masks=kept["masks"],
            maps=_under(kept, "map/"),
        )
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise RunError(
            f"{path} is broken ({reason}): delete it and make it again with "
            f"`medqnn explain {folder.path}`"
        ) from error


def by_overlap(indices: pd.Series) -> dict[str, list[str]]:
    """Ids with the highest, middle and lowest Jaccard indices; equals by id.

    Args:
        indices: of at least 3 images, by id.
    """
    ids = indices.sort_index().sort_values(ascending=False, kind="stable").index.tolist()
    each = min(EACH, len(ids) // 3)
    middle = (len(ids) - each) // 2
    return {
        "best": ids[:each],
        "median": ids[middle : middle + each],
        "worst": ids[::-1][:each],
    }


def by_confidence(predictions: AnyPredictions) -> dict[str, list[str]]:
    """Ids of the surest right, the least sure and the surest wrong answers; equals by id.

    An answer is the likeliest class. Of findings it is the likeliest one, right if present, and
    least sure where its probability is nearest to 1/2.
    """
    likeliest, sure = (
        predictions.probabilities.argmax(axis=1),
        predictions.probabilities.max(axis=1),
    )
    if isinstance(predictions, Predictions):
        right, doubt = predictions.correct, -sure
    else:
        right, doubt = predictions.labels[np.arange(len(sure)), likeliest], -np.abs(sure - 0.5)
    table = pd.DataFrame({"right": right, "sure": sure, "doubt": doubt}, index=predictions.ids)

    def first(rows: pd.DataFrame, column: str) -> list[str]:
        ranked = rows.sort_index().sort_values(column, ascending=False, kind="stable")
        ids: list[str] = ranked.index[:EACH].tolist()
        return ids

    return {
        "surest right": first(table[table["right"]], "sure"),
        "least sure": first(table, "doubt"),
        "surest wrong": first(table[~table["right"]], "sure"),
    }


def errors(predictions: Sequence[AnyPredictions]) -> list[str]:
    """Ids that any network gets wrong, the first one's before the others'; none of findings."""
    wrong = [failures(own)["id"] for own in predictions if isinstance(own, Predictions)]
    return list(dict.fromkeys(name for ids in wrong for name in ids))


def _indices(folder: RunFolder, network: str) -> pd.Series | None:
    """Jaccard indices by id; None where too few images were scored to choose from."""
    path = folder.path / network / "localisation.csv"
    if not path.is_file():
        return None
    table = pd.read_csv(path, dtype={"id": str}, keep_default_na=False).set_index("id")
    quantiles = (name for name in jaccard_columns(table) if name.startswith("jaccard@q"))
    column = max(quantiles, default=None)  # the smallest part of the map
    return table[column] if column and len(table) >= 3 else None


def _grad_cam(model: nn.Module, inputs: Inputs, rows: np.ndarray) -> np.ndarray:
    maps = []
    for batch in loader(Images(inputs.decoded, inputs.labels), InOrder(rows, BATCH_SIZE)):
        targets = targets_of(model(batch.images).logits)
        maps.append(METHODS["grad-cam"](model, batch.images, targets))
    return torch.cat(maps).numpy().astype(np.float16)


def _under(arrays: dict[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}
