"""What maps cost beside the plain prediction: HQCM-EBTC at the size of its recipe.

Attention, Grad-CAM and the prediction take turns on the same batch of random images, so that a
drift of the machine hits all alike. Integrated gradients and occlusion, which need many passes,
are measured on a few of them, for information. Weights are random: the work is the same. Times are
the processor's, which a busy machine lengthens less.

    python benchmarks/explain.py --json explain.json
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from medqnn.explain.methods import METHODS
from medqnn.training import recipe as recipes
from medqnn.training.fit import build_model

CLASSES = 4
GOAL = 3.0  # attention and Grad-CAM together, over the prediction


def random_images(count: int, size: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(count, 1, size, size, generator=generator)
    return pixels.contiguous(memory_format=torch.channels_last)


def predict(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(images).logits
    return logits


def seconds(work: Callable[..., Tensor], model: nn.Module, images: Tensor) -> float:
    """Processor seconds an image."""
    targets = torch.arange(len(images)) % CLASSES
    start = time.process_time()
    work(model, images, targets)
    return (time.process_time() - start) / len(images)


def measure(model: nn.Module, options: argparse.Namespace) -> dict[str, list[float]]:
    """Processor seconds an image: of the quick ones each batch, in turn; of the slow a few."""
    quick = {"prediction": predict, **{name: METHODS[name] for name in ("attention", "grad-cam")}}
    slow = {name: METHODS[name] for name in ("integrated gradients", "occlusion")}
    spent: dict[str, list[float]] = {name: [] for name in (*quick, *slow)}
    batch = random_images(options.batch, options.image_size)
    for work in quick.values():
        seconds(work, model, batch)  # warms up
    for number in range(-(-options.images // options.batch)):
        names = list(quick)[:: 1 if number % 2 else -1]
        for name in names:
            spent[name].append(seconds(quick[name], model, batch))
    for name, work in slow.items():
        spent[name].append(seconds(work, model, batch[: options.few]))
    return spent


def show(medians: dict[str, float], ratio: float, options: argparse.Namespace) -> None:
    table = Table(
        title=f"{options.variant}, {options.images} images of {options.image_size}×"
        f"{options.image_size} in batches of {options.batch}, {torch.get_num_threads()} threads"
    )
    for column in ("", "processor ms an image", "over prediction"):
        table.add_column(column, justify="right")
    for name, median in medians.items():
        table.add_row(name, f"{1e3 * median:.1f}", f"{median / medians['prediction']:.2f}")
    Console().print(table)
    print(f"attention and Grad-CAM: {ratio:.2f} times the prediction (goal: {GOAL:.0f} at most)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--few", type=int, default=4, help="images of the slow methods")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--variant", default="hybrid")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    recipe = recipes.load("hqcm-ebtc", (f"data.image_size={options.image_size}",))
    model = build_model(recipe, options.variant, CLASSES).eval().requires_grad_(False)
    model.to(memory_format=torch.channels_last)
    spent = measure(model, options)
    medians = {name: statistics.median(values) for name, values in spent.items()}
    rounds = zip(*(spent[name] for name in ("prediction", "attention", "grad-cam")), strict=True)
    ratio = statistics.median((attention + cam) / plain for plain, attention, cam in rounds)
    show(medians, ratio, options)
    if options.json:
        facts = {"seconds": spent, "ratio": ratio, **vars(options), "json": None}
        options.json.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
