from __future__ import annotations

from typing import Any

import pytest

from medqnn.explain.score_words import maps_named, words


def record(estimate: float, low: float | None, high: float | None, **more: Any) -> dict[str, Any]:
    return {"estimate": estimate, "low": low, "high": high, "images": 9, **more}


UP, DOWN, NEITHER = record(0.2, 0.1, 0.3), record(-0.2, -0.3, -0.1), record(0.1, -0.1, 0.3)
ONE_PATIENT = record(0.9, None, None)


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
    assert "surely, for Grad-CAM of hybrid and dense; showing" in answer
    assert answer.endswith("surely, for attention of dense; Grad-CAM of hybrid.")
    assert "(|ρ| above 0.5) for attention of dense. They fail" in learnt
    assert head.startswith("Untouched by the head: attention of hybrid and dense stay")
    assert beside.startswith(
        "hybrid minus dense, average precision: attention +0.010 (p = 0.034), "
    )
    assert "Grad-CAM -0.100 (p < 0.0001); Wilcoxon's test over patients" in beside


def test_without_masks_and_failures_the_sentences_change(found: dict[str, Any]) -> None:
    found["ahead"] = {"flat": {}, "usual place": {}}
    found["patients_known"] = False
    found["scores"]["dense"]["attention"]["sanity_all"] = NEITHER
    for variant in ("hybrid", "dense"):
        found["scores"][variant]["attention"]["sanity_head"] = NEITHER
        for method in ("attention", "grad-cam"):
            found["scores"][variant][method]["deletion_gain"] = DOWN
    answer, learnt, beside = words(found)
    assert "surely, for none; showing" in answer
    assert "no map surely stays much the same" in learnt
    assert "deletion, over random: attention +0.300 (p = 0.5); " in beside
    assert "over images" in beside


def test_without_a_usual_place_the_flat_map_is_the_measure(found: dict[str, Any]) -> None:
    found["ahead"]["usual place"] = {}
    assert words(found)[0].startswith(
        "On the tumour: a flat map ranks tumour pixels with an average precision of 0.020. "
        "Surely better than it: attention of hybrid."
    )


def test_maps_are_named_by_method() -> None:
    names = [("grad-cam", "a"), ("grad-cam", "b"), ("grad-cam", "c"), ("occlusion", "a")]
    assert maps_named(names) == "Grad-CAM of a, b and c; occlusion of a"
