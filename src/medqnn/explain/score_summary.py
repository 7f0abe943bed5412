"""Scores of explanations summed up over images, with intervals and tests by patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from medqnn.evaluation.evaluate import LEVEL
from medqnn.evaluation.intervals import cluster_bootstrap
from medqnn.evaluation.localisation import wilcoxon_by_patient
from medqnn.explain.faithfulness import SHARES, Curves
from medqnn.explain.no_network import FLAT, NO_NETWORK, RANDOM, USUAL
from medqnn.layers.twins import HYBRID
from medqnn.training.assess import finite
from medqnn.training.inputs import Inputs

NAMES = ["id", "patient", "variant", "method"]
Records = dict[str, dict[str, Any]]


def summary(
    table: pd.DataFrame, curves: Mapping[tuple[str, str], Curves], inputs: Inputs
) -> dict[str, Any]:
    """What the scores of all images come to, for JSON.

    Args:
        table: As `scores.score` gives it.
        curves: Of all images by variant and method.
        inputs: The data they are of.

    Returns:
        patients_known; interval (level, resamples, seed, method); reference (the hybrid, without
        one the first network);
        scores {variant: {method: {score: {estimate, low, high, images, patients}}}}, "no network"
        among the variants, whose methods are "flat", "random" and "usual place";
        ahead {"flat", "usual place": {variant: {method: {score: …}}}}, the network's score minus
        that map's on the same images, of the scores against masks;
        differences {twin: {method: {score: {…, p}}}}, reference minus twin, with
        Wilcoxon's test between the patients' means;
        curves {variant: {method: {deletion, insertion}}}, means over images at `shares`.
    """
    sums = _sums(table, inputs)
    networks = [name for name in dict.fromkeys(table["variant"]) if name != NO_NETWORK]
    reference = HYBRID if HYBRID in networks else networks[0]
    return {
        "patients_known": inputs.table.patients_known,
        "interval": _interval(inputs),
        "reference": reference,
        "scores": _nested({key: sums.records(values) for key, values in sums.frames.items()}),
        "ahead": {place: _ahead(sums, place) for place in (FLAT, USUAL)},
        "differences": {
            name: _differences(sums, reference, name) for name in networks if name != reference
        },
        "shares": SHARES.tolist(),
        "curves": _nested({key: _means(pair) for key, pair in curves.items()}),
    }


class Sums:
    """Means of scores, with intervals over patients.

    Args:
        frames: By variant and method the scores, indexed by image.
        patients: Of each image.
        resamples: How often patients are drawn.
        seed: Of the draws.
    """

    def __init__(
        self,
        frames: Mapping[tuple[str, str], pd.DataFrame],
        patients: pd.Series,
        resamples: int,
        seed: int,
    ) -> None:
        self.frames, self.patients = frames, patients
        self.resamples, self.seed = resamples, seed

    def records(self, values: pd.DataFrame) -> Records:
        """Mean, interval, number of images and of patients of each column that has values."""
        values = values.dropna(axis=1, how="all")
        if values.empty:
            return {}
        patients = self.patients[values.index].to_numpy()
        found = cluster_bootstrap(_mean(values), patients, self.resamples, LEVEL, self.seed)
        records = {}
        for name, row in found.astype(float).to_dict("index").items():
            known = values[str(name)].notna().to_numpy()
            counts = {"images": int(known.sum()), "patients": len(np.unique(patients[known]))}
            records[str(name)] = {str(end): finite(value) for end, value in row.items()} | counts
        return records

    def test(self, a: pd.Series, b: pd.Series) -> dict[str, Any]:
        """Wilcoxon's test between the means of patients; a and b have values on the same images."""
        known = a.notna() & b.notna()
        patients = self.patients[a.index[known]].to_numpy()
        found = wilcoxon_by_patient(a[known].to_numpy(), b[known].to_numpy(), patients)
        return {"p": found.p, "patients": found.n}


def _sums(table: pd.DataFrame, inputs: Inputs) -> Sums:
    """Of the scores of all images."""
    frames = {
        (str(variant), str(method)): own.set_index("id").drop(columns=NAMES[1:])
        for (variant, method), own in table.groupby(["variant", "method"], sort=False)
    }
    patients = table.drop_duplicates("id").set_index("id")["patient"]
    return Sums(frames, patients, inputs.recipe.evaluation.resamples, inputs.recipe.seed)


def _interval(inputs: Inputs) -> dict[str, Any]:
    """How intervals were made, for JSON."""
    unit = "patients" if inputs.table.patients_known else "images"
    return {
        "level": LEVEL,
        "resamples": inputs.recipe.evaluation.resamples,
        "seed": inputs.recipe.seed,
        "method": f"percentile bootstrap over {unit}",
    }


def _mean(values: pd.DataFrame) -> Callable[[np.ndarray], pd.DataFrame]:
    """Weighted means of the columns, over the images that have a value."""
    known, numbers = values.notna().to_numpy(np.float64), values.fillna(0.0).to_numpy()

    def mean(weights: np.ndarray) -> pd.DataFrame:
        with np.errstate(invalid="ignore"):  # a resample may hold no such image
            return pd.DataFrame(weights @ numbers / (weights @ known), columns=values.columns)

    return mean


def _ahead(sums: Sums, place: str) -> dict[str, dict[str, Records]]:
    """Every network's maps against one that no network made."""
    blind = sums.frames.get((NO_NETWORK, place))
    if blind is None:
        return {}
    found = {}
    for key, own in sums.frames.items():
        if key[0] != NO_NETWORK and key[1] != RANDOM:
            scores = blind.dropna(axis=1, how="all").columns.drop("mask_share", errors="ignore")
            found[key] = sums.records(own[scores] - blind[scores].reindex(own.index))
    return _nested(found)


def _differences(sums: Sums, reference: str, twin: str) -> dict[str, Records]:
    found = {}
    for (variant, method), a in sums.frames.items():
        b = sums.frames.get((twin, method))
        if variant != reference or b is None or method == RANDOM:
            continue
        b = b.reindex(a.index)
        records = sums.records((a - b).drop(columns="mask_share", errors="ignore"))
        found[method] = {name: one | sums.test(a[name], b[name]) for name, one in records.items()}
    return found


def _means(pair: Curves) -> dict[str, list[float]]:
    return {name: np.mean(curve, axis=0).tolist() for name, curve in pair._asdict().items()}


def _nested(found: Mapping[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:
    """By variant, then by method."""
    nested: dict[str, dict[str, Any]] = {}
    for (variant, method), one in found.items():
        nested.setdefault(variant, {})[method] = one
    return nested
