"""Our answers: docs/results.md, made from the tables of docs/results.

python benchmarks/results.py keep STUDIES    # take over the tables of finished studies
python benchmarks/results.py runs NAME=RUN   # take over scores of runs at full size, explained ones
python benchmarks/results.py                 # write docs/results.md
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from _full_size import FullSize
from _full_size import keep as keep_runs
from _under_noise import UnderNoise
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from medqnn.study.leaderboard import as_markdown, as_text, gather, headline

DOCS = Path(__file__).parents[1] / "docs"
TABLES = DOCS / "results"
RUN = ["run", "recipe", "variant", "fold", "seed", "status", "parameters", "epochs", "best_epoch"]
SCORES = ["seconds", "accuracy", "balanced_accuracy", "macro_f1", "auroc", "mcc", "brier", "ece"]
FORM = ["variant", "kind", "corruption", "severity", "value"]
BOARD = [
    "variant",
    "runs",
    "accuracy",
    "AUROC",
    "hybrid − twin",
    "p",
    "verdict",
    "weights",
    "s a run",
]


def keep(studies: Path) -> None:
    """Write the leaderboard of all studies below a folder, and a slim table of each one's runs."""
    board = gather(studies)
    board.round(5).to_csv(TABLES / "studies.csv", index=False)
    for name in board["study"].unique():
        runs = pd.read_csv(next(studies.rglob(f"{name}/table.csv")))
        located = [column for column in runs if column.startswith("jaccard@")]
        runs[[*RUN, *SCORES, *located]].round(5).to_csv(TABLES / f"runs_{name}.csv", index=False)
        measured = list(studies.rglob(f"{name}/runs/*/robustness.csv"))
        if measured:
            every = pd.concat([pd.read_csv(path) for path in measured])
            mean = every.groupby(FORM, sort=False).mean(numeric_only=True).reset_index()
            mean["runs"] = len(measured) // mean["variant"].nunique()
            mean[[*FORM, "runs", "accuracy", "auroc", "jaccard@q0.99"]].round(5).to_csv(
                TABLES / f"robustness_{name}.csv", index=False
            )


def page() -> str:
    """The page, from the kept tables alone."""
    board = pd.read_csv(TABLES / "studies.csv", dtype={"changed": "string"})
    board["changed"] = board["changed"].fillna("")
    environment = Environment(
        loader=FileSystemLoader(TABLES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    studies = {name: Study(board, str(name)) for name in board["study"].unique()}
    verdicts = board.drop_duplicates(["study", "recipe"])["overall"].str.partition(":")[0]
    environment.globals |= {
        "study": studies.__getitem__,
        "studies": len(studies),
        "runs": sum(len(study.runs) for study in studies.values()),
        "tally": "; ".join(
            f"{count} × “{words}”" for words, count in verdicts.value_counts().items()
        ),
        "leak": leak(board),
        "full": FullSize(TABLES),
        "noise": UnderNoise(TABLES / "noise.csv"),
    }
    return environment.get_template("page.md.j2").render()


class Study:
    """What the page says of one study."""

    def __init__(self, board: pd.DataFrame, name: str) -> None:
        self.rows = board[board["study"] == name]
        if self.rows.empty:
            raise SystemExit(f"docs/results/studies.csv has no study {name}")
        self.first = self.rows.iloc[0]
        self.runs = pd.read_csv(TABLES / f"runs_{name}.csv")

    def table(self, recipe: str = "shared") -> str:
        """Scores of the variants, in Markdown."""
        return as_markdown(as_text(self.rows[self.rows["recipe"] == recipe])[BOARD])

    def verdict(self, recipe: str = "shared") -> str:
        """The study's verdict in words."""
        return str(self.rows.loc[self.rows["recipe"] == recipe, "overall"].iloc[0])

    def score(self, variant: str, recipe: str = "shared") -> str:
        """Mean main score of a variant, in per cent."""
        return f"{self._row(variant, recipe)['score']:.1%}".replace("%", " %")

    def gain(self, twin: str, recipe: str = "shared") -> str:
        """Hybrid − twin in points, with its interval."""
        row = self._row(twin, recipe)
        ends = (100 * row[f"difference{end}"] for end in ("", "_low", "_high"))
        return "{:+.1f} points ({:+.1f} to {:+.1f})".format(*ends)

    def mean(self, twin: str, recipe: str = "shared") -> str:
        """Hybrid − twin in points."""
        return f"{100 * self._row(twin, recipe)['difference']:+.1f}"

    def lead(self, twin: str, recipe: str = "shared") -> str:
        """Twin − hybrid in points."""
        return f"{-100 * self._row(twin, recipe)['difference']:.1f}"

    def over(self, other: Study, variant: str) -> str:
        """How much better a variant is here than in another study, in points."""
        here, there = (one._row(variant, "shared")["score"] for one in (self, other))
        return f"{100 * (here - there):.1f}"

    def seed(self, twin: str, seed: int) -> str:
        """Hybrid − twin of one seed on one split, in points."""
        own = self.runs.query("recipe == 'shared' and seed == @seed").set_index("variant")
        return f"{100 * (own.loc['hybrid', 'accuracy'] - own.loc[twin, 'accuracy']):+.1f}"

    def attention(self) -> str:
        """Mean Jaccard indices by variant, in Markdown."""
        columns = [column for column in self.runs if column.startswith("jaccard@")]
        means = self.runs.groupby("variant", sort=False)[columns].mean()
        titles = [column.removeprefix("jaccard@") for column in columns]
        text = means.map("{:.3f}".format).set_axis(titles, axis=1).reset_index()
        return as_markdown(text)

    def robustness(self) -> str:
        """Accuracy by corruption and attack, mean over severities, in Markdown."""
        mean = pd.read_csv(TABLES / f"robustness_{self.first.study}.csv")
        wide = mean.pivot_table(
            "accuracy", ["kind", "corruption"], "variant", sort=False, observed=True
        )
        wide = wide[[name for name in self.rows["variant"].unique() if name in wide]]
        everything = wide.loc[["corruption"]].mean().to_frame(("all", "all corruptions")).T
        text = pd.concat([wide, everything]).map("{:.3f}".format)
        return as_markdown(text.droplevel(0).rename_axis("images").reset_index())

    def single(self, twin: str, recipe: str = "shared") -> str:
        """What single seeds would have said: the range of hybrid − twin over runs, in points."""
        own = self.runs[self.runs["recipe"] == recipe]
        wide = own.pivot(index=["fold", "seed"], columns="variant", values="accuracy")
        gains = 100 * (wide["hybrid"] - wide[twin])
        return f"{gains.min():+.1f} to {gains.max():+.1f}"

    def _row(self, variant: str, recipe: str) -> pd.Series:
        one = self.rows.query("variant == @variant and recipe == @recipe")
        return one.iloc[0]

    @property
    def title(self) -> str:
        """System and data set."""
        return headline(self.rows.head(1))

    @property
    def setting(self) -> str:
        """What was run, in words."""
        first = self.first
        splits = "1 split" if first.folds == 1 else f"{first.folds} folds"
        changed = (
            f"; the recipe but for `{first.changed}`" if first.changed else "; the recipe as it is"
        )
        return (
            f"{splits} ({first.split}) × {first.seeds} seeds, {first.images:,} images tested"
            f"{changed}; {len(self.runs)} runs, {self.runs['seconds'].sum() / 60:.0f} minutes of "
            "training on one core"
        )


def leak(board: pd.DataFrame) -> str:
    """What a leaking split is worth, in Markdown: the same system with and without it."""
    shared = board[board["recipe"] == "shared"].set_index(["study", "variant"])
    clean, leaking = (shared.loc[name] for name in ("gvco-clean", "gvco-leak"))
    lines = [
        "| variant | clean split | leaking split | flattery, points |",
        "| --- | --- | --- | --- |",
    ]
    for variant in clean.index:
        a, b = clean.loc[variant, "score"], leaking.loc[variant, "score"]
        lines.append(f"| {variant} | {a:.3f} | {b:.3f} | {100 * (b - a):+.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["keep"]:
        keep(Path(sys.argv[2]))
    if sys.argv[1:2] == ["runs"]:
        named = (argument.partition("=") for argument in sys.argv[2:])
        keep_runs({name: Path(path) for name, _, path in named}, TABLES)
    (DOCS / "results.md").write_text(page(), encoding="utf-8")
