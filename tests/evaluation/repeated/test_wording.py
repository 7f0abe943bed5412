from __future__ import annotations

from medqnn.evaluation.repeated.wording import amount, listed, named, span


def test_shares_are_told_in_points() -> None:
    assert amount(0.0213, "accuracy") == "2.1 points"
    assert amount(0.0213, "auroc") == "0.021"
    assert span(-0.004, 0.05, "macro_f1") == "-0.4 to +5.0 points"
    assert span(-0.004, 0.05, "brier") == "-0.004 to +0.050"


def test_names() -> None:
    assert named("balanced_accuracy") == "balanced accuracy"
    assert named("auroc") == "mean AUROC"


def test_lists() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b and c"
