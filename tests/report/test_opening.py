from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medqnn.report import data
from medqnn.report.opening import commonest, in_words, section
from medqnn.report.run_folder import read_run

from .runs import read_json

Maker = Callable[..., Path]


def test_main_figures_are_those_of_the_metrics(run: Path) -> None:
    scores = read_json(run / "dense" / "metrics.json")["scores"]
    for score in ("accuracy", "balanced_accuracy"):
        record = scores[score]
        numbers = "{estimate:.1%} (95% interval {low:.1%} to {high:.1%})".format(**record)
        assert numbers in section(read_run(run))["figures"][1]


def test_two_classes_and_findings_have_their_own_words(run_maker: Maker, tmp_path: Path) -> None:
    binary = {"classes": ("rest", "ill"), "attention": False}
    variant = read_run(run_maker(tmp_path / "binary", **binary)).variants[1]
    recall = variant.metrics["class_report"]
    assert recall["ill"]["recall"] != recall["rest"]["recall"]
    words = in_words(variant)
    of_ill, of_rest = words.partition(": ")[2].split(" and ")
    assert of_ill.startswith(f"{recall['ill']['recall']:.1%} (95%")
    assert of_ill.endswith(") of ill")
    assert of_rest.startswith(f"{recall['rest']['recall']:.1%} (95%")
    assert of_rest.endswith(") of rest.")
    findings = {**binary, "classes": (*"abc", "none"), "multilabel": True}
    variant = read_run(run_maker(tmp_path / "findings", **findings)).variants[0]
    auroc = variant.metrics["scores"]["auroc"]["estimate"]
    assert f"over the findings of {auroc:.3f} (95%" in in_words(variant)
    assert commonest(variant.metrics) is None


def test_what_the_commonest_answer_would_reach(run: Path) -> None:
    table = read_run(run).split.query("part == 'test'")["label"].value_counts()
    words = commonest(read_run(run).variants[0].metrics)
    assert words is not None
    assert words.startswith(f"Answering {table.index[0]} to every image")
    assert f"({table.iloc[0]} of {table.sum()})" in words


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"synthetic": True, "leak": None}, "No copies were searched for"),
        ({}, "older than the search"),
        ({"leak": None}, "none was found."),
        ({"leak": None, "image_size": 28}, "identical images alone"),
        ({"leak": "3 of 9 images"}, "found a leak: 3 of 9 images."),
        ({"leak": None, "skipped": 1200}, "1,200 images could not be used"),
        ({"leak": None, "skipped": 0}, "All images of the source could be read"),
        ({"leak": None, "split_file": "/somewhere/mine.csv"}, "from the file mine.csv."),
    ],
)
def test_checks_before_training_are_told(facts: dict[str, object], said: str) -> None:
    sentences = data.findings({"synthetic": False, "image_size": 128, **facts})
    assert any(said in sentence for sentence in sentences)
    assert ("leak:" in " ".join(sentences)) == bool(facts.get("leak"))
