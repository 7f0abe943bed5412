"""The features of the test images drawn in a plane by t-SNE (Fig. 8 of the HQCM-EBTC paper).

Features are what the classifier reads, unscaled: distances are those that it sees. A map is made
to look at. Whether classes lie apart is told by `separation`, on the features themselves, with
intervals over patients.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import torch
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import nn

from medqnn.errors import RunError
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.explain.separation import NEIGHBOURS, right_by_neighbours, silhouettes
from medqnn.layers.twins import HYBRID
from medqnn.training.assess import finite
from medqnn.training.batches import Images, InOrder, loader
from medqnn.training.folder import RunFolder, cannot_write, save_arrays
from medqnn.training.inputs import Inputs
from medqnn.training.predict import BATCH_SIZE
from medqnn.training.trained import Trained

ARRAYS, NUMBERS = "embedding.npz", "embedding.json"
PERPLEXITY = 30.0
LIMIT = 2000  # images: the distances of all pairs are held in memory
FEWEST = 4  # images that a map can be made of
LEVEL = 0.95
SILHOUETTE, ON_MAP, BY_NEIGHBOURS = "silhouette", "silhouette on the map", "right by neighbours"


class Embedding(NamedTuple):
    """What `write_embedding` wrote.

    Attributes:
        labels: (n,) int64, the class of each image.
        maps: (n, 2) float32 of each network by its name.
        numbers: embedding.json.
    """

    labels: np.ndarray
    maps: dict[str, np.ndarray]
    numbers: dict[str, Any]


def write_embedding(folder: RunFolder, trained: Trained, seed: int = 42) -> None:
    """Write RUN/embedding.npz and RUN/embedding.json, whole or not at all.

    The arrays are ids and labels (n,), and of each network NAME/features (n, F) and NAME/map
    (n, 2). Nothing is written where findings may occur together, since an image then has no one
    class, or where there are fewer than 4 test images. Of more than 2,000 test images 2,000 are
    drawn.

    Args:
        folder: The run.
        trained: Its data and networks.
        seed: Of t-SNE, and of the draw of images.

    Raises:
        RunError: If the folder cannot be written.
    """
    inputs, rows = trained.inputs, _rows(trained.inputs, seed)
    if inputs.table.multilabel or len(rows) < FEWEST:
        return
    features = {name: features_of(model, inputs, rows) for name, model in trained.models.items()}
    maps = {name: plane(values, seed) for name, values in features.items()}
    arrays = {"ids": inputs.table.rows["id"].to_numpy(str)[rows], "labels": inputs.labels[rows]}
    for name in features:
        arrays |= {f"{name}/features": features[name], f"{name}/map": maps[name]}
    numbers = _numbers(inputs, rows, features, maps) | {"seed": seed}
    try:
        (folder.path / NUMBERS).unlink(missing_ok=True)  # no new map beside old numbers
    except OSError as error:
        raise cannot_write(folder.path, error) from error
    folder.write(ARRAYS, lambda path: save_arrays(path, **arrays))
    folder.write_json(NUMBERS, numbers)


def read_embedding(folder: RunFolder) -> Embedding | None:
    """What `write_embedding` wrote; None if it wrote nothing.

    Raises:
        RunError: If a file is missing or broken.
    """
    if not (folder.path / NUMBERS).is_file():
        return None
    numbers = folder.read_json(NUMBERS)
    try:
        with (folder.path / ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as kept:
            maps = {name: kept[f"{name}/map"] for name in numbers["variants"]}
            return Embedding(kept["labels"], maps, numbers)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise RunError(
            f"{folder.path / ARRAYS} is missing or broken ({reason}): delete {NUMBERS} beside it "
            f"and make both again with `medqnn explain {folder.path}`"
        ) from error


def features_of(model: nn.Module, inputs: Inputs, rows: np.ndarray) -> np.ndarray:
    """What the classifier reads of images: float32 (n, F), in the order of the rows (n,)."""
    images = loader(Images(inputs.decoded, inputs.labels), InOrder(rows, BATCH_SIZE))
    with torch.inference_mode():
        return torch.cat([model(batch.images).features for batch in images]).numpy()


def plane(features: np.ndarray, seed: int) -> np.ndarray:
    """Features (n, F) in a plane by t-SNE (van der Maaten and Hinton 2008): float32 (n, 2).

    Args:
        features: Of at least 4 images.
        seed: Of the optimisation, which starts from the two main components.
    """
    if not np.ptp(features, axis=0).any():  # nothing tells the images apart
        return np.zeros((len(features), 2), np.float32)
    wide = np.pad(features, ((0, 0), (0, max(0, 2 - features.shape[1]))))
    perplexity = perplexity_of(len(features))
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    with threadpool_limits(1):  # several threads wait for each other where cores are shared
        found: np.ndarray = tsne.fit_transform(wide)
    return found.astype(np.float32)


def perplexity_of(images: int) -> float:
    """30, or for few images a third of their number less one."""
    return min(PERPLEXITY, (images - 1) / 3)


def _rows(inputs: Inputs, seed: int) -> np.ndarray:
    """Test rows in order; of too many, so many as are drawn."""
    rows = inputs.rows("test")
    if len(rows) <= LIMIT:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, LIMIT, replace=False))


def _numbers(
    inputs: Inputs,
    rows: np.ndarray,
    features: dict[str, np.ndarray],
    maps: dict[str, np.ndarray],
) -> dict[str, Any]:
    """The separation of each network and the reference's lead over the others, for JSON."""
    known, patients = inputs.table.patients_known, inputs.table.rows["patient"].to_numpy()[rows]
    reference = HYBRID if HYBRID in features else next(iter(features))
    measured = _Separation(features, maps, inputs.labels[rows], patients, inputs.classes)
    spec, seed = inputs.recipe.evaluation, inputs.recipe.seed
    resampled = (patients, spec.resamples, LEVEL, seed)
    ends = cluster_bootstrap(lambda weights: measured.ahead(reference, weights), *resampled)
    records = _records(ends)
    return {
        "images": len(rows),
        "test_images": len(inputs.rows("test")),
        "patients": len(np.unique(patients)),
        "patients_known": known,
        "perplexity": perplexity_of(len(rows)),
        "neighbours": NEIGHBOURS,
        "interval": {
            "level": LEVEL,
            "resamples": spec.resamples,
            "seed": seed,
            "method": f"percentile bootstrap over {'patients' if known else 'images'}",
        },
        "reference": reference,
        "variants": {name: records[name] for name in features},
        "differences": {name: records[f"-{name}"] for name in features if name != reference},
    }


def _records(ends: pd.DataFrame) -> dict[str, dict[str, dict[str, float | None]]]:
    """Estimate and interval by network (or "-network") and measure, for JSON."""
    return {
        owner: {
            str(measure): {str(end): finite(value) for end, value in record.items()}
            for measure, record in ends.loc[owner].to_dict("index").items()
        }
        for owner in ends.index.unique(level=0)
    }


class _Separation:
    """Separation of the classes in the features and maps of every network."""

    def __init__(
        self,
        features: dict[str, np.ndarray],
        maps: dict[str, np.ndarray],
        labels: np.ndarray,
        patients: np.ndarray,
        classes: tuple[str, ...],
    ) -> None:
        self.features = {
            name: silhouettes(values, labels, patients) for name, values in features.items()
        }
        self.maps = {name: silhouettes(values, labels, patients) for name, values in maps.items()}
        self.right = {
            name: right_by_neighbours(values, labels, patients) for name, values in features.items()
        }
        self.of_class = {name: labels == number for number, name in enumerate(classes)}

    def ahead(self, reference: str, weights: np.ndarray) -> pd.DataFrame:
        """R rows; columns (network, measure), and ("-network", measure) by how much it trails."""
        found = {name: self._measures(name, weights) for name in self.features}
        for name in [name for name in found if name != reference]:
            found[f"-{name}"] = found[reference] - found[name]
        return pd.concat(found, axis=1)

    def _measures(self, name: str, weights: np.ndarray) -> pd.DataFrame:
        """R rows of one network; the neighbours stay those of all images."""
        in_features, every = self.features[name](weights), np.ones(weights.shape[1], dtype=bool)
        columns = {
            SILHOUETTE: _mean(in_features, weights, every),
            ON_MAP: _mean(self.maps[name](weights), weights, every),
            BY_NEIGHBOURS: _mean(self.right[name][None], weights, every),
        }
        for label, own in self.of_class.items():
            columns[f"{SILHOUETTE}[{label}]"] = _mean(in_features, weights, own)
        return pd.DataFrame(columns)


def _mean(values: np.ndarray, weights: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Weighted means (R,) of the chosen columns; NaN where they have no weight."""
    own = weights[:, chosen]
    total = own.sum(axis=1)
    mean: np.ndarray = np.divide(
        (values[:, chosen] * own).sum(axis=1), total, out=np.full(len(own), np.nan), where=total > 0
    )
    return mean
