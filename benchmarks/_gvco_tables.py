"""Tables of docs/gvco.md, made from the CSV files of docs/results."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

PAGE = Path(__file__).parents[1] / "docs" / "gvco.md"
CASE = ["system", "gradients"]


def write_tables(final: pd.DataFrame, tuning: pd.DataFrame, tried: pd.DataFrame) -> None:
    """Replace the tables between the page's markers.

    Args:
        final: A row an epoch of each final run.
        tuning: A row for each run of the search for learning rates.
        tried: A row for each run of the alternatives.
    """
    tables = {"alternatives": alternatives(tried), "rates": sensitivity(tuning)}
    for (system, gradients), runs in final.groupby(CASE):
        tables[f"{system}, {gradients}"] = comparison(runs, target(runs))
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        marked = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not marked.search(page):
            raise SystemExit(f"{PAGE} has no place for the table '{name}'")
        page = marked.sub(lambda match, t=table: f"{match[1]}{t}\n{match[2]}", page)
    PAGE.write_text(page, encoding="utf-8")


def target(epochs: pd.DataFrame) -> float:
    """The training loss to be reached: Adam's mean after two thirds of its epochs."""
    adam = epochs[epochs["optimizer"] == "Adam"]
    late = adam["epoch"] == round(2 / 3 * adam["epoch"].max())
    return round(float(adam.loc[late, "train_loss"].mean()), 2)


def comparison(epochs: pd.DataFrame, target: float) -> str:
    """One system with one kind of gradients: a row an optimiser, GVCO first."""
    runs = pd.DataFrame(
        [
            {"optimizer": name, "seed": seed, **score(one, target)}
            for (name, seed), one in epochs.groupby(["optimizer", "seed"], sort=False)
        ]
    )
    ours = runs[runs["optimizer"] == "GVCO"].set_index("seed")["accuracy"]
    lines = [
        "| optimiser | learning rate | test accuracy, % | GVCO's lead, points "
        f"| least validation loss | last training loss | epochs to {target:g} |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, group in runs.groupby("optimizer", sort=False):
        by_seed = group.set_index("seed")["accuracy"]
        lead = "–" if name == "GVCO" else interval((ours - by_seed).dropna(), 100)
        reached = group["reached"].dropna()
        cells = (
            str(name),
            f"{epochs.loc[epochs['optimizer'] == name, 'learning_rate'].iloc[0]:g}",
            f"{100 * by_seed.mean():.1f} ± {100 * by_seed.std():.1f}",
            lead,
            f"{group['val_loss'].mean():.3f} ± {group['val_loss'].std():.3f}",
            f"{group['train_loss'].mean():.3f} ± {group['train_loss'].std():.3f}",
            f"{reached.mean():.1f}"
            if len(reached) == len(group)
            else f"{len(reached)} of {len(group)}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def score(run: pd.DataFrame, target: float) -> dict[str, float]:
    """What a run amounts to: test accuracy at the epoch of least validation loss, and speed."""
    best = run.loc[run["val_loss"].idxmin()]
    below = run.loc[run["train_loss"] <= target, "epoch"]
    return {
        "accuracy": best["test_accuracy"],
        "val_loss": best["val_loss"],
        "train_loss": run["train_loss"].iloc[-1],
        "reached": below.min() if len(below) else np.nan,
    }


def interval(differences: pd.Series, factor: float) -> str:
    """Mean and 95% t interval over seeds."""
    values = factor * differences.to_numpy()
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.1f} ({values.mean() - half:+.1f} to {values.mean() + half:+.1f})"


def sensitivity(tuning: pd.DataFrame) -> str:
    """Least validation loss by learning rate, averaged over cases, and the worst case."""
    tuning = tuning[~tuning["optimizer"].str.startswith("SGD")]  # it has other rates
    cases = tuning.groupby(["optimizer", "learning_rate", *CASE], sort=False)["val_loss"].mean()
    found = cases.groupby(["optimizer", "learning_rate"], sort=False).agg(["mean", "max"])
    wide = found.unstack("learning_rate")
    rates = wide["mean"].columns
    lines = [
        "| optimiser | " + " | ".join(f"{r:g}" for r in rates) + " |",
        "|---" * (1 + len(rates)) + "|",
    ]
    for name in tuning["optimizer"].unique():
        row = wide.loc[name]
        cells = [f"{row['mean', rate]:.3f} ({row['max', rate]:.3f})" for rate in rates]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def alternatives(tried: pd.DataFrame) -> str:
    """Least validation and training loss of each alternative, at its best rate of those tried."""
    keys = ["optimizer", *CASE]
    tried = tried[tried["seed"].isin(sorted(tried["seed"].unique())[:2])]  # two had more
    means = tried.groupby([*keys, "learning_rate"])[["train_loss", "val_loss"]].mean()
    best = means.groupby(keys).min().unstack(CASE)
    cases = best["val_loss"].columns
    overall = best["val_loss"].mean(axis=1).sort_values()
    lines = [
        "| alternative | " + " | ".join(", ".join(case) for case in cases) + " | mean |",
        "|---" * (len(cases) + 2) + "|",
    ]
    for name in overall.index:
        pairs = [
            (best.loc[name, ("val_loss", *c)], best.loc[name, ("train_loss", *c)]) for c in cases
        ]
        mean = (overall[name], best.loc[name, "train_loss"].mean())
        cells = [f"{val:.3f} / {train:.3f}" for val, train in (*pairs, mean)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
