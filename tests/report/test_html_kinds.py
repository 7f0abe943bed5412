"""Reports of binary tasks, of findings that occur together, of other systems and older runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from medqnn.report.html import write_report

from .page import SECTIONS, Page
from .runs import read_json

Maker = Callable[..., Path]


def test_two_classes_have_sensitivity_and_specificity(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(
        tmp_path / "run",
        classes=("rest", "1 + 2"),
        attention=False,
        patients_known=False,
        rgb=True,
        synthetic=False,
        task="one-vs-rest: 1 + 2 against the rest",
        benchmark="medmnist",
    )
    page = Page(write_report(path))
    assert "Taskone-vs-rest: 1 + 2 against the rest" in page.text("purpose")
    metrics = read_json(path / "dense" / "metrics.json")
    for head, label in (("Sensitivity", "1 + 2"), ("Specificity", "rest")):
        record = metrics["scores"][f"recall[{label}]"]
        assert record["estimate"] == metrics["class_report"][label]["recall"]
        numbers = [f"{record[key]:.1%}" for key in ("estimate", "low", "high")]
        for section in ("answer", "classes"):
            cell = page.row(section, f"{head} (recall of {label})")[1]
            assert cell == "{} {} to {}".format(*numbers)
    assert "of the images of 1 + 2 that are found" in page.text("operating")
    assert page.row("answer", "MedMNIST's ACC")[1] == f"{metrics['medmnist']['acc']:.1%}"
    assert page.row("answer", "MedMNIST's AUC")[1] == f"{metrics['medmnist']['auc']:.3f}"
    assert sum("ROC" in (a.get("alt") or "") for tag, a in page.tags if tag == "img") == 1
    every = " ".join(page.text(name) for name in page.sections if name != "reproducibility")
    for said in (
        "patients unknown",  # the data
        "names no patients",  # the answer
        "By patient, stratified",  # the rule of the split as this made-up run has it
        "does not name patients; each image counts as a patient of its own",
        "Patients are unknown: images of one patient",
    ):
        assert said in every
        every = every.replace(said, "")
    assert "patient" not in every.lower()


def test_findings_that_occur_together(run_maker: Maker, tmp_path: Path) -> None:
    classes = (*"abcdefghijklmn", "none")
    path = run_maker(
        tmp_path / "run", classes=classes, attention=False, multilabel=True, benchmark="medmnist"
    )
    page = Page(write_report(path))
    assert [n for n in page.sections if n] == [n for n in SECTIONS if n != "failures"]
    left_out = [name for name, text in page.sections.items() if "Left out" in text]
    assert left_out == ["confusion", "reliability", "localisation", "panels"]
    metrics = read_json(path / "dense" / "metrics.json")
    record = metrics["scores"]["auroc[c]"]
    numbers = [f"{record[key]:.3f}" for key in ("estimate", "low", "high")]
    cells = page.row("classes", "c")
    assert cells[4] == "{} {} to {}".format(*numbers)
    assert cells[6].startswith(f"{metrics['class_report']['c']['specificity']:.3f} ")
    assert cells[-1] == str(metrics["class_report"]["c"]["support"])
    (comparison,) = read_json(path / "comparisons.json")
    assert comparison["words"] in page.text("answer")
    difference = comparison["differences"]["auroc[c]"]["difference"]
    assert page.row("comparison", "AUROC of c")[2] == f"{difference:+.3f}"
    assert "McNemar" not in " ".join(page.sections.values())
    drawn = [a["alt"] for tag, a in page.tags if tag == "img" and "ROC" in (a.get("alt") or "")]
    areas = [metrics["scores"][f"auroc[{name}]"]["estimate"] for name in classes[:-1]]
    assert len(drawn) == sum(area is not None for area in areas)
    assert 0 < len(drawn) < 14
    assert "has no curve" in page.text("roc")
    assert page.row("split", "no finding")
    assert page.row("operating", "c, 90%")
    assert "only 90% is shown" in page.text("operating")


def test_figures_of_another_paper_are_named_in_its_own_report_alone(
    run_maker: Maker, tmp_path: Path
) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",), attention=False)
    page = Page(write_report(path))
    facts = read_json(path / "run.json") | {"system": "hqcnn-medmnist"}
    (path / "run.json").write_text(json.dumps(facts))
    other = Page(write_report(path))
    assert "of HQCM-EBTC" in page.text("classes")
    assert "hybrid is wrong on" in page.text("failures")
    assert "expected" not in page.text("failures")
    assert "of HQCM-EBTC" not in " ".join(other.sections.values())


def test_an_older_run_without_task_is_shown(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",))
    facts = read_json(path / "run.json")
    for key in ("task", "benchmark", "multilabel"):
        del facts["data"][key]
    (path / "run.json").write_text(json.dumps(facts))
    metrics = read_json(path / "hybrid" / "metrics.json")
    del metrics["task"], metrics["patients_known"], metrics["operating_points"]
    (path / "hybrid" / "failures.npz").unlink()
    (path / "hybrid" / "metrics.json").write_text(json.dumps(metrics))
    page = Page(write_report(path))
    assert page.row("answer", "AUROC (one-vs-rest)")
    assert "Task" not in page.text("purpose")
    assert {"operating", "failures", "subgroups"}.isdisjoint(page.sections)
