from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from medqnn.evaluation.repeated.verdict import Evidence, overall, verdict

CLEAR = Evidence(
    gain=0.05,
    p_holm=0.01,
    interval=(0.02, 0.08),
    interval_90=(0.025, 0.075),
    equivalent=False,
    margin=0.02,
    patients_se=0.01,
    folds=5,
    seeds=4,
    seeds_for_difference=None,
    seeds_for_margin=None,
    units="patients",
)
LOSS: dict[str, Any] = {
    "gain": -0.05,
    "interval": (-0.08, -0.02),
    "interval_90": (-0.075, -0.025),
}
SAME: dict[str, Any] = {
    "gain": 0.004,
    "p_holm": 0.6,
    "interval": (-0.012, 0.02),
    "interval_90": (-0.009, 0.017),
    "equivalent": True,
}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "helps"),
        ({"p_holm": 0.06}, "cannot tell"),  # patients say so, runs do not
        ({"interval": (-0.001, 0.1)}, "cannot tell"),  # runs say so, patients do not
        (LOSS, "hurts"),
        ({**LOSS, "p_holm": 0.06}, "cannot tell"),
        ({**LOSS, "interval": (-0.1, 0.001)}, "cannot tell"),
        ({"gain": -0.05}, "cannot tell"),  # they contradict each other
        (SAME, "no difference"),
        ({**SAME, "equivalent": False}, "cannot tell"),
        ({**SAME, "interval_90": (-0.009, 0.021)}, "cannot tell"),
        ({**SAME, "interval_90": (-0.021, 0.009)}, "cannot tell"),
        ({**SAME, "p_holm": 0.001, "interval": (0.001, 0.019)}, "no difference"),  # real but small
        ({"p_holm": np.nan}, "cannot tell"),
        ({"interval": (np.nan, np.nan), "interval_90": (np.nan, np.nan)}, "cannot tell"),
        ({"gain": np.nan, "p_holm": np.nan}, "cannot tell"),
    ],
)
def test_rules(change: dict[str, Any], code: str) -> None:
    given = verdict(CLEAR._replace(**change), "dense", "accuracy")
    assert given.code == code
    assert "nan" not in given.sentence


def test_sentences() -> None:
    helps = verdict(CLEAR, "dense", "accuracy").sentence
    assert helps == (
        "The hybrid helps against dense: accuracy is better by 5.0 points (95% interval of the "
        "gain over folds, seeds and patients +2.0 to +8.0 points; Holm's p = 0.01)."
    )
    hurts = verdict(CLEAR._replace(**LOSS, folds=1), "none", "auroc").sentence
    assert hurts == (
        "The hybrid hurts against none: mean AUROC is worse by 0.050 (95% interval of the gain "
        "over seeds and patients -0.080 to -0.020; Holm's p = 0.01). This is one split: with other "
        "patients to train on it may be otherwise."
    )
    same = verdict(CLEAR._replace(**SAME), "dense", "accuracy").sentence
    assert same.startswith("Hybrid and dense do not differ by as much as 2.0 points in accuracy: ")
    tiny = verdict(CLEAR._replace(p_holm=1e-7), "dense", "accuracy").sentence
    assert "Holm's p < 0.0001" in tiny
    none = verdict(CLEAR._replace(gain=np.nan), "dense", "accuracy")
    assert none.sentence == "There is no accuracy of hybrid and dense to compare."


@pytest.mark.parametrize(
    ("change", "needed", "words"),
    [
        ({"seeds_for_difference": 9}, 9, "About 9 seeds a fold in place of 4 .*, 25 more runs"),
        ({"seeds_for_margin": 7, "patients_se": 0.004}, 7, "About 7 seeds"),
        ({"seeds_for_difference": 9, "seeds_for_margin": 7, "patients_se": 0.004}, 7, "About 7"),
        # patients alone keep the interval wider than the margin
        ({"seeds_for_margin": 7}, None, "takes more patients"),
        # patients alone keep zero in the interval
        ({"seeds_for_difference": 9, "patients_se": 0.03}, None, "takes more patients"),
        ({"seeds_for_difference": 4}, 5, "About 5 seeds a fold"),  # there already, not enough
        ({}, None, "takes more patients"),
        ({"seeds": 1, "seeds_for_difference": 9}, None, "run three or more"),
        ({"patients_se": np.nan, "seeds_for_difference": 9}, None, "takes more patients"),
    ],
)
def test_advice(change: dict[str, Any], needed: int | None, words: str) -> None:
    unclear = CLEAR._replace(p_holm=0.2, **change)
    given = verdict(unclear, "dense", "accuracy")
    assert given.code == "cannot tell"
    assert given.seeds_needed == needed
    assert re.search(words, given.sentence)


def test_being_alike_where_nothing_was_learnt_says_nothing() -> None:
    given = verdict(CLEAR._replace(**SAME, at_floor=True), "dense", "accuracy")
    assert given.code == "cannot tell"
    assert "alike, but neither is surely better than always giving the commonest" in given.sentence
    assert verdict(CLEAR._replace(**LOSS, at_floor=True), "dense", "accuracy").code == "hurts"


ALL = dict.fromkeys(("dense", "matched", "product", "frozen", "none"), "helps")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({}, "quantum part helps", "dense, matched, none, frozen and product are beaten"),
        ({"product": "no difference"}, "helps", r"as well without entanglement \(product\)"),
        ({"frozen": "hurts"}, "helps", r"as well without training \(frozen\)"),
        ({"frozen": "cannot tell"}, "helps", r"not known without training \(frozen\)"),
        ({"none": "no difference"}, "no difference", "the network without it does as well"),
        ({"none": "hurts"}, "hurts", "the network without it does better"),
        (
            {"none": "hurts", "dense": "hurts"},
            "hurts",
            "dense in its place and the network without it do better",
        ),
        ({"none": "cannot tell"}, "helps", r"not known without layer \(none\)"),
        ({"dense": "hurts"}, "hurts", "dense in its place does better"),
        ({"dense": "hurts", "matched": "no difference"}, "hurts", "dense in its place"),
        ({"matched": "no difference"}, "no difference", "matched in its place does as well"),
        ({"matched": "no difference", "dense": "cannot tell"}, "no difference", "matched in"),
        ({"matched": "cannot tell"}, "cannot tell", "matched cannot be told from it"),
        ({"wider": "hurts"}, "quantum part helps", "beaten"),  # a variant that is no twin of ours
    ],
)
def test_overall(change: dict[str, str], code: str, words: str) -> None:
    given = overall({**ALL, **change})
    assert given.code == code
    assert re.search(words, given.sentence)


def test_parts() -> None:
    codes = {"dense": "helps", "product": "no difference", "frozen": "cannot tell"}
    given = overall(codes)
    assert given.parts == {"layer": None, "training": None, "entanglement": False}
    assert given.code == "helps"
    assert overall(ALL).parts == {"layer": True, "training": True, "entanglement": True}


def test_without_a_classical_twin_nothing_is_told() -> None:
    given = overall({"product": "helps", "frozen": "helps", "none": "helps"})
    assert given.code == "cannot tell"
    assert "no classical twin was run" in given.sentence
