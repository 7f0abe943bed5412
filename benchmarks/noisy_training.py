"""Whether training under a device's noise helps on that device.

HQCNN-MedMNIST is trained plainly and under the noise of each device, hybrid beside the dense twin,
on a split that parts no copies. With --head, head and classifier of a finished run of HQCM-EBTC
are trained anew on the features that its frozen network gives, in the same ways. Every network is
then measured exactly, on each device, with and without mitigation, and by shots, on test images.
Runs are kept in --out and not made twice.

Run: python benchmarks/noisy_training.py BREASTMNIST --out DIR [--head RUN] [--seeds 5]
     [--epochs N] [--allow-leak] [--csv docs/results/noise.csv]
"""

from __future__ import annotations

import argparse
import copy
import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _under_noise import UnderNoise
from rich.console import Console
from torch import Tensor, nn

from medqnn.evaluation.metrics import commonest_answer
from medqnn.layers.twins import HYBRID
from medqnn.study.folds import make_splits, split_file
from medqnn.training.batches import Images, split_evenly
from medqnn.training.fit import as_trained, build_model
from medqnn.training.folder import RunFolder
from medqnn.training.inputs import load_inputs
from medqnn.training.losses import class_weights, classification_loss
from medqnn.training.plan import start
from medqnn.training.predict import BATCH_SIZE
from medqnn.training.recipe import changed, load
from medqnn.training.run import proceed
from medqnn.training.sections import Recipe
from medqnn.training.trained import Trained, load_trained
from medqnn.under_noise.measure import Network, measure
from medqnn.under_noise.results import is_measured, measure_run, read_results
from medqnn.under_noise.settings import Devices, devices
from medqnn.under_noise.summary import table

PROFILES = ("ibm-eagle", "ionq-aria")
PLAIN = "plain"
COLUMNS = ["system", "trained", "variant", "seed", "device", "mitigation", "shots"]
COLUMNS += ["accuracy", "auroc", "deviation", "commonest", "images"]
console = Console()


def main() -> None:
    options = _options()
    chosen = devices(PROFILES)
    found = list(whole_networks(options, chosen))
    if options.head:
        found += heads(options, chosen)
    every = pd.concat(found, ignore_index=True)
    every[COLUMNS].round(5).to_csv(options.csv, index=False)
    console.print(UnderNoise(options.csv).networks(), soft_wrap=True)
    console.print(f"written: {options.csv}")


def whole_networks(options: argparse.Namespace, chosen: Devices) -> Iterator[pd.DataFrame]:
    """HQCNN-MedMNIST of every seed, trained in every way."""
    split = None if options.allow_leak else str(_split(options))
    for seed in range(options.seeds):
        for trained in (PLAIN, *PROFILES):
            folder = RunFolder(options.out / f"{trained}-{seed}")
            if not (folder.path / "run.json").is_file():
                recipe = load("hqcnn-medmnist", _overrides(trained, seed, options.epochs))
                console.print(f"training {folder.path.name}")
                start(
                    recipe,
                    str(options.data),
                    folder.path,
                    split_file=split,
                    allow_leak=options.allow_leak,
                )
            with redirect_stdout(io.StringIO()):
                proceed(folder)
            if not is_measured(folder, chosen):
                measure_run(folder, chosen)
            found = read_results(folder)
            floor, images = found.summary["baseline"], found.summary["images"]
            own = found.table.assign(system="hqcnn-medmnist", trained=trained, seed=seed)
            yield own.assign(commonest=floor, images=images)


def _overrides(trained: str, seed: int, epochs: int | None) -> tuple[str, ...]:
    device, variants = ("null", "[hybrid,dense]") if trained == PLAIN else (trained, "[hybrid]")
    own = (f"seed={seed}", f"noise={device}", f"variants={variants}")
    return own if epochs is None else (*own, f"training.epochs={epochs}")


def _split(options: argparse.Namespace) -> Path:
    """A split file whose sides share no copies: the first of five folds is tested on."""
    path: Path = options.out / "split.csv"
    if not path.is_file():
        inputs = load_inputs(load("hqcnn-medmnist"), str(options.data))
        splits = make_splits(inputs, 5)
        path.parent.mkdir(parents=True, exist_ok=True)
        split_file(inputs, splits.parts[0], splits.group).to_csv(path, index=False)
    return path


def heads(options: argparse.Namespace, chosen: Devices) -> Iterator[pd.DataFrame]:
    """Head and classifier of a finished run, trained anew on its features in every way."""
    run = load_trained(RunFolder(options.head))
    recipe = run.inputs.recipe
    for variant in (name for name in (HYBRID, "dense") if name in run.models):
        frozen = Network(run.models[variant])
        read = {part: _features(frozen, run, run.inputs.rows(part)) for part in ("train", "val")}
        for trained in (PLAIN, *PROFILES) if frozen.has_circuits else (PLAIN,):
            for seed in range(options.seeds):
                device = None if trained == PLAIN else trained
                own = changed(recipe, {"seed": seed, "noise": device})
                console.print(f"training the head of {variant}, {trained}, seed {seed}")
                model = _with_new_head(own, variant, run, read, options.epochs)
                rows = run.inputs.rows("test")
                of_one = Trained(run.inputs, {variant: model})
                results = table(of_one, rows, measure(of_one, rows, chosen))
                results = results.assign(system=f"{recipe.system}, head", trained=trained)
                floor = commonest_answer(run.inputs.labels[rows])
                yield results.assign(seed=seed, commonest=floor, images=len(rows))


def _features(network: Network, run: Trained, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """What the head reads of rows, and their labels."""
    source = Images(run.inputs.decoded, run.inputs.labels)
    network.seen.clear()
    for chunk in split_evenly(rows, BATCH_SIZE):
        network.see(source[chunk.tolist()].images)
    return torch.cat(network.seen), torch.from_numpy(run.inputs.labels[rows])


def _with_new_head(
    recipe: Recipe,
    variant: str,
    run: Trained,
    read: dict[str, tuple[Tensor, Tensor]],
    epochs: int | None,
) -> nn.Module:
    """The run's network with head and classifier of the epoch of least validation loss."""
    fresh = build_model(recipe, variant, len(run.inputs.classes))
    parts = [fresh.get_submodule(name) for name in ("head", "classifier")]
    head = nn.Sequential(parts[0], nn.Flatten(), parts[1])
    with as_trained(recipe, head):
        _train(head, recipe, read, epochs or recipe.training.epochs)
    model = copy.deepcopy(run.models[variant])
    model.head, model.classifier = parts
    return model.eval().requires_grad_(False)


def _train(
    head: nn.Module, recipe: Recipe, read: dict[str, tuple[Tensor, Tensor]], epochs: int
) -> None:
    """Train by the recipe's classification loss and learning rate alone; keep the best epoch."""
    spec, (inputs, labels) = recipe.training, read["train"]
    weights = class_weights(labels, int(labels.max()) + 1) if recipe.loss.class_weights else None
    free = [weight for weight in head.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(free, lr=spec.learning_rate, weight_decay=spec.weight_decay)
    best, kept = float("inf"), copy.deepcopy(head.state_dict())
    for _ in range(epochs):
        for batch in torch.randperm(len(labels)).split(spec.batch_size):
            optimizer.zero_grad()
            classification_loss(head(inputs[batch]), labels[batch], weights).backward()
            optimizer.step()
        with torch.no_grad():
            loss = float(classification_loss(head(read["val"][0]), read["val"][1], weights))
        if loss < best:
            best, kept = loss, copy.deepcopy(head.state_dict())
    head.load_state_dict(kept)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="breastmnist.npz")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--head", type=Path, help="a finished run of hqcm-ebtc")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="default: the recipe's")
    parser.add_argument("--allow-leak", action="store_true", help="take the set's own split")
    parser.add_argument("--csv", type=Path, default=Path("docs/results/noise.csv"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
