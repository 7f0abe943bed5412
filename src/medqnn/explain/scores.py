"""A run's explain.csv and explain.json: its explanations scored once, and read back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import medqnn
from medqnn.data.cache import Progress
from medqnn.errors import RunError
from medqnn.explain.faithfulness import BLUR, STEPS, Curves
from medqnn.explain.judge import FAST, Depth, Judge, Judged
from medqnn.explain.methods import METHODS
from medqnn.explain.sanity import STAGES
from medqnn.explain.score_summary import NAMES, summary
from medqnn.explain.stability import DRAWS, SIGMA
from medqnn.training.batches import split_evenly
from medqnn.training.findings import Findings
from medqnn.training.folder import RunFolder
from medqnn.training.sampling import chosen_rows, evenly
from medqnn.training.trained import Trained

TABLE, SUMMARY = "explain.csv", "explain.json"
KEPT = Findings(TABLE, SUMMARY, NAMES, NAMES, "medqnn explain", ["scores"])
IMAGES = 30
CHECKED = 12  # images of those whose maps are made again with other weights and with noise
BATCH = {Depth.MASKS: 64, Depth.CURVES: 4, Depth.CHECKS: 2}  # few: an image takes seconds


class Scores(NamedTuple):
    """What explanations are worth.

    Attributes:
        table: A row an image, variant and method. Columns id, patient, variant, method, then scores
            with NaN where one was not asked or cannot be: those of `evaluation.pointing` (of images
            that show a tumour), deletion, insertion, deletion_gain, insertion_gain (see
            `faithfulness`; gains are over a random order), sanity_head, sanity_all (|ρ|, see
            `sanity`), stability (ρ). Of the variant "no network" the maps look at no image; method
            "random" of a network is a random order of pixels.
        summary: As `score_summary.summary` gives it, and images, checked, located (how many images
            were asked for curves, of them for checks, and of all for masks).
    """

    table: pd.DataFrame
    summary: dict[str, Any]


def options(images: int | None, seed: int) -> dict[str, Any]:
    """All that decides the scores of a run, for JSON."""
    return {
        "medqnn": medqnn.__version__,
        "images": images,
        "seed": seed,
        "methods": list(METHODS),
        "on_all_images": list(FAST),
        "curves": {"steps": STEPS, "replaced_by": "blur", "blur": BLUR},
        "checked": CHECKED,
        "sanity": list(STAGES),
        "noise": {"sigma": SIGMA, "draws": DRAWS},
    }


def score(
    trained: Trained, rows: np.ndarray, seed: int = 0, progress: Progress | None = None
) -> Scores:
    """Score every network's explanations by every method.

    Against masks, fast methods are scored on all images of the test part that show a tumour, the
    others on those of ``rows``; deletion and insertion on ``rows``; what needs the maps again, with
    other weights and with noise, on `CHECKED` of them.

    Args:
        trained: The run; the data may be without masks.
        rows: Of the test images, int64, in order.
        seed: Of all that is drawn at random.
        progress: Wraps the work, called with an iterable and its length.

    Raises:
        RunError: If there are no rows.
    """
    if not len(rows):
        raise RunError("no images to explain: give at least one")
    judge, parts = Judge(trained, seed), _parts(trained, rows, seed)
    work = [(one, depth) for depth, own in parts.items() for one in split_evenly(own, BATCH[depth])]
    found = [judge(*one) for one in (progress(work, len(work)) if progress else work)]
    table = _joined(found)
    counts = {
        "images": len(rows),
        "checked": len(parts[Depth.CHECKS]),
        "located": int(table.loc[table["mask_share"].notna(), "id"].nunique())
        if "mask_share" in table
        else 0,
    }
    return Scores(table, counts | summary(table, _all_curves(found), trained.inputs))


def write_scores(
    folder: RunFolder,
    trained: Trained,
    images: int | None = IMAGES,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Score a run's explanations and write the results, whole or not at all.

    Args:
        folder: The run.
        trained: What it was made of.
        images: At most so many test images, evenly over the classes; None for all.
        seed: Of all that is drawn at random.
        progress: Wraps the work.

    Raises:
        RunError: If the folder cannot be written to.
    """
    found = score(trained, chosen_rows(trained, images, seed), seed, progress)
    KEPT.write(folder, found.table, found.summary, options(images, seed))


def is_scored(folder: RunFolder, images: int | None = IMAGES, seed: int = 0) -> bool:
    """Whether the run has scores of just these options."""
    return KEPT.are_of(folder, options(images, seed))


def read_scores(folder: RunFolder) -> Scores:
    """What `write_scores` wrote.

    Raises:
        RunError: If it is missing or broken.
    """
    return Scores(*KEPT.read(folder))


def _parts(trained: Trained, rows: np.ndarray, seed: int) -> dict[Depth, np.ndarray]:
    """Which rows are asked how much; no row twice."""
    inputs = trained.inputs
    checked = evenly(rows, inputs.labels, CHECKED, seed)
    others = np.setdiff1d(inputs.rows("test"), rows)
    shown = inputs.decoded.masks[others].any(axis=(1, 2))
    return {
        Depth.CHECKS: checked,
        Depth.CURVES: np.setdiff1d(rows, checked),
        Depth.MASKS: others[shown],
    }


def _joined(found: list[Judged]) -> pd.DataFrame:
    """All rows, those of a network and method together."""
    table = pd.concat([one.table for one in found], ignore_index=True)
    scored = [name for name in table if name not in NAMES]
    table = table.dropna(subset=scored, how="all")  # no tumour to point at, and nothing else asked
    place, _ = pd.factorize(pd.MultiIndex.from_frame(table[["variant", "method"]]))
    return table.iloc[np.argsort(place, kind="stable")][[*NAMES, *scored]].reset_index(drop=True)


def _all_curves(found: list[Judged]) -> dict[tuple[str, str], Curves]:
    """The curves of all images by variant and method."""
    every: dict[tuple[str, str], list[Curves]] = {}
    for one in found:
        for key, pair in one.curves.items():
            every.setdefault(key, []).append(pair)
    return {
        key: Curves(*(np.concatenate(curves) for curves in zip(*pairs, strict=True)))
        for key, pairs in every.items()
    }
