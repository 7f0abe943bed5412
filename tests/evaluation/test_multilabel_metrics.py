from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from medqnn.evaluation.metrics import class_report, scores, weighted_scores
from medqnn.evaluation.multilabel import MultiLabelPredictions


def scikit_learn_scores(p: MultiLabelPredictions, weights: np.ndarray) -> dict[str, float]:
    """The same scores by scikit-learn, where every finding occurs."""
    y, said, options = p.labels, p.predicted, {"sample_weight": weights}
    macro = {"average": "macro", **options}
    expected = {
        "auroc": sk.roc_auc_score(y, p.probabilities, **macro),
        "average_precision": sk.average_precision_score(y, p.probabilities, **macro),
        "macro_f1": sk.f1_score(y, said, zero_division=0, **macro),
        "label_accuracy": 1 - sk.hamming_loss(y, said, **options),
        "exact_match": sk.accuracy_score(y, said, **options),
    }
    for k, name in enumerate(p.classes):
        truth, answer, score = y[:, k], said[:, k], p.probabilities[:, k]
        zero = {"zero_division": 0, **options}
        expected |= {
            f"auroc[{name}]": sk.roc_auc_score(truth, score, **options),
            f"average_precision[{name}]": sk.average_precision_score(truth, score, **options),
            f"precision[{name}]": sk.precision_score(truth, answer, **zero),
            f"recall[{name}]": sk.recall_score(truth, answer, **zero),
            f"specificity[{name}]": sk.recall_score(truth, answer, pos_label=False, **zero),
            f"f1[{name}]": sk.f1_score(truth, answer, **zero),
        }
    return expected


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_agree_with_scikit_learn(findings: MultiLabelPredictions, weighted: bool) -> None:
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.1, 3, len(findings)) if weighted else np.ones(len(findings))
    given = scores(findings, weights if weighted else None)
    assert given == pytest.approx(scikit_learn_scores(findings, weights), abs=1e-12)


def test_many_weightings_are_many_scores(findings: MultiLabelPredictions) -> None:
    weights = np.random.default_rng(0).integers(0, 4, (5, len(findings))).astype(float)
    together = weighted_scores(findings, weights)
    for r in range(5):
        assert together.iloc[r].to_dict() == pytest.approx(scores(findings, weights[r]))


def test_findings_that_none_or_all_show(findings: MultiLabelPredictions) -> None:
    labels = findings.labels.copy()
    labels[:, 1], labels[:, 2] = False, True
    given = scores(replace(findings, labels=labels))
    of = findings.classes
    undefined = {name for name, value in given.items() if np.isnan(value)}
    assert undefined == {
        *(f"{m}[{of[1]}]" for m in ("auroc", "average_precision", "precision", "recall", "f1")),
        *(f"{m}[{of[2]}]" for m in ("auroc", "specificity")),
    }
    assert given["auroc"] == pytest.approx(np.mean([given[f"auroc[{of[k]}]"] for k in (0, 3)]))
    assert given["macro_f1"] == pytest.approx(np.mean([given[f"f1[{of[k]}]"] for k in (0, 2, 3)]))


def test_report_agrees_with_scikit_learn(findings: MultiLabelPredictions) -> None:
    report = class_report(findings)
    expected = sk.classification_report(
        findings.labels,
        findings.predicted,
        target_names=findings.classes,
        output_dict=True,
        zero_division=0,
    )
    assert list(report.index) == [*findings.classes, "macro average"]
    columns = ["precision", "recall", "f1", "support"]
    for name, row in report[columns].iterrows():
        values = expected["macro avg" if name == "macro average" else name].values()
        assert row.to_list() == pytest.approx(list(values))
    given = scores(findings)
    specificities = [given[f"specificity[{name}]"] for name in findings.classes]
    assert report["specificity"].to_list() == pytest.approx(
        [*specificities, np.mean(specificities)]
    )
    assert report["support"].dtype == np.int64
