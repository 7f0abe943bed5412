from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from tests.evaluation.repeated.simulated import answers, in_fold

from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.paired_tests import mcnemar
from medqnn.evaluation.predictions import Predictions
from medqnn.evaluation.repeated.delong import delong
from medqnn.evaluation.repeated.per_image import per_image_tests

Maker = Callable[..., Predictions]


def pairs(make: Maker, fold: int, skill: float = 2.5) -> list[tuple[Predictions, Predictions]]:
    return [
        (
            in_fold(make(seed=10 * fold + s, skill=skill), fold),
            in_fold(make(seed=500 + 10 * fold + s, skill=1.5), fold),
        )
        for s in range(4)
    ]


def ensemble(tables: list[Predictions]) -> np.ndarray:
    return sum(p.probabilities for p in tables) / len(tables)


def test_single_runs_are_counted_by_side(make_predictions: Maker) -> None:
    p = make_predictions()
    good, bad = np.arange(120) < 110, np.arange(120) < 60
    a, b = answers(p, good), answers(p, bad)
    single = per_image_tests([[(a, b), (a, b), (b, a), (a, a)]])["mcnemar"]["single_runs"]
    assert single == {"runs": 4, "a_higher": 2, "b_higher": 1}
    by_class = per_image_tests([pairs(make_predictions, 0)])["delong"]
    for k, name in enumerate(p.classes):
        tests = [
            delong(a.probabilities[:, k], b.probabilities[:, k], a.labels == k)
            for a, b in pairs(make_predictions, 0)
        ]
        higher = sum(test.p < 0.05 and test.difference > 0 for test in tests)
        assert by_class[name]["single_runs"]["a_higher"] == higher
    assert any(entry["single_runs"]["a_higher"] for entry in by_class.values())


def test_mcnemar_of_the_ensembles_adds_up_over_folds(make_predictions: Maker) -> None:
    folds = [pairs(make_predictions, f) for f in range(3)]
    counts = np.zeros(2, dtype=int)
    for runs in folds:
        a, b = (
            replace(runs[0][0], probabilities=ensemble([pair[side] for pair in runs]))
            for side in (0, 1)
        )
        test = mcnemar(a, b)
        counts += (test.only_a, test.only_b)
    given = per_image_tests(folds)["mcnemar"]["ensemble"]
    assert (given["only_a"], given["only_b"]) == tuple(counts)
    assert given["p"] == pytest.approx(binomtest(counts[0], counts.sum()).pvalue)


def test_delong_of_the_ensembles_is_the_mean_over_folds(make_predictions: Maker) -> None:
    folds = [pairs(make_predictions, f) for f in range(2)]
    tests = [
        delong(
            ensemble([a for a, _ in runs])[:, 1],
            ensemble([b for _, b in runs])[:, 1],
            runs[0][0].labels == 1,
        )
        for runs in folds
    ]
    given = per_image_tests(folds)["delong"]["meningioma"]["ensemble"]
    difference = (tests[0].difference + tests[1].difference) / 2
    se = np.sqrt(tests[0].se ** 2 + tests[1].se ** 2) / 2
    assert given["difference"] == pytest.approx(difference)
    assert given["se"] == pytest.approx(se)
    assert given["p"] == pytest.approx(2 * norm.sf(abs(difference) / se))


def test_a_fold_without_the_class_is_left_out(make_predictions: Maker) -> None:
    first = pairs(make_predictions, 0)
    second = [
        tuple(replace(p, labels=np.minimum(p.labels, 2)) for p in pair)
        for pair in pairs(make_predictions, 1)
    ]
    both = per_image_tests([first, second])["delong"]["pituitary"]
    assert both["ensemble"] == per_image_tests([first])["delong"]["pituitary"]["ensemble"]
    assert np.isnan(per_image_tests([second])["delong"]["pituitary"]["ensemble"]["auc_a"])


def test_findings_have_no_mcnemar(make_findings: Callable[..., MultiLabelPredictions]) -> None:
    given = per_image_tests([[(make_findings(seed=1), make_findings(seed=2))]])
    assert set(given) == {"delong"}
    assert list(given["delong"]) == ["effusion", "mass", "nodule", "hernia"]
