from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.repeated.simulated import answers, in_fold, simulated_runs

from medqnn.errors import EvaluationError
from medqnn.evaluation.metrics import scores
from medqnn.evaluation.predictions import AnyPredictions
from medqnn.evaluation.repeated.comparison import Run, compare_runs
from medqnn.evaluation.repeated.corrected_t import corrected_t
from medqnn.evaluation.repeated.hierarchical import hierarchical_difference, hierarchical_mean
from medqnn.evaluation.repeated.holm import holm
from medqnn.evaluation.repeated.plain import plain
from medqnn.evaluation.repeated.power import power

SKILLS = {"hybrid": 1.8, "dense": 1.6, "none": 0.2}
SIZES = {0: 480, 1: 480, 2: 480}
RUNS = simulated_runs(SKILLS)


@pytest.fixture(scope="module")
def result() -> dict:
    return compare_runs(RUNS, SIZES, resamples=200)


def gain(score: str, twin: str, runs: dict[Run, AnyPredictions] = RUNS) -> np.ndarray:
    """Differences (F, S), scored run by run."""
    return np.array(
        [
            [
                scores(runs[Run("hybrid", f, s)])[score] - scores(runs[Run(twin, f, s)])[score]
                for s in range(3)
            ]
            for f in range(3)
        ]
    )


def test_is_ready_for_json(result: dict) -> None:
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["main_score"] == "accuracy"
    assert (result["folds"], result["seeds"], result["images"]) == ([0, 1, 2], [0, 1, 2], 360)


@pytest.mark.parametrize("score", ["accuracy", "auroc", "brier", "ece"])
def test_differences_are_those_of_the_runs(result: dict, score: str) -> None:
    for twin in ("dense", "none"):
        entry, expected = result["twins"][twin]["scores"][score], gain(score, twin)
        np.testing.assert_allclose(entry["differences"], expected)
        t = corrected_t(expected, 0.25)
        assert entry["corrected_t"]["p"] == pytest.approx(t.p)
        assert entry["corrected_t"]["df"] == 2
        assert entry["equivalence"]["margin"] == 0.02


def test_main_score_is_corrected_over_twins_and_others_over_all(result: dict) -> None:
    twins = list(result["twins"].values())
    p = np.array([[s["corrected_t"]["p"] for s in twin["scores"].values()] for twin in twins])
    given = np.array([[s["p_holm"] for s in twin["scores"].values()] for twin in twins])
    np.testing.assert_allclose(given[:, 0], holm(p[:, 0]))
    np.testing.assert_allclose(given[:, 1:], holm(p.ravel()).reshape(p.shape)[:, 1:])


def test_intervals_are_those_of_the_hierarchical_bootstrap(result: dict) -> None:
    places = [(f, s) for f in range(3) for s in range(3)]
    pairs = {(f, s): (RUNS[Run("hybrid", f, s)], RUNS[Run("dense", f, s)]) for f, s in places}
    for level, names in ((0.95, ["low", "high"]), (0.9, ["low_90", "high_90"])):
        expected = hierarchical_difference(pairs, 200, level)
        for score, row in result["twins"]["dense"]["differences"].items():
            assert row["estimate"] == pytest.approx(expected.loc[score, "estimate"])
            assert [row[name] for name in names] == pytest.approx(list(expected.loc[score][1:]))
    alone = hierarchical_mean({place: RUNS[Run("hybrid", *place)] for place in places}, 200)
    assert result["variants"]["hybrid"]["scores"] == {
        score: pytest.approx(dict(row)) for score, row in alone.iterrows()
    }


def test_seeds_needed_are_reckoned_with_the_correction(result: dict) -> None:
    for score, comparisons in (("accuracy", 2), ("auroc", 12)):
        expected = power(gain(score, "dense"), 0.25, 0.02, comparisons)
        assert result["twins"]["dense"]["scores"][score]["power"] == plain(expected)
    chances = [power(gain("accuracy", "none"), 0.25, 0.02, n).for_difference for n in (2, 12)]
    assert chances[0] != chances[1]  # so that the number of comparisons is seen to matter


def test_patients_alone_do_not_vary_by_seeds() -> None:
    runs = {}
    for run, p in RUNS.items():
        if run.variant != "none":
            runs[run] = answers(p, np.full(120, run == ("hybrid", run.fold, 1)))
    row = compare_runs(runs, SIZES, resamples=50)["twins"]["dense"]["differences"]["accuracy"]
    assert row["patients_se"] == pytest.approx(0, abs=1e-12)
    assert row["low"] < 1 / 3 < row["high"]


def test_better_is_lower_for_brier_and_calibration_error(result: dict) -> None:
    entry = result["twins"]["none"]["scores"]["brier"]
    assert not entry["higher_is_better"]
    assert entry["corrected_t"]["mean"] < 0
    assert entry["effect"]["superiority"] == 1
    assert entry["verdict"]["code"] == "helps"
    assert "Brier score is better by" in entry["verdict"]["sentence"]


def test_verdicts(result: dict) -> None:
    assert result["twins"]["none"]["verdict"]["code"] == "helps"
    assert (
        result["twins"]["none"]["verdict"]
        == result["twins"]["none"]["scores"]["accuracy"]["verdict"]
    )
    assert result["verdict"]["parts"] == {"layer": True, "training": None, "entanglement": None}
    turned = compare_runs(RUNS, SIZES, hybrid="none", resamples=200)
    assert turned["twins"]["dense"]["verdict"]["code"] == "hurts"
    assert turned["verdict"]["code"] == "hurts"


def test_missing_runs_are_left_out_pairwise() -> None:
    lost = Run("dense", 1, 2)
    runs = {run: p for run, p in RUNS.items() if run != lost}
    given = compare_runs(runs, SIZES, resamples=20)
    dense, none = given["twins"]["dense"], given["twins"]["none"]
    assert (dense["pairs"], dense["left_out"]) == (8, [[1, 2]])
    assert (none["pairs"], none["left_out"]) == (9, [])
    assert given["variants"]["dense"]["missing"] == [[1, 2]]
    assert given["variants"]["hybrid"]["missing"] == []
    assert dense["scores"]["accuracy"]["differences"][1][2] is None
    expected = gain("accuracy", "dense")
    expected[1, 2] = np.nan
    t = corrected_t(expected, 0.25)
    assert dense["scores"]["accuracy"]["corrected_t"]["mean"] == pytest.approx(t.mean)
    assert dense["differences"]["accuracy"]["estimate"] == pytest.approx(t.mean)


def test_a_twin_without_pairs() -> None:
    runs = {r: p for r, p in RUNS.items() if r.variant != "dense" or r.fold == 2}
    runs = {r: p for r, p in runs.items() if r.variant != "hybrid" or r.fold < 2}
    given = compare_runs(runs, SIZES, resamples=20)
    dense = given["twins"]["dense"]
    assert (dense["pairs"], dense["differences"], dense["per_image"]) == (0, None, None)
    assert dense["verdict"]["code"] == "cannot tell"
    assert dense["scores"]["accuracy"]["corrected_t"] is None
    assert given["twins"]["none"]["pairs"] == 6


def test_one_split() -> None:
    runs = {run: p for run, p in RUNS.items() if run.fold == 0}
    given = compare_runs(runs, {0: 480}, resamples=50)
    none = given["twins"]["none"]
    assert none["scores"]["accuracy"]["corrected_t"]["covers"] == "training seeds"
    assert none["verdict"]["code"] == "helps"
    assert "one split" in none["verdict"]["sentence"]


def test_one_run_each_tells_nothing() -> None:
    runs = {run: p for run, p in RUNS.items() if (run.fold, run.seed) == (0, 0)}
    given = compare_runs(runs, {0: 480}, resamples=50)
    none = given["twins"]["none"]
    assert none["scores"]["accuracy"]["p_holm"] is None
    assert none["verdict"]["code"] == "cannot tell"
    assert "run three or more" in none["verdict"]["sentence"]


def test_equal_answers_are_no_difference() -> None:
    right = np.arange(120) % 10 > 0
    runs = {run: answers(p, right) for run, p in RUNS.items() if run.variant != "none"}
    given = compare_runs(runs, SIZES, resamples=50)
    assert given["twins"]["dense"]["verdict"]["code"] == "no difference"
    assert given["verdict"]["code"] == "no difference"


def test_margin_decides_what_is_no_difference() -> None:
    wide = compare_runs(RUNS, SIZES, margin=0.5, resamples=50)
    assert wide["twins"]["dense"]["verdict"]["code"] == "no difference"
    with pytest.raises(EvaluationError, match="margin=0"):
        compare_runs(RUNS, SIZES, margin=0, resamples=5)


def test_findings() -> None:
    runs = simulated_runs({"hybrid": 2.5, "dense": 0.3}, findings=True)
    given = compare_runs(runs, SIZES, resamples=100)
    assert given["main_score"] == "auroc"
    dense = given["twins"]["dense"]
    assert dense["verdict"]["code"] == "helps"
    assert set(dense["per_image"]) == {"delong"}
    assert "auroc[mass]" in dense["differences"]


def test_a_score_that_is_not_defined() -> None:
    runs = {}
    for run, p in simulated_runs({"hybrid": 1, "dense": 1}).items():
        runs[run] = replace(p, labels=np.zeros(len(p), dtype=int))
    entry = compare_runs(runs, SIZES, resamples=20)["twins"]["dense"]["scores"]["auroc"]
    assert entry["corrected_t"] is None
    assert entry["verdict"]["sentence"] == "There is no mean AUROC of hybrid and dense to compare."


def test_seed_decides() -> None:
    once, again, other = (compare_runs(RUNS, SIZES, resamples=20, seed=seed) for seed in (0, 0, 1))
    assert once == again
    assert once["variants"] != other["variants"]


def test_refuses_runs_of_other_images() -> None:
    run = Run("dense", 0, 0)
    with pytest.raises(EvaluationError, match="same test images"):
        compare_runs({**RUNS, run: in_fold(RUNS[run], 9)}, SIZES, resamples=5)
