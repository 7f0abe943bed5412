"""What a study costs beside bare training: its runs an hour, and its share of the time.

Trains the same runs twice: by a loop that calls `fit`, and by a study of one worker, which also
predicts, scores and writes every run down. Both on one thread, the data loaded; the first run of
each, which warms up, is not timed. Seconds beside the epochs, a run, are what is compared: epochs
vary by more than a study costs.

    python benchmarks/study.py --data bloodmnist.npz --seeds 2 --set training.epochs=5
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from medqnn.study import plan
from medqnn.study.folder import SHARED, Cell, StudyFolder
from medqnn.study.jobs import TrainCell, cell_recipe, fold_data
from medqnn.study.launch import launch
from medqnn.study.local import LocalCrew
from medqnn.training import recipe as recipes
from medqnn.training.fit import fit


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        study = _begin(options, Path(folder) / "study")
        first, *cells = study.plan().cells(SHARED)
        _fit(study, first, Path(folder) / first.name)
        bare = _timed(lambda: [_fit(study, cell, Path(folder) / cell.name) for cell in cells])
        crew = LocalCrew(1)
        launch(study, [TrainCell(first)], crew)
        whole = _timed(lambda: launch(study, [TrainCell(cell) for cell in cells], crew))
        crew.close()
        histories = (
            [Path(folder) / cell.name / "history.csv" for cell in cells],
            [TrainCell(cell).history(study) for cell in cells],
        )
        beside = [
            (seconds - sum(pd.read_csv(path)["seconds"].sum() for path in paths)) / len(cells)
            for seconds, paths in zip((bare, whole), histories, strict=True)
        ]
    figures = {
        "system": options.system,
        "data": Path(options.data).stem,
        "runs": len(cells),
        "bare_seconds": round(bare, 2),
        "study_seconds": round(whole, 2),
        "bare_beside_epochs": round(beside[0], 3),
        "study_beside_epochs": round(beside[1], 3),
        "overhead": round((beside[1] - beside[0]) * len(cells) / bare, 4),
        "runs_an_hour_a_core": round(3600 * len(cells) / whole, 1),
    }
    for name, value in figures.items():
        print(f"{name:32} {value}")
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


def _begin(options: argparse.Namespace, path: Path) -> StudyFolder:
    sets = ("variants=[hybrid,dense]", *options.set)
    recipe = recipes.load(options.system, sets)
    return plan.start(recipe, options.data, path, seeds=options.seeds, margin=0.02, allow_leak=True)


def _fit(study: StudyFolder, cell: Cell, folder: Path) -> None:
    inputs, _ = fold_data(study.path, cell.fold)
    recipe = cell_recipe(study, cell)
    folder.mkdir()
    fit(recipe, cell.variant, replace(inputs, recipe=recipe), folder, bar=False)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", default="hqcnn-medmnist")
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--json")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
