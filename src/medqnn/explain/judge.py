"""Scores of the maps of a batch of images: every network, every method, every check."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from medqnn.evaluation.pointing import pointing
from medqnn.explain.faithfulness import Curves, area, curves, ranks_of
from medqnn.explain.methods import METHODS, methods_of, targets_of
from medqnn.explain.no_network import NO_NETWORK, RANDOM, blind_maps, usual_place
from medqnn.explain.sanity import STAGES, rank_correlation, redrawn
from medqnn.explain.stability import stability
from medqnn.training.batches import Images
from medqnn.training.trained import Trained

FAST = ("attention", "grad-cam")  # methods that take hardly longer than an answer

Key = tuple[str, str]  # variant, method
Maps = dict[str, np.ndarray]  # by method, (n, H, W)


class Depth(IntEnum):
    """How much is asked of an image's maps."""

    MASKS = 0  # of fast methods, how they lie on the mask
    CURVES = 1  # of all methods that, and deletion and insertion
    CHECKS = 2  # and whether they change with the weights and with noise


class Judged(NamedTuple):
    """What was found of a batch.

    Attributes:
        table: A row an image, variant and method; see `scores.score`.
        curves: Deletion and insertion by variant and method.
    """

    table: pd.DataFrame
    curves: dict[Key, Curves]


class Judge:
    """Scores batches of a run's images.

    Args:
        trained: The run.
        seed: Of all that is drawn at random.
    """

    def __init__(self, trained: Trained, seed: int) -> None:
        self.inputs, self.models, self.seed = trained.inputs, trained.models, seed
        self.source = Images(trained.inputs.decoded, trained.inputs.labels)
        recipe, classes = trained.inputs.recipe, len(trained.inputs.classes)
        self.redrawn = {
            name: redrawn(model, recipe, name, classes, seed)
            for name, model in trained.models.items()
        }
        self.usual = usual_place(trained.inputs)

    def __call__(self, rows: np.ndarray, depth: Depth) -> Judged:
        """Judge the maps of images, int64 row numbers."""
        batch, table = self.source[rows.tolist()], self.inputs.table.rows.iloc[rows]
        ids, masks = table["id"].tolist(), batch.masks[:, 0].numpy() > 0
        blind = blind_maps(self.usual, ids, masks.shape[-1], self.seed)
        scored = {(NO_NETWORK, name): self._on_mask(maps, masks) for name, maps in blind.items()}
        every: dict[Key, Curves] = {}
        for variant, model in self.models.items():
            with torch.no_grad():
                targets = targets_of(model(batch.images).logits)
            maps = self._maps(model, batch.images, targets, depth)
            own = {name: self._on_mask(maps[name], masks) for name in maps}
            if depth >= Depth.CURVES:
                found = self._curves(model, batch.images, targets, maps | _only(blind, RANDOM), ids)
                own[RANDOM] = {}
                _add_areas(own, found)
                every |= {(variant, name): pair for name, pair in found.items()}
            if depth >= Depth.CHECKS:
                for name in maps:
                    own[name] |= self._checks(variant, name, batch.images, targets, maps[name], ids)
            scored |= {(variant, name): columns for name, columns in own.items()}
        who = table[["id", "patient"]].reset_index(drop=True)
        return Judged(pd.concat([_frame(who, *one) for one in scored.items()]), every)

    def _maps(self, model: nn.Module, images: Tensor, targets: Tensor, depth: Depth) -> Maps:
        names = [name for name in methods_of(model) if depth > Depth.MASKS or name in FAST]
        return {name: METHODS[name](model, images, targets).numpy() for name in names}

    def _on_mask(self, maps: np.ndarray, masks: np.ndarray) -> dict[str, np.ndarray]:
        """Of images that show a tumour; NaN of the others, no columns without any."""
        shown = masks.any(axis=(1, 2))
        if not shown.any():
            return {}
        levels = self.inputs.recipe.evaluation.thresholds
        found = pointing(maps[shown], masks[shown], levels, levels).set_axis(np.flatnonzero(shown))
        every = found.reindex(range(len(masks)))
        return {str(name): every[name].to_numpy() for name in every}

    def _curves(
        self, model: nn.Module, images: Tensor, targets: Tensor, maps: Maps, ids: list[str]
    ) -> dict[str, Curves]:
        several = self.inputs.table.multilabel
        return {
            name: curves(model, images, ranks_of(own, ids, self.seed), targets, several)
            for name, own in maps.items()
        }

    def _checks(
        self,
        variant: str,
        name: str,
        images: Tensor,
        targets: Tensor,
        maps: np.ndarray,
        ids: list[str],
    ) -> dict[str, np.ndarray]:
        method, others = METHODS[name], self.redrawn[variant]
        found = {}
        for stage in STAGES:
            again = method(others[stage], images, targets).numpy()
            found[f"sanity_{stage}"] = np.abs(rank_correlation(maps, again))
        model = self.models[variant]
        found["stability"] = stability(method, model, images, targets, maps, ids, self.seed)
        return found


def _only(maps: Maps, name: str) -> Maps:
    return {name: maps[name]}


def _add_areas(own: dict[str, dict[str, np.ndarray]], found: dict[str, Curves]) -> None:
    """Areas below the curves, and by how much they are better than in a random order."""
    areas = {name: [area(curve) for curve in pair] for name, pair in found.items()}
    chance = areas[RANDOM]
    for name, (deletion, insertion) in areas.items():
        own[name] |= {"deletion": deletion, "insertion": insertion}
        if name != RANDOM:
            own[name] |= {
                "deletion_gain": chance[0] - deletion,
                "insertion_gain": insertion - chance[1],
            }


def _frame(who: pd.DataFrame, key: Key, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    variant, method = key
    return who.assign(variant=variant, method=method, **columns)
