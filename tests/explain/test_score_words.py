from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from medqnn.explain.score_words import maps_named, words


def record(estimate: float, low: float | None, high: float | None, **more: Any) -> dict[str, Any]:
    return {"estimate": estimate, "low": low, "high": high, "images": 12, "patients": 10} | more


UP, DOWN, NEITHER = record(0.2, 0.1, 0.3), record(-0.2, -0.3, -0.1), record(0.1, -0.1, 0.3)
ONE_PATIENT = record(0.9, None, None, patients=1)


@pytest.fixture
def found() -> dict[str, Any]:
    def scores(deletion: dict, insertion: dict, head: dict, every: dict) -> dict[str, Any]:
        keys = ("deletion_gain", "insertion_gain", "sanity_head", "sanity_all")
        return dict(zip(keys, (deletion, insertion, head, every), strict=True))

    same, other = record(0.8, 0.6, 0.9), record(0.6, 0.4, 0.8)
    whole = record(1.0, 1.0, 1.0)
    precision = {"average_precision": record(0.19, 0.1, 0.3)}
    return {
        "patients_known": True,
        "reference": "hybrid",
        "scores": {
            "no network": {"flat": {"average_precision": record(0.02, 0.0, 0.1)}}
            | {"usual place": precision},
            "hybrid": {
                "attention": scores(NEITHER, DOWN, whole, other),
                "grad-cam": scores(UP, UP, other, other),
                "random": {"deletion": UP},
            },
            "dense": {
                "attention": scores(NEITHER, UP, whole, same),
                "grad-cam": scores(UP, ONE_PATIENT, other, ONE_PATIENT),
            },
        },
        "ahead": {
            "flat": {"hybrid": {"attention": {"average_precision": UP}}},
            "usual place": {
                "hybrid": {
                    "attention": {"average_precision": UP},
                    "grad-cam": {"average_precision": NEITHER},
                },
                "dense": {
                    "attention": {"average_precision": UP},
                    "grad-cam": {"average_precision": DOWN},
                },
            },
        },
        "differences": {
            "dense": {
                "attention": {
                    "average_precision": record(0.01, 0.0, 0.2, p=0.034),
                    "deletion_gain": record(0.3, 0.0, 0.2, p=0.5),
                },
                "grad-cam": {"average_precision": record(-0.1, 0.0, 0.2, p=1e-9)},
            }
        },
    }


def test_each_verdict_goes_by_the_interval(found: dict[str, Any]) -> None:
    tumour, answer, learnt, head, beside = words(found)
    assert "average precision of 0.190 (a flat map: 0.020)" in tumour
    assert "better than it: attention of hybrid and dense. " in tumour
    assert "worse: Grad-CAM of dense. " in tumour
    assert tumour.endswith("Not to be told from it: Grad-CAM of hybrid.")
    assert "surely, for Grad-CAM of hybrid and dense. Showing" in answer
    assert answer.endswith(
        "surely, for attention of dense; Grad-CAM of hybrid. "
        "So few patients (1) decide nothing; insertion, over random: Grad-CAM of dense +0.900."
    )
    assert "(|ρ| above 0.5): attention of dense; they fail" in learnt
    assert "do not decide: attention of hybrid; Grad-CAM of hybrid." in learnt
    assert learnt.endswith("(1) decide nothing; mean |ρ|: Grad-CAM of dense 0.900.")
    assert "changed" not in learnt
    assert head.startswith("Untouched by the head: attention of hybrid and dense stay")
    assert beside.startswith(
        "hybrid minus dense, average precision: attention +0.010 (p = 0.034), "
    )
    assert "Grad-CAM -0.100 (p < 0.0001); Wilcoxon's test over patients" in beside


def test_without_masks_and_failures_the_sentences_change(found: dict[str, Any]) -> None:
    found["ahead"] = {"flat": {}, "usual place": {}}
    found["patients_known"] = False
    found["scores"]["dense"]["attention"]["sanity_all"] = NEITHER
    found["scores"]["hybrid"]["attention"]["sanity_all"] = record(0.4, 0.3, 0.5)
    for variant in ("hybrid", "dense"):
        found["scores"][variant]["attention"]["sanity_head"] = NEITHER
        for method in ("attention", "grad-cam"):
            found["scores"][variant][method]["deletion_gain"] = DOWN
    answer, learnt, beside = words(found)
    assert "surely, for none. Showing" in answer
    assert "fail" not in learnt
    assert "anew: surely changed (|ρ| below 0.5): attention of dense. " in learnt
    assert "do not decide: attention of hybrid; Grad-CAM of hybrid. So few images (1)" in learnt
    assert "deletion, over random: attention +0.300 (p = 0.5); " in beside
    assert "over images" in beside


def test_without_a_usual_place_the_flat_map_is_the_measure(found: dict[str, Any]) -> None:
    found["ahead"]["usual place"] = {}
    assert words(found)[0].startswith(
        "On the tumour: a flat map ranks tumour pixels with an average precision of 0.020. "
        "Surely better than it: attention of hybrid."
    )


def every_record(found: Any) -> Iterator[dict[str, Any]]:
    if "estimate" in found:
        yield found
    else:
        for one in found.values():
            yield from every_record(one) if isinstance(one, dict) else ()


@pytest.mark.parametrize("key", ["patients", "images"])
def test_of_few_patients_numbers_are_given_and_nothing_is_sure(
    found: dict[str, Any], key: str
) -> None:
    for one in every_record(found):
        one.pop("patients", None)  # a file that counts only images
        one[key] = 9
    tumour, answer, learnt, *_ = words(found)
    assert not [text for text in words(found) if "urely" in text or "fail" in text]
    assert tumour.endswith(
        "(a flat map: 0.020). So few patients (9) decide nothing; average precision, minus its: "
        "attention of hybrid +0.200 and dense +0.200; "
        "Grad-CAM of hybrid +0.100 and dense -0.200."
    )
    assert answer.startswith(
        "On the answer: so few patients (9) decide nothing; deletion, over random: attention of "
    )
    assert learnt.endswith(
        "mean |ρ|: attention of hybrid 0.600 and dense 0.800; "
        "Grad-CAM of hybrid 0.600 and dense 0.900."
    )


def test_without_an_interval_nothing_is_decided(found: dict[str, Any]) -> None:
    found["scores"]["dense"]["grad-cam"]["sanity_all"] = record(0.9, None, None)
    assert "do not decide: attention of hybrid; Grad-CAM of hybrid and dense." in words(found)[2]


def test_undefined_correlations_are_not_spoken_of(found: dict[str, Any]) -> None:
    for variant in ("hybrid", "dense"):
        for method in ("attention", "grad-cam"):
            del found["scores"][variant][method]["sanity_all"]
    assert not [text for text in words(found) if text.startswith("On what was learnt")]


def test_maps_are_named_by_method() -> None:
    names = [("grad-cam", "a"), ("grad-cam", "b"), ("grad-cam", "c"), ("occlusion", "a")]
    assert maps_named(names) == "Grad-CAM of a, b and c; occlusion of a"
