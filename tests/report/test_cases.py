from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from medqnn.report import operating_points
from medqnn.report.cases import section
from medqnn.report.html import write_report
from medqnn.report.run_folder import read_run

from .page import Page

Maker = Callable[..., Path]


def test_counts_are_those_of_the_predictions(run: Path) -> None:
    failed = section(read_run(run))["failed"]
    hybrid, dense = (v.predictions for v in read_run(run).variants)
    wrong = [set(p.ids[p.probabilities.argmax(1) != p.labels]) for p in (hybrid, dense)]
    shared = failed["shared"]
    assert (failed["errors"], failed["images"]) == (len(wrong[0]), len(hybrid))
    assert shared[:3] == (len(wrong[0]), len(wrong[1]), len(wrong[0] & wrong[1]))


def test_pictures_have_truth_and_both_answers_below(run: Path) -> None:
    failed = section(read_run(run))["failed"]
    table = pd.read_csv(run / "hybrid" / "failures.csv", dtype=str)
    dense = read_run(run).variants[1].predictions
    assert len(failed["panels"]) == min(len(table), 12)
    for panel, (_, row) in zip(failed["panels"], table.iterrows(), strict=False):
        at = int(np.flatnonzero(dense.ids == row["id"])[0])
        said = dense.classes[dense.probabilities[at].argmax()]
        right = " (right)" if said == row["label"] else ""
        assert panel.lines == [
            row["id"],
            f"true: {row['label']}",
            f"hybrid: {row['predicted']} ({float(row['confidence']):.1%})",
            f"dense: {said}{right}",
        ]
    assert failed["outlined"]


def test_the_hybrid_is_shown_wherever_it_stands(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", variants=("dense", "hybrid", "none"), attention=False)
    failed = section(read_run(path))["failed"]
    assert (failed["network"], failed["twin"]) == ("hybrid", "dense")
    assert not failed["outlined"]


def test_one_network_alone_shares_nothing(run_maker: Maker, tmp_path: Path) -> None:
    failed = section(read_run(run_maker(tmp_path / "run", variants=("dense",), rgb=True)))["failed"]
    assert (failed["network"], failed["twin"], failed["shared"]) == ("dense", None, None)
    assert all(len(panel.lines) == 3 for panel in failed["panels"])


def test_a_network_without_errors_is_called_so(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", attention=False)
    file = path / "hybrid" / "predictions.csv"
    table = pd.read_csv(file, dtype={"id": str})
    probabilities = [name for name in table if name.startswith("p_")]
    table[probabilities] = np.eye(len(probabilities))[table["label"]]
    table.to_csv(file, index=False)
    page = Page(write_report(path))
    assert page.text("failures") == "Where it is wrong hybrid is right on all 48 test images."


def test_a_run_of_before_has_no_section(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", attention=False)
    (path / "hybrid" / "failures.npz").unlink()
    metrics = json.loads((path / "dense" / "metrics.json").read_text())
    del metrics["operating_points"]  # a run that was resumed: one network older than the other
    (path / "dense" / "metrics.json").write_text(json.dumps(metrics))
    old = read_run(path)
    assert section(old)["failed"] is None
    assert operating_points.section(old)["operating"] is None
