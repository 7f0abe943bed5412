"""Scores of subgroups of the test images, and how far each is from the rest.

A group is held against all other images whose attribute is known, on the same draws of patients:
whether two intervals overlap would not answer whether two groups differ. Groups are not alike in
their mix of classes, which alone may move any of the scores. Many groups make many intervals, and
of 20 that leave zero out one does so by chance where nothing differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from medqnn.errors import EvaluationError
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.evaluation.metrics import weighted_scores
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import AnyPredictions

FEW = 10  # patients below which a group is too small to judge
SCORES = ("accuracy", "balanced_accuracy", "auroc")
SCORES_OF_FINDINGS = ("label_accuracy", "auroc")
_NUMBERS = 5  # different numbers up to which each is a group of its own, such as field strengths
_MOST = 12  # groups of an attribute; what is rarer goes together
_OTHERS = "all others"


def subgroups(
    predictions: AnyPredictions, attributes: pd.DataFrame, resamples: int = 1000, seed: int = 0
) -> list[dict[str, Any]]:
    """Scores by group for each attribute that tells groups apart.

    An attribute whose values are all numbers, more than five different ones, is cut at the terciles
    of the images that have it; other values are groups as they are, those beyond the eleven most
    frequent together.

    Args:
        predictions: of the test images.
        attributes: column id, and one of text or numbers for each attribute, missing where
            unknown; rows in any order, those of other images are left out.
        resamples: of the bootstrap over test patients.
        seed: of the same.

    Returns:
        One dictionary an attribute, ready for JSON: attribute, cuts (two numbers or fewer; None for
        groups by value), unknown (count of images without a value) and groups, each with group (its
        name), images, patients (counts), few (fewer than 10 patients), scores {score: {estimate,
        low, high}} and differences {score: {estimate, low, high}}, group − all others of known
        value. Scores are accuracy, balanced_accuracy (mean recall of the classes that occur) and
        auroc, of findings label_accuracy and auroc. None: what is undefined, such as the AUROC of
        a group of one class; bounds where the group or the rest is of one patient. Attributes with
        one group or none are left out.

    Raises:
        EvaluationError: if there is no column id, an id twice, or not every image has a row.
    """
    table = _aligned(predictions, attributes)
    found = []
    for name in table:
        groups, names, cuts = _grouped(table[name])
        if len(names) > 1:
            known = groups.notna().to_numpy()
            found.append(
                {
                    "attribute": str(name),
                    "cuts": cuts,
                    "unknown": int((~known).sum()),
                    "groups": _scored(
                        _subset(predictions, known), groups[known], names, resamples, seed
                    ),
                }
            )
    return found


def _aligned(predictions: AnyPredictions, attributes: pd.DataFrame) -> pd.DataFrame:
    """The attributes in the order of the predictions."""
    if "id" not in attributes or attributes["id"].duplicated().any():
        raise EvaluationError("attributes need a column id that names each image once: add it")
    table = attributes.set_index("id")
    unlisted = np.setdiff1d(predictions.ids, table.index.to_numpy(str))
    if len(unlisted):
        raise EvaluationError(
            f"{len(unlisted)} images have no row of attributes, the first is '{unlisted[0]}': "
            "give each a row, with empty cells for what is unknown"
        )
    return table.loc[predictions.ids].reset_index(drop=True)


def _grouped(values: pd.Series) -> tuple[pd.Series, list[str], list[float] | None]:
    """The name of each image's group, missing if unknown; all names in order; the cuts."""
    known = values.dropna()
    numbers = pd.to_numeric(known, errors="coerce").astype(float)
    numeric = bool(np.isfinite(numbers).all())
    if numeric and numbers.nunique() > _NUMBERS:
        cuts = np.unique(np.quantile(numbers, [1 / 3, 2 / 3])).tolist()
        parts = _tercile_names(cuts)
        groups = pd.Series(np.array(parts)[np.searchsorted(cuts, numbers)], known.index)
        names = [name for name in parts if (groups == name).any()]
        return groups.reindex(values.index), names, cuts
    groups = known.map(str)
    frequent = groups.value_counts().index
    if len(frequent) > _MOST:
        groups = groups.where(groups.isin(frequent[: _MOST - 1]), _OTHERS)
    order = sorted(set(groups) - {_OTHERS}, key=float if numeric else None)
    return groups.reindex(values.index), [*order, *({_OTHERS} & set(groups))], None


def _tercile_names(cuts: Sequence[float]) -> list[str]:
    """Names of the groups that one cut or two make; a value at a cut is in the lower group."""
    texts = [f"{cut:.4g}" for cut in cuts]
    between = [f"above {low} to {high}" for low, high in pairwise(texts)]
    return [f"up to {texts[0]}", *between, f"above {texts[-1]}"]


def _subset(predictions: AnyPredictions, chosen: np.ndarray) -> AnyPredictions:
    """The images (n,) bool alone."""
    return replace(
        predictions,
        ids=predictions.ids[chosen],
        patients=predictions.patients[chosen],
        labels=predictions.labels[chosen],
        probabilities=predictions.probabilities[chosen],
    )


def _scored(
    predictions: AnyPredictions, groups: pd.Series, names: Sequence[str], resamples: int, seed: int
) -> list[dict[str, Any]]:
    """A dictionary for each group; all images have one."""
    findings = isinstance(predictions, MultiLabelPredictions)
    wanted = list(SCORES_OF_FINDINGS if findings else SCORES)
    members = [(groups == name).to_numpy() for name in names]
    table = cluster_bootstrap(
        lambda weights: _statistics(predictions, members, wanted, weights),
        predictions.patients,
        resamples,
        seed=seed,
    )
    table.loc[_of_one_patient(predictions.patients, members, wanted), ["low", "high"]] = np.nan
    records = table.astype(object).where(table.notna(), None).to_dict("index")
    result = []
    for i, (name, own) in enumerate(zip(names, members, strict=True)):
        patients = len(np.unique(predictions.patients[own]))
        result.append(
            {
                "group": name,
                "images": int(own.sum()),
                "patients": patients,
                "few": patients < FEW,
                "scores": {score: records[f"{i} {score}"] for score in wanted},
                "differences": {score: records[f"{i} − {score}"] for score in wanted},
            }
        )
    return result


def _of_one_patient(
    patients: np.ndarray, members: Sequence[np.ndarray], wanted: Sequence[str]
) -> list[str]:
    """The statistics that have no interval: the draws would repeat the patient's one value."""
    rows = []
    for i, own in enumerate(members):
        alone, rest_alone = (len(np.unique(patients[part])) == 1 for part in (own, ~own))
        rows += [f"{i} {score}" for score in wanted if alone]
        rows += [f"{i} − {score}" for score in wanted if alone or rest_alone]
    return rows


def _statistics(
    predictions: AnyPredictions,
    members: Sequence[np.ndarray],
    wanted: list[str],
    weights: np.ndarray,
) -> pd.DataFrame:
    """Scores of each group, and minus those of the rest, for weights (R, n) of the images."""
    columns: dict[str, np.ndarray] = {}
    for i, own in enumerate(members):
        scores, rest = (_scores(predictions, part, wanted, weights) for part in (own, ~own))
        for k, score in enumerate(wanted):
            columns[f"{i} {score}"] = scores[:, k]
            columns[f"{i} − {score}"] = scores[:, k] - rest[:, k]
    return pd.DataFrame(columns)


def _scores(
    predictions: AnyPredictions, chosen: np.ndarray, wanted: list[str], weights: np.ndarray
) -> np.ndarray:
    """(R, scores) of the chosen images; NaN where none of them has weight."""
    own = weights[:, chosen]
    drawn = own.any(axis=1)
    scores = np.full((len(own), len(wanted)), np.nan)
    if drawn.any():
        scores[drawn] = weighted_scores(_subset(predictions, chosen), own[drawn])[wanted]
    return scores
