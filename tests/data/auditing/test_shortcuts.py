from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medqnn.data.auditing.shortcuts import Shortcut, shortcuts

CLASSES = np.array(["a", "b", "c"])


def facts_of(labels: np.ndarray, seed: int = 100) -> pd.DataFrame:
    """Facts that say nothing of the labels."""
    rng = np.random.default_rng(seed)
    count = len(labels)
    return pd.DataFrame(
        {
            "width": 128.0,
            "height": 128.0,
            "format": rng.choice(["PNG", "JPEG"], count),
            "pixels": "grey uint8",
            "border_mean": rng.random(count),
            "border_sd": rng.random(count),
            "mean": rng.random(count),
        }
    )


@pytest.fixture
def labels() -> np.ndarray:
    return CLASSES[np.random.default_rng(1).integers(0, 3, 300)]


def run(
    facts: pd.DataFrame, labels: np.ndarray, groups: np.ndarray | None = None
) -> list[Shortcut]:
    return shortcuts(facts, pd.Series(labels), np.arange(len(labels)) if groups is None else groups)


def warned(found: list[Shortcut]) -> set[tuple[str, str]]:
    return {(one.fact, one.label) for one in found if one.warning}


def test_facts_that_say_nothing_raise_no_warning(labels: np.ndarray) -> None:
    for seed in range(100, 105):
        found = run(facts_of(labels, seed), labels)
        assert not warned(found)
        assert {one.fact for one in found} == {"file format", "border", "mean intensity"}


def test_each_planted_shortcut_is_named(labels: np.ndarray) -> None:
    is_a, is_b = labels == "a", labels == "b"
    facts = facts_of(labels)
    facts.loc[is_a, "width"] = 512.0
    facts.loc[:, "format"] = np.where(is_b, "JPEG", "PNG")
    facts.loc[is_a, "border_sd"] += 2
    facts.loc[is_b, "mean"] += 0.8
    found = run(facts, labels)
    told = {("image size", "a"), ("file format", "b"), ("border", "a"), ("mean intensity", "b")}
    assert told <= warned(found)
    sure = next(one for one in found if (one.fact, one.label) == ("image size", "a"))
    assert (sure.accuracy, sure.gain) == (1, 1)
    assert sure.majority == pytest.approx(1 - is_a.mean())
    gains = [one.gain for one in found]
    assert gains == sorted(gains, reverse=True)


def test_copies_do_not_teach_the_tree() -> None:
    """Groups of equal images: what a tree learns by heart does not help on other groups."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(24), 40)
    labels = CLASSES[rng.permutation(24) % 2][groups]
    facts = facts_of(labels)
    facts["mean"] = rng.random(24)[groups]
    accuracy = {one.accuracy for one in run(facts, labels, groups) if one.fact == "mean intensity"}
    assert max(accuracy) < 0.65


def test_of_two_classes_one_is_tried(labels: np.ndarray) -> None:
    two = np.where(labels == "c", "b", labels)
    assert {one.label for one in run(facts_of(two), two)} == {"a"}


def test_small_classes_are_left_out(labels: np.ndarray) -> None:
    labels = labels.copy()
    labels[labels == "c"] = "a"
    labels[:9] = "c"
    assert {one.label for one in run(facts_of(labels), labels)} == {"a", "b"}
    assert run(facts_of(labels[:5]), labels[:5]) == []


def test_findings(labels: np.ndarray) -> None:
    names = pd.Series(
        np.where(labels == "a", "mass|cyst", np.where(labels == "b", "cyst", "no finding"))
    )
    facts = facts_of(labels)
    facts.loc[labels == "a", "mean"] += 3
    found = shortcuts(facts, names, np.arange(len(labels)), multilabel=True)
    assert {one.label for one in found} == {"mass", "cyst"}
    assert ("mean intensity", "mass") in warned(found)
