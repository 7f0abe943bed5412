"""What a run's networks answer on corrupted and attacked test images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from medqnn.data.cache import Progress
from medqnn.evaluation.localisation import jaccard
from medqnn.robustness.attacks import ATTACKS, EPSILONS
from medqnn.robustness.severities import CORRUPTIONS, Corruption, corrupt
from medqnn.training.assess import attention_maps
from medqnn.training.batches import Batch, Images, split_evenly
from medqnn.training.predict import BATCH_SIZE
from medqnn.training.trained import Trained

BY_NAME: dict[str, Corruption] = {one.name: one for one in CORRUPTIONS}


class Setting(NamedTuple):
    """What is done to the images.

    Attributes:
        kind: "clean", "corruption" or "attack".
        name: Of the corruption or attack; "clean".
        severity: From 1; 0 where nothing is done.
        value: In the corruption's measure; an attack's ε.
    """

    kind: str
    name: str
    severity: int
    value: float


CLEAN = Setting("clean", "clean", 0, 0.0)
SETTINGS = (
    CLEAN,
    *(Setting("corruption", c.name, i, v) for c in CORRUPTIONS for i, v in enumerate(c.values, 1)),
    *(Setting("attack", name, i, e) for name in ATTACKS for i, e in enumerate(EPSILONS, 1)),
)


class Answers(NamedTuple):
    """A network's answers on n images under one setting.

    Attributes:
        logits: float64 (n, K).
        jaccard: Jaccard indices by column, float64 (n,), NaN where the mask is empty; no columns
            for a network without attention.
    """

    logits: np.ndarray
    jaccard: dict[str, np.ndarray]


Key = tuple[str, Setting]


def measure(
    trained: Trained,
    rows: np.ndarray,
    seed: int = 0,
    settings: Sequence[Setting] = SETTINGS,
    progress: Progress | None = None,
) -> dict[Key, Answers]:
    """Answers of every network under every setting; all see the same corrupted pixels.

    Args:
        trained: The run.
        rows: Of the images.
        seed: Of the corruptions.
        settings: Which.
        progress: Wraps the work, called with an iterable and its length.
    """
    source = Images(trained.inputs.decoded, trained.inputs.labels)
    ids = trained.inputs.table.rows["id"].to_numpy()
    work = list(product(settings, split_evenly(rows, BATCH_SIZE)))
    parts: dict[Key, list[Answers]] = defaultdict(list)
    for setting, chunk in progress(work, len(work)) if progress else work:
        batch = _changed(source[chunk.tolist()], setting, ids[chunk].tolist(), seed)
        for name, model in trained.models.items():
            seen = batch.images
            if setting.kind == "attack":
                seen = ATTACKS[setting.name](model, seen, batch.labels, setting.value)
            levels = trained.inputs.recipe.evaluation.thresholds
            parts[name, setting].append(_answers(model, seen, batch.masks, levels))
    return {key: _joined(every) for key, every in parts.items()}


def _changed(batch: Batch, setting: Setting, ids: Sequence[str], seed: int) -> Batch:
    if setting.kind != "corruption":
        return batch
    corruption = BY_NAME[setting.name]
    images, masks = corrupt(corruption, setting.value, batch.images, batch.masks, ids, seed)
    return batch._replace(images=images, masks=masks)


def _answers(model: nn.Module, images: Tensor, masks: Tensor, levels: Sequence[float]) -> Answers:
    with torch.inference_mode():
        output = model(images.contiguous(memory_format=torch.channels_last))
    logits = output.logits.double().numpy()
    if output.attention is None:
        return Answers(logits, {})
    attention = output.attention[:, 0].numpy().astype(np.float16)  # as a run keeps it
    return Answers(logits, _overlaps(attention, masks[:, 0].numpy() > 0, levels))


def _overlaps(
    attention: np.ndarray, masks: np.ndarray, levels: Sequence[float]
) -> dict[str, np.ndarray]:
    """Jaccard indices by column, NaN where the mask is empty."""
    table = jaccard(attention_maps(attention, masks.shape[-1]), masks, levels, levels)
    table[~masks.any(axis=(1, 2))] = np.nan
    return {str(column): table[column].to_numpy() for column in table}


def _joined(parts: list[Answers]) -> Answers:
    columns = parts[0].jaccard
    return Answers(
        np.concatenate([part.logits for part in parts]),
        {name: np.concatenate([part.jaccard[name] for part in parts]) for name in columns},
    )
