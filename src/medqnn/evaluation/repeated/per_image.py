"""Tests on images, of single runs and of the mean probabilities over seeds.

McNemar's and DeLong's tests ask whether two trained models differ on these images, not whether two
ways of training do. So single runs are only counted, and the test to read is that of the ensemble:
each variant's probabilities averaged over the seeds of a fold. Folds share no test image, so
McNemar's counts add up over folds, and AUROCs are averaged over folds with their standard errors
pooled, which leaves out that the models share training images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import binomtest

from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.paired_tests import mcnemar
from medqnn.evaluation.predictions import AnyPredictions
from medqnn.evaluation.repeated.delong import DeLong, delong_by_class

ALPHA = 0.05
Pair = tuple[AnyPredictions, AnyPredictions]


def per_image_tests(by_fold: Sequence[Sequence[Pair]]) -> dict[str, Any]:
    """McNemar's and DeLong's tests of two variants, a and b.

    Args:
        by_fold: of each fold the pairs of predictions of its seeds, rows in the same order.

    Returns:
        delong: of each class (or finding) `single_runs` {runs, a_higher, b_higher}: how many give
        p < 0.05 for either side; and `ensemble`, a `DeLong` as dictionary.
        mcnemar (not where findings may occur together): single_runs likewise; ensemble {only_a,
        only_b, p}.
    """
    ensembles = [(_mean([a for a, _ in pairs]), _mean([b for _, b in pairs])) for pairs in by_fold]
    singles = [pair for pairs in by_fold for pair in pairs]
    result = {"delong": _delong(singles, ensembles)}
    if not isinstance(singles[0][0], MultiLabelPredictions):
        result["mcnemar"] = _mcnemar(singles, ensembles)
    return result


def _mean(tables: Sequence[AnyPredictions]) -> AnyPredictions:
    """The ensemble: probabilities averaged over runs."""
    return replace(tables[0], probabilities=np.mean([t.probabilities for t in tables], axis=0))


def _mcnemar(singles: Sequence[Pair], ensembles: Sequence[Pair]) -> dict[str, Any]:
    each = [mcnemar(*pair) for pair in singles]
    counted = [(test.p, test.only_a - test.only_b) for test in each]
    pooled = [mcnemar(*pair) for pair in ensembles]
    only_a, only_b = sum(test.only_a for test in pooled), sum(test.only_b for test in pooled)
    p = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    ensemble = {"only_a": only_a, "only_b": only_b, "p": p}
    return {"single_runs": _counts(counted), "ensemble": ensemble}


def _delong(singles: Sequence[Pair], ensembles: Sequence[Pair]) -> dict[str, Any]:
    each = [delong_by_class(*pair) for pair in singles]
    pooled = [delong_by_class(*pair) for pair in ensembles]
    return {
        name: {
            "single_runs": _counts([(tests[name].p, tests[name].difference) for tests in each]),
            "ensemble": _over_folds([tests[name] for tests in pooled])._asdict(),
        }
        for name in each[0]
    }


def _counts(tests: Sequence[tuple[float, float]]) -> dict[str, int]:
    """Of p-values and differences how many reject, for either side."""
    rejected = [difference for p, difference in tests if p < ALPHA]
    return {
        "runs": len(tests),
        "a_higher": sum(difference > 0 for difference in rejected),
        "b_higher": sum(difference < 0 for difference in rejected),
    }


def _over_folds(tests: Sequence[DeLong]) -> DeLong:
    """Mean over the folds in which the test could be made."""
    made = np.array([test for test in tests if not np.isnan(test.se)])
    if len(made) < 2:
        return DeLong(*made[0]) if len(made) else tests[0]
    auc_a, auc_b = (float(auc) for auc in made[:, :2].mean(axis=0))
    return DeLong.of(auc_a, auc_b, float(np.sqrt((made[:, 3] ** 2).sum()) / len(made)))
