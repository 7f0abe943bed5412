"""What an epoch of HQCM-EBTC costs beside an epoch of its twins.

Training steps of all variants take turns on the same batch of random images, so that a drift of the
machine hits all alike; the ratio of medians is that of epochs.

    python benchmarks/epoch.py --precision bf16-mixed
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from medqnn.layers import VARIANTS
from medqnn.training import recipe as recipes
from medqnn.training.batches import Batch
from medqnn.training.fit import build_model
from medqnn.training.module import ClassifierModule

CLASSES = 4


def random_batch(size: int, images: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(images, 1, size, size, generator=generator)
    masks = (torch.rand(images, 1, size, size, generator=generator) > 0.95).float()
    labels = torch.randint(CLASSES, (images,), generator=generator)
    annotated = torch.ones(images, dtype=torch.bool)
    return Batch(pixels.contiguous(memory_format=torch.channels_last), masks, annotated, labels)


class Step:
    """One variant's training step: forward, loss, backward, clipping, optimiser."""

    def __init__(self, variant: str, recipe: recipes.Recipe, precision: str) -> None:
        model = build_model(recipe, variant, CLASSES)
        self.module = ClassifierModule(model, recipe, torch.ones(CLASSES))
        self.optimizer = self.module.configure_optimizers()
        self.half = precision == "bf16-mixed"

    def __call__(self, batch: Batch) -> float:
        """Take a step and give the seconds it took."""
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.half):
            losses, _ = self.module.losses(batch)
        self.optimizer.zero_grad()
        losses.total.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimizer.step()
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed"), default="32-true")
    parser.add_argument(
        "--variants", nargs="+", choices=list(VARIANTS), default=["hybrid", "dense"]
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    recipe = recipes.load("hqcm-ebtc", (f"data.image_size={options.image_size}",))
    batch = random_batch(options.image_size, recipe.training.batch_size)
    steps = {name: Step(name, recipe, options.precision) for name in options.variants}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(options.rounds + 2):
        for name, step in steps.items():
            spent = step(batch)
            if number >= 2:  # the first two rounds warm up
                seconds[name].append(spent)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    show(medians, recipe.training.batch_size, options)
    if options.json:
        options.json.write_text(json.dumps({"seconds": seconds, **vars(options) | {"json": None}}))


def show(medians: dict[str, float], images: int, options: argparse.Namespace) -> None:
    first = next(iter(medians))
    table = Table(
        title=f"{options.image_size}×{options.image_size}, batch {images}, {options.precision}, "
        f"{torch.get_num_threads()} threads"
    )
    for column in ("variant", "ms a step", "images a second", f"time over {first}"):
        table.add_column(column, justify="right")
    for name, median in medians.items():
        ratio = median / medians[first]
        table.add_row(name, f"{1e3 * median:.0f}", f"{images / median:.1f}", f"{ratio:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
