"""GVCO beside other optimisers and its own ablations, on two small tasks.

Each optimiser's learning rate is chosen on tuning seeds by the best validation loss; then it trains
from the final seeds. All see the same initial weights, batches and noise draws. Finished runs are
appended to the CSV files and skipped when the script is called again.

    python benchmarks/gvco.py --data FOLDER     # holds brain_tumor_kaggle/ and cheng2015/
    python benchmarks/gvco.py --tables          # writes the tables of docs/gvco.md from the files
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import pandas as pd
import torch
from _gvco_tables import write_tables
from _gvco_tasks import SETS, Task, load_task, train
from pytorch_optimizer import AdaBelief
from torch.optim import SGD, Adam, AdamW, Optimizer

from medqnn.training.gvco import GVCO

RESULTS = Path(__file__).parents[1] / "docs" / "results"
TUNING, FINAL = RESULTS / "gvco_tuning.csv", RESULTS / "gvco_epochs.csv"
TRIED = RESULTS / "gvco_alternatives.csv"
SIZES = {"train": 600, "val": 400, "test": 600}
EPOCHS = {"hqcnn-gvco": 12, "hqcm-ebtc": 10}
Key = tuple[str, str, str, float, int]
RUN = ["system", "gradients", "optimizer", "learning_rate", "seed"]
SCORES = ["epoch", "seconds", "train_loss", "val_loss", "val_accuracy", "test_accuracy"]
LOST = 9.0  # loss of a run that diverged

Make = Callable[..., Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "SGD, momentum 0.9": partial(SGD, momentum=0.9),
    "Adam": Adam,
    "AdamW": AdamW,
    "AdaBelief": AdaBelief,
    "GVCO": GVCO,
    "GVCO, momentum fixed": partial(GVCO, momentum_min=0.75, momentum_max=0.75),
    "GVCO, learning rate fixed": partial(GVCO, rate_floor=1.0),
    "GVCO, no clipping": partial(GVCO, clip=math.inf),
}
RATES = (0.001, 0.003, 0.01, 0.03)
SGD_RATES = (0.01, 0.03, 0.1, 0.3)
GRADIENTS = {"exact": None, "1 shot": 1}
ADDED = ("hqcnn-gvco", "1 shot", "GVCO at 0.01, added later", 0.01)
"""What was run once the results were known: the rate that tuning found there is too large."""

TUNING_SEEDS, FINAL_SEEDS = (100, 101), (0, 1, 2, 3, 4)


def rates(optimizer: str) -> tuple[float, ...]:
    return SGD_RATES if optimizer.startswith("SGD") else RATES


def finished(path: Path) -> pd.DataFrame:
    return pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=RUN)


def proceed(
    path: Path, task: Task, keys: list[Key], make: Make, epochs: int, *, whole: bool
) -> None:
    """Do the runs that a CSV file lacks.

    Args:
        path: The file.
        task: System and images of all the runs.
        keys: System, gradients, optimiser, learning rate and seed of each run.
        make: Makes the optimiser from parameters and ``lr``.
        epochs: How many.
        whole: Whether to keep every epoch or, with the last training loss, only the best.
    """
    done = set(finished(path)[RUN].itertuples(index=False, name=None))
    for key in keys:
        if key in done:
            continue
        _, gradients, _, rate, seed = key
        history = train(task, partial(make, lr=rate), seed, GRADIENTS[gradients], epochs)
        rows = pd.DataFrame(history or [{"epoch": 0, "train_loss": LOST, "val_loss": LOST}])
        if not whole:
            rows["train_loss"] = rows["train_loss"].iloc[-1] if len(history) == epochs else LOST
            rows = rows.loc[[rows["val_loss"].idxmin()]]
        rows = rows.reindex(columns=SCORES)
        for place, (name, value) in enumerate(zip(RUN, key, strict=True)):
            rows.insert(place, name, value)
        rows.round(4).to_csv(path, mode="a", header=not path.is_file(), index=False)
        print(*key, rows.iloc[-1][SCORES].to_dict(), flush=True)


def chosen(system: str, gradients: str, optimizer: str) -> float:
    """The rate of least validation loss, averaged over the tuning seeds."""
    tuned = finished(TUNING).set_index(["system", "gradients", "optimizer"])
    means = tuned.loc[[(system, gradients, optimizer)]].groupby("learning_rate")["val_loss"].mean()
    return float(means.idxmin())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with both data sets")
    parser.add_argument("--tables", action="store_true", help="write docs/gvco.md's tables")
    options = parser.parse_args()
    if options.data:
        torch.set_num_threads(1)
        RESULTS.mkdir(exist_ok=True)
        tasks = {system: load_task(system, options.data, SIZES) for system in SETS}
        for name, system, gradients in product(OPTIMIZERS, SETS, GRADIENTS):
            case = (system, gradients, name)
            make, epochs = OPTIMIZERS[name], EPOCHS[system]
            work = partial(proceed, task=tasks[system], make=make, epochs=epochs)
            tuning = [(*case, rate, seed) for seed in TUNING_SEEDS for rate in rates(name)]
            work(TUNING, keys=tuning, whole=False)
            best = chosen(*case)
            work(FINAL, keys=[(*case, best, seed) for seed in FINAL_SEEDS], whole=True)
        system = ADDED[0]
        added = [(*ADDED, seed) for seed in FINAL_SEEDS]
        proceed(FINAL, tasks[system], added, GVCO, EPOCHS[system], whole=True)
    if options.tables:
        write_tables(finished(FINAL), finished(TUNING), finished(TRIED))


if __name__ == "__main__":
    main()
