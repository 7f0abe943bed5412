"""The two small tasks on which optimisers are compared, and one training run on them.

Reduced, so that a run takes seconds: 32×32 pixels, some hundred images, no augmentation, no
schedule of the learning rate, no averaging of weights; the rest is the recipe's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _shot_noise import shot_noise
from torch import Tensor
from torch.optim import Optimizer

from medqnn.training.batches import Batch, Images, split_evenly
from medqnn.training.fit import build_model
from medqnn.training.inputs import load_inputs
from medqnn.training.module import ClassifierModule
from medqnn.training.recipe import load
from medqnn.training.sections import Recipe

Make = Callable[[Iterable[Tensor]], Optimizer]

SETS = {
    "hqcnn-gvco": ("data.image_size=32",),
    "hqcm-ebtc": (
        *("data.image_size=32", "model.widths=[8,8,8]", "model.kernels=[3,3,3]"),
        *("data.split.by=fold", "data.split.test_folds=[4]", "data.split.val_folds=[3]"),
    ),
}
FOLDER = {"hqcnn-gvco": "brain_tumor_kaggle", "hqcm-ebtc": "cheng2015"}
BATCH = 32


@dataclass(frozen=True)
class Task:
    """A system with its images, each part one batch."""

    recipe: Recipe
    classes: int
    parts: dict[str, Batch]


def load_task(system: str, data: Path, sizes: dict[str, int]) -> Task:
    """Draw the task's images, the same at each call.

    Args:
        system: Name of its recipe.
        data: Folder that holds the data sets' folders.
        sizes: Images of each part.
    """
    recipe = load(system, SETS[system])
    inputs = load_inputs(recipe, str(data / FOLDER[system]))
    images, random = Images(inputs.decoded, inputs.labels), np.random.default_rng(0)
    parts = {
        part: images[random.permutation(inputs.rows(part))[:count].tolist()]
        for part, count in sizes.items()
    }
    return Task(inputs.recipe, len(inputs.classes), parts)


def train(
    task: Task, make: Make, seed: int, shots: int | None, epochs: int
) -> list[dict[str, float]]:
    """Train from the seed's weights on the seed's batches, and score every epoch.

    Args:
        task: System and images.
        make: Makes the optimiser from the parameters.
        seed: Decides initial weights, batches and noise.
        shots: Shots of each measured gradient; None for exact gradients.
        epochs: How many.

    Returns:
        For each epoch: mean training loss, cross-entropy and accuracy on the validation images, and
        on the test images, if there are any, where validation was best so far; the epochs before
        the one that diverged, if one did.
    """
    recipe = task.recipe.model_copy(update={"seed": seed})
    model = build_model(recipe, "hybrid", task.classes)
    module = ClassifierModule(model, recipe, task.classes)
    optimizer = make(module.parameters())
    random = np.random.default_rng(seed)
    history, least = [], math.inf
    with shot_noise(module, shots, seed):
        for number in range(epochs):
            start = time.perf_counter()
            loss = _epoch(module, optimizer, task.parts["train"], random)
            seconds = time.perf_counter() - start
            row = {"epoch": number + 1, "seconds": seconds, "train_loss": loss}
            row |= _scores(module, "val", task)
            if not all(map(math.isfinite, row.values())):
                break
            if "test" in task.parts and row["val_loss"] < least:
                least = row["val_loss"]
                row |= _scores(module, "test", task)
            history.append(row)
    return history


def _epoch(
    module: ClassifierModule, optimizer: Optimizer, images: Batch, random: np.random.Generator
) -> float:
    module.train()
    total = 0.0
    for rows in split_evenly(random.permutation(len(images.labels)), BATCH):
        optimizer.zero_grad()
        loss = module.losses(_take(images, rows))[0].total
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), module.recipe.training.gradient_clip)
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images.labels)


def _take(images: Batch, rows: np.ndarray) -> Batch:
    taken = Batch(*(tensor[torch.from_numpy(rows)] for tensor in images))
    return taken._replace(images=taken.images.contiguous(memory_format=torch.channels_last))


@torch.no_grad()
def _scores(module: ClassifierModule, part: str, task: Task) -> dict[str, float]:
    module.eval()
    images = task.parts[part]
    losses, logits = module.losses(images)
    right = (logits.argmax(1) == images.labels).float().mean().item()
    return {f"{part}_loss": losses.classification.item(), f"{part}_accuracy": right}
