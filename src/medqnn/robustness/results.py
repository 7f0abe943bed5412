"""A run's robustness.csv and robustness.json: made once, read back, and averaged over runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

import medqnn
from medqnn.data.cache import Progress
from medqnn.errors import RunError
from medqnn.layers.twins import VARIANTS
from medqnn.robustness.attacks import ATTACKS, EPSILONS, PGD_STEP, PGD_STEPS
from medqnn.robustness.measure import measure
from medqnn.robustness.severities import CORRUPTIONS
from medqnn.robustness.summary import Scores, summary, table
from medqnn.training.findings import Findings, Results
from medqnn.training.folder import RunFolder
from medqnn.training.sampling import chosen_rows
from medqnn.training.trained import load_trained

TABLE, SUMMARY = "robustness.csv", "robustness.json"
SETTING = ["variant", "kind", "corruption", "severity", "value"]
KEPT = Findings(TABLE, SUMMARY, [*SETTING, "accuracy"], [], "medqnn robustness", ["variants"])


def options(images: int | None, seed: int) -> dict[str, Any]:
    """All that decides a measurement, for JSON."""
    return {
        "medqnn": medqnn.__version__,
        "images": images,
        "seed": seed,
        "corruptions": {
            one.name: {"measure": one.measure, "values": list(one.values)} for one in CORRUPTIONS
        },
        "attacks": {name: {"epsilons": list(EPSILONS)} for name in ATTACKS},
        "pgd": {"steps": PGD_STEPS, "step": PGD_STEP, "random_start": False},
    }


def is_measured(folder: RunFolder, images: int | None = None, seed: int = 0) -> bool:
    """Whether the run has results of just these options."""
    return KEPT.are_of(folder, options(images, seed))


def measure_run(
    folder: RunFolder,
    images: int | None = None,
    seed: int = 0,
    decoding: Progress | None = None,
    progress: Progress | None = None,
) -> None:
    """Measure a run's networks and write the results, whole or not at all.

    Args:
        folder: A complete run.
        images: At most so many test images, evenly over the classes; None for all.
        seed: Of the corruptions, and of the images that are taken.
        decoding: Wraps the decoding of images.
        progress: Wraps the measuring.

    Raises:
        RunError: If the run is not complete, its data have changed, or it cannot be written to.
    """
    trained = load_trained(folder, decoding)
    rows = chosen_rows(trained, images, seed)
    scores = Scores(trained, rows, measure(trained, rows, seed, progress=progress))
    KEPT.write(folder, table(scores), summary(scores), options(images, seed))


def read_results(folder: RunFolder) -> Results:
    """What `measure_run` wrote: `summary.table` and `summary.summary`.

    Raises:
        RunError: If it is missing or broken.
    """
    return KEPT.read(folder)


def overlap_column(found: pd.DataFrame) -> str | None:
    """The Jaccard index that is shown: of the smallest part of the map; None without attention."""
    names = [str(name) for name in found if str(name).startswith("jaccard@q")]
    return next((name for name in names if found[name].notna().any()), None)


def mean_over_runs(results: Sequence[Results]) -> pd.DataFrame:
    """Means over runs of each network's numbers under each setting.

    Returns:
        Columns variant, kind, corruption, severity, value, runs (how many have this network), and
        the means of accuracy, auroc and jaccard@….
    """
    every = _hybrid_first(pd.concat([one.table for one in results]))
    names = [str(name) for name in every]
    scored = ["accuracy", "auroc", *(name for name in names if name.startswith("jaccard@"))]
    grouped = every.groupby(SETTING, sort=False)
    return grouped[scored].mean().assign(runs=grouped.size()).reset_index()


def mean_corrupted(results: Sequence[Results]) -> pd.DataFrame:
    """Clean and mean corrupted accuracy of each network over runs.

    Returns:
        A row a network; columns runs, clean, mean corrupted, sd (of the mean corrupted accuracy
        between runs; NaN for one run).
    """
    rows = [
        {"variant": name, **{mean: means[mean]["estimate"] for mean in ("clean", "mean corrupted")}}
        for one in results
        for name, means in one.summary["variants"].items()
    ]
    grouped = _hybrid_first(pd.DataFrame(rows)).groupby("variant", sort=False)
    found = grouped.mean().assign(runs=grouped.size())
    return found.assign(sd=grouped["mean corrupted"].std())


def _hybrid_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in the networks' usual order, whichever run comes first."""
    rank = list(VARIANTS).index
    return rows.sort_values("variant", key=lambda names: names.map(rank), kind="stable")


def require_alike(folders: Sequence[RunFolder]) -> None:
    """Refuse runs that cannot be averaged.

    Raises:
        RunError: If a run is not complete, or system or data of two runs differ.
    """
    every = [folder.require_complete() for folder in folders]
    kinds = {
        (facts["system"], facts["data"]["name"], facts["data"]["fingerprint"]) for facts in every
    }
    if len(kinds) > 1:
        named = sorted({f"{system} on {data}" for system, data, _ in kinds})
        raise RunError(
            f"the runs differ in system or data ({', '.join(named)}): give runs of one system on "
            "one data set, or one run at a time"
        )
