"""What each part of hqcm-ebtc-plus is worth: one thing undone at a time.

python benchmarks/attention_ablation.py cheng2015 --out runs/ablation
python benchmarks/attention_ablation.py cheng2015 --out runs/ablation --only "batches of 64"

Folds 1 to 3 train, fold 4 tests, one seed, fewer epochs than the recipe. What is done already is
not done again. Writes docs/results/attention_ablation.csv, which `make results` takes up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from medqnn.training import recipe as recipes
from medqnn.training.folder import RunFolder
from medqnn.training.plan import start
from medqnn.training.run import proceed

TABLE = Path(__file__).parents[1] / "docs" / "results" / "attention_ablation.csv"
EPOCHS = 15
ALWAYS = (
    "variants=[hybrid]",
    "data.split.test_folds=[4]",
    f"training.epochs={EPOCHS}",
    "training.precision=bf16-mixed",
)
UNDONE: dict[str, tuple[str, ...]] = {
    "the recipe": (),
    "no quantum layer": ("variants=[none]",),
    "attention of 16×16": ("model.attention_stage=3",),
    "classes from the whole image": ("model.attended_pooling=false",),
    "attention not trained": ("loss.attention.weight=0",),
    "attention weight 1": ("loss.attention.weight=1",),
    "entropy of the map itself": ("loss.attention.temperature=1",),
    "stronger augmentation": (
        "data.augmentation.rotation_degrees=30",
        "data.augmentation.zoom=0.2",
        "data.augmentation.shift=0.05",
        "data.augmentation.gamma=0.6",
    ),
    "batches of 64": ("training.batch_size=64",),
    "constant learning rate": ("training.cosine_decay=false",),
    "no label smoothing": ("loss.label_smoothing=0",),
}


def main(
    data: Annotated[str, typer.Argument(help="Cheng 2015 with its folds.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs.")],
    only: Annotated[list[str] | None, typer.Option(help="Name of a row; may be repeated.")] = None,
) -> None:
    """Train what is lacking, then write and print the table."""
    for name in only or UNDONE:
        folder = RunFolder(out / name.replace(" ", "-"))
        if not folder.path.is_dir():
            start(recipes.load("hqcm-ebtc-plus", (*ALWAYS, *UNDONE[name])), data, folder.path)
        if folder.facts()["status"] != "complete":
            proceed(folder, announce=lambda variant, name=name: print(f"{name}: {variant}"))
    done = [name for name in UNDONE if _complete(out / name.replace(" ", "-"))]
    table = pd.DataFrame([_row(name, out / name.replace(" ", "-")) for name in done])
    table.round(5).to_csv(TABLE, index=False)
    print(table.to_string(index=False))


def _complete(path: Path) -> bool:
    return path.is_dir() and RunFolder(path).facts()["status"] == "complete"


def _row(name: str, path: Path) -> dict[str, Any]:
    folder = RunFolder(path)
    (variant,) = folder.facts()["variants"]
    metrics = folder.read_json(f"{variant}/metrics.json")
    accuracy = metrics["scores"]["accuracy"]
    located = {column: value["estimate"] for column, value in metrics["localisation"].items()}
    return {
        "change": name,
        "parameters": metrics["parameters"],
        "accuracy": accuracy["estimate"],
        "accuracy_low": accuracy["low"],
        "accuracy_high": accuracy["high"],
        "macro_f1": metrics["scores"]["macro_f1"]["estimate"],
        **located,
        "epochs": metrics["epochs"],
        "seconds_per_epoch": metrics["seconds_per_epoch"],
    }


if __name__ == "__main__":
    typer.run(main)
