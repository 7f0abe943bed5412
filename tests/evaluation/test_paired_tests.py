from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from medqnn.errors import EvaluationError
from medqnn.evaluation.metrics import scores
from medqnn.evaluation.paired_tests import aligned, mcnemar, paired_bootstrap
from medqnn.evaluation.predictions import Predictions

Maker = Callable[..., Predictions]


def shuffled(p: Predictions) -> Predictions:
    rows = np.random.default_rng(5).permutation(len(p))
    names = ("ids", "patients", "labels", "probabilities")
    return replace(p, **{name: getattr(p, name)[rows] for name in names})


def always_right(p: Predictions, rows: list[int]) -> Predictions:
    """Predictions that are right on these rows and wrong on all others."""
    said = (p.labels + 1) % len(p.classes)
    said[rows] = p.labels[rows]
    return replace(p, probabilities=np.eye(len(p.classes))[said])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("skill", [0.0, 1.5, 3.0])
def test_mcnemar_agrees_with_statsmodels(make_predictions: Maker, seed: int, skill: float) -> None:
    a, b = make_predictions(seed=seed), make_predictions(seed=seed + 10, skill=skill)
    given = mcnemar(a, shuffled(b))
    table = [[given.both_right, given.only_a], [given.only_b, given.both_wrong]]
    assert given.p == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    assert sum(map(sum, table)) == len(a)
    assert given.both_right + given.only_a == a.correct.sum()
    assert given.both_right + given.only_b == b.correct.sum()


def test_mcnemar_worked_example(predictions: Predictions) -> None:
    a = always_right(predictions, [0, 1, 2, 3, 4, 5, 6])
    b = always_right(predictions, [0, 1, 7])
    assert mcnemar(a, b)[:4] == (2, 5, 1, 112)
    assert mcnemar(a, b).p == pytest.approx(2 * (1 + 6) / 2**6)


def test_mcnemar_of_a_model_with_itself(predictions: Predictions) -> None:
    assert mcnemar(predictions, predictions).p == 1


def test_differences_are_of_scores_and_turn_sign(make_predictions: Maker) -> None:
    a, b = make_predictions(seed=1, skill=2.5), make_predictions(seed=2, skill=0.5)
    there, back = paired_bootstrap(a, shuffled(b), 200), paired_bootstrap(b, a, 200)
    assert there["a"].to_dict() == pytest.approx(scores(a))
    assert there["b"].to_dict() == pytest.approx(scores(b))
    np.testing.assert_allclose(there["difference"], there["a"] - there["b"])
    np.testing.assert_allclose(there["low"], -back["high"])
    assert there.loc["accuracy", "low"] > 0  # a is far better


def test_both_models_see_the_same_draws(make_predictions: Maker) -> None:
    p = make_predictions()
    itself = paired_bootstrap(p, shuffled(p), 50)
    assert np.abs(itself[["difference", "low", "high"]].to_numpy()).max() < 1e-12


def test_paired_interval_of_accuracy_by_hand(make_predictions: Maker) -> None:
    a, b = make_predictions(seed=1), make_predictions(seed=2)
    rng, gain = np.random.default_rng(4), a.correct.astype(float) - b.correct
    names, index = np.unique(a.patients, return_inverse=True)
    times = rng.multinomial(len(names), [1 / len(names)] * len(names), size=100)
    drawn = [np.repeat(gain, row[index]).mean() for row in times]
    expected = np.percentile(drawn, [2.5, 97.5])
    given = paired_bootstrap(a, b, 100, seed=4).loc["accuracy", ["low", "high"]]
    np.testing.assert_allclose(given.astype(float), expected)


def test_alignment_restores_the_order(predictions: Predictions) -> None:
    again = aligned(predictions, shuffled(predictions))
    for name in ("ids", "patients", "labels", "probabilities"):
        np.testing.assert_array_equal(getattr(again, name), getattr(predictions, name))


def test_refuses_what_is_not_the_same_images(predictions: Predictions) -> None:
    p = predictions
    others = {
        "1 images are in one table": replace(
            p,
            ids=p.ids[1:],
            patients=p.patients[1:],
            labels=p.labels[1:],
            probabilities=p.probabilities[1:],
        ),
        "240 images are in one table": replace(p, ids=np.char.add(p.ids, "x")),
        "labels of 120 images differ": replace(p, labels=(p.labels + 1) % 4),
        "patients of 120 images differ": replace(p, patients=p.ids),
        "classes differ": replace(p, classes=("a", "b", "c", "d")),
    }
    for message, other in others.items():
        for test in (mcnemar, paired_bootstrap):
            with pytest.raises(EvaluationError, match=message):
                test(p, other)
