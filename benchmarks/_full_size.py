"""Tables of single runs at full size for docs/results.md: scores, localisation, faithfulness."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from medqnn.evaluation.evaluate import compare
from medqnn.evaluation.predictions import Predictions, read_predictions
from medqnn.study.leaderboard import as_markdown

ENDS = ("estimate", "low", "high")
ON_MASKS = {
    "jaccard@0.99": "J 0.99",
    "jaccard@0.90": "J 0.90",
    "jaccard@0.75": "J 0.75",
    "jaccard@q0.99": "J top 1 %",
    "best_dice": "best Dice",
    "pointing": "pointing",
    "energy": "energy",
    "average_precision": "precision-recall",
}
ON_ANSWERS = {
    "deletion_gain": "deletion gain",
    "insertion_gain": "insertion gain",
    "sanity_head": "head redrawn",
    "sanity_all": "all redrawn",
    "stability": "under noise",
}


def keep(runs: dict[str, Path], tables: Path) -> None:
    """Write scores, and explanation scores where there are any, of runs on the same test images.

    Args:
        runs: By the name that the page gives them.
        tables: Folder to write to.
    """
    networks = [
        (path, json.loads((path / "run.json").read_text()) | {"system": name})
        for name, path in runs.items()
    ]
    trained = [row for path, facts in networks for row in _trained(path, facts)]
    pd.DataFrame(trained).round(5).to_csv(tables / "full_size.csv", index=False)
    scored = [row for path, facts in networks for row in _explained(path, facts)]
    pd.DataFrame(scored).round(5).to_csv(tables / "explained.csv", index=False)
    pairs = pd.DataFrame(_compared(networks))
    pairs.round(5).to_csv(tables / "full_size_pairs.csv", index=False)


def _trained(path: Path, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for variant in facts["variants"]:
        metrics = json.loads((path / variant / "metrics.json").read_text())
        scores = metrics["scores"] | metrics["localisation"]
        names = ["accuracy", "macro_f1", "auroc", "ece", *metrics["localisation"]]
        found = {f"{name}_{end}": scores[name][end] for name in names for end in ENDS}
        costs = {key: metrics[key] for key in ("parameters", "epochs", "seconds_per_epoch")}
        yield {"system": facts["system"], "variant": variant, **found, **costs}


def _explained(path: Path, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not (path / "explain.json").is_file():
        return
    about = json.loads((path / "explain.json").read_text())
    for variant, methods in about["scores"].items():
        for method, scores in methods.items():
            for score, record in scores.items():
                yield {
                    "system": facts["system"],
                    "variant": variant,
                    "method": method,
                    "score": score,
                    **record,
                }


def _compared(networks: list[tuple[Path, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Every pair of networks, on the same test images."""
    every = [
        (f"{facts['system']} {variant}", read_predictions(path / variant / "predictions.csv"))
        for path, facts in networks
        for variant in facts["variants"]
    ]
    for place, (name, own) in enumerate(every):
        for other, theirs in every[place + 1 :]:
            yield _pair(name, own, other, theirs)


def _pair(a: str, own: Predictions, b: str, theirs: Predictions) -> dict[str, Any]:
    found = compare(own, theirs, a, b)
    difference = found["differences"]["accuracy"]
    return {
        "a": a,
        "b": b,
        "estimate": difference["difference"],
        "low": difference["low"],
        "high": difference["high"],
        "p": found["mcnemar"]["p"],
        "images": found["images"],
    }


class FullSize:
    """What the page says of the runs, from the kept tables alone."""

    def __init__(self, tables: Path) -> None:
        self.runs = pd.read_csv(tables / "full_size.csv")
        self.explained = pd.read_csv(tables / "explained.csv")
        self.pairs = pd.read_csv(tables / "full_size_pairs.csv")
        self.undone = pd.read_csv(tables / "attention_ablation.csv")

    def scores(self) -> str:
        """Accuracy, F1, AUROC, size and cost, in Markdown."""
        rows = [
            {
                "network": f"{run['system']} {run['variant']}",
                "accuracy": _interval(run, "accuracy"),
                "macro F1": f"{run['macro_f1_estimate']:.3f}",
                "AUROC": f"{run['auroc_estimate']:.3f}",
                "calibration error": f"{run['ece_estimate']:.3f}",
                "weights": f"{run['parameters']:,}",
                "epochs": str(run["epochs"]),
                "minutes": f"{run['epochs'] * run['seconds_per_epoch'] / 60:.0f}",
            }
            for run in self.runs.to_dict("records")
        ]
        return as_markdown(pd.DataFrame(rows))

    def attention(self) -> str:
        """Jaccard indices of the trained attention, in Markdown."""
        names = [name.removesuffix("_estimate") for name in self.runs if name.startswith("jaccard")]
        names = [name for name in dict.fromkeys(names) if not name.endswith(("_low", "_high"))]
        rows = [
            {"network": f"{run['system']} {run['variant']}"}
            | {name.removeprefix("jaccard@"): _interval(run, name) for name in names}
            for run in self.runs.to_dict("records")
        ]
        return as_markdown(pd.DataFrame(rows))

    def differences(self) -> str:
        """Accuracy of every pair of networks, in Markdown."""
        rows = [
            {
                "a": pair["a"],
                "b": pair["b"],
                "a − b, points": "{:+.1f} ({:+.1f} to {:+.1f})".format(
                    *(100 * pair[end] for end in ENDS)
                ),
                "McNemar's p": "below 0.0001" if pair["p"] < 1e-4 else f"{pair['p']:.4f}",
            }
            for pair in self.pairs.to_dict("records")
        ]
        return as_markdown(pd.DataFrame(rows))

    def on_masks(self) -> str:
        """How maps lie on tumours, in Markdown."""
        return self._table(ON_MASKS)

    def on_answers(self) -> str:
        """Faithfulness, sanity and stability of maps, in Markdown."""
        return self._table(ON_ANSWERS)

    def ablation(self) -> str:
        """The recipe with one thing undone at a time, in Markdown."""
        first = self.undone.iloc[0]
        rows = [
            {
                "change": run["change"],
                "accuracy": "{:.3f} ({:.3f} to {:.3f})".format(
                    *(run[f"accuracy{end}"] for end in ("", "_low", "_high"))
                ),
                "points": f"{100 * (run['accuracy'] - first['accuracy']):+.1f}",
                **{
                    name.removeprefix("jaccard@"): f"{run[name]:.3f}"
                    for name in self.undone
                    if name.startswith("jaccard@")
                },
            }
            for run in self.undone.to_dict("records")
        ]
        return as_markdown(pd.DataFrame(rows))

    def _table(self, titles: dict[str, str]) -> str:
        own = self.explained[self.explained["score"].isin(titles)]
        keys = ["system", "variant", "method"]
        wide = own.pivot_table("estimate", keys, "score", sort=False)
        text = wide[list(titles)].rename(columns=titles).map("{:.3f}".format).reset_index()
        text.insert(0, "network", text.pop("system") + " " + text.pop("variant"))
        return as_markdown(text)


def _interval(run: dict[str, Any], name: str) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(*(run[f"{name}_{end}"] for end in ENDS))
