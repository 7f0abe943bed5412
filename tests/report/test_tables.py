from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medqnn.report import tables
from medqnn.report.run_folder import Run, read_run

from .runs import CLASSES, read_json


@pytest.fixture(scope="module")
def read(run: Path) -> Run:
    return read_run(run)


def test_scores_stand_under_their_variant(read: Run) -> None:
    table = tables.score_table(read.variants, main=True)
    assert table.columns == ["Score", "hybrid", "dense"]
    for row, name in zip(table.rows, ("accuracy", "macro_f1", "auroc"), strict=True):
        for cell, variant in zip(row.cells, read.variants, strict=True):
            record = variant.metrics["scores"][name]
            form = "{:.1%}" if name == "accuracy" else "{:.3f}"
            assert cell.text == form.format(record["estimate"])
            low, high = (form.format(record[end]) for end in ("low", "high"))
            assert cell.note == f"{low} to {high}"


def test_table_1_has_every_class_and_average(read: Run) -> None:
    table = tables.class_table(read.variants)
    assert [row.head for row in table.rows] == [*CLASSES, "macro average", "weighted average"]
    assert sum(span for _, span in table.groups) == len(table.columns)
    dense = read.variants[1].metrics
    recall = table.rows[2].cells[4]  # of glioma, by dense
    assert recall.text == f"{dense['class_report']['glioma']['recall']:.3f}"
    record = dense["scores"]["recall[glioma]"]
    assert recall.note == f"{record['low']:.3f} to {record['high']:.3f}"
    assert [row.cells[-1].text for row in table.rows] == ["20", "12", "8", "8", "48", "48"]


REPORTED = [key for key in tables.AVERAGES if key[1] in tables.MEASURES]


@pytest.mark.parametrize(("average", "measure"), REPORTED)
def test_an_average_is_the_score_whose_interval_it_takes(
    read: Run, average: str, measure: str
) -> None:
    metrics = read.variants[0].metrics
    score = metrics["scores"][tables.AVERAGES[average, measure]]["estimate"]
    assert metrics["class_report"][average][measure] == pytest.approx(score)


def test_mcnemar_counts_stand_in_their_cells(read: Run) -> None:
    counts = read.comparisons[0]["mcnemar"]
    right, wrong = tables.mcnemar_table(read.comparisons[0]).rows
    assert [cell.text for cell in right.cells] == [
        str(counts["both_right"]),
        str(counts["only_a"]),
    ]
    assert [cell.text for cell in wrong.cells] == [
        str(counts["only_b"]),
        str(counts["both_wrong"]),
    ]


def test_differences_say_whether_zero_is_inside(read: Run) -> None:
    comparison = read.comparisons[0]
    records = {"a": 0.9, "b": 0.8, "difference": 0.1}
    for (low, high), verdict in {
        (0.05, 0.15): "outside",
        (-0.15, -0.05): "outside",
        (-0.1, 0.3): "inside",
        (0.0, 0.3): "inside",
        (None, None): "–",
    }.items():
        accuracy = records | {"low": low, "high": high}
        differences = comparison["differences"] | {"accuracy": accuracy}
        row = tables.difference_table(comparison | {"differences": differences}).rows[0]
        assert row.cells[-1].text == verdict
    assert [cell.text for cell in row.cells[:3]] == ["0.900", "0.800", "+0.100"]


def test_table_2_holds_means_and_both_tests(read: Run) -> None:
    table = tables.localisation_table(read.variants, read.comparisons, patients_known=True)
    assert table is not None
    assert sum(span for _, span in table.groups) == len(table.columns)
    names = [row.head for row in table.rows]
    assert names == ["τ = 0.99", "τ = 0.90", "τ = 0.75", "top 1%", "top 10%", "top 25%"]
    hybrid = read.variants[0].metrics["localisation"]["jaccard@0.75"]
    cells = table.rows[2].cells
    assert cells[0].text == f"{hybrid['estimate']:.3f}"
    record = read.comparisons[0]["localisation"][2]
    assert cells[2].note == f"n = {record['images']['n']}" == "n = 28"
    assert cells[3].note == f"n = {record['patients']['n']}" == "n = 7"


def test_table_2_is_left_out_without_masks(read: Run) -> None:
    metrics = {k: v for k, v in read.variants[0].metrics.items() if k != "localisation"}
    bare = [replace(read.variants[0], metrics=metrics)]
    assert tables.localisation_table(bare, [], patients_known=True) is None


def test_table_2_has_no_test_by_patient_where_patients_are_unknown(read: Run) -> None:
    table = tables.localisation_table(read.variants, read.comparisons, patients_known=False)
    assert table is not None
    assert table.columns == ["Region", "hybrid", "dense", "p by image"]
    assert sum(span for _, span in table.groups) == len(table.columns)
    assert {len(row.cells) for row in table.rows} == {3}


def test_split_table_counts_images_and_patients(read: Run) -> None:
    table = tables.split_table(read)
    glioma, everything = table.rows[2], table.rows[-1]
    assert [cell.text for cell in glioma.cells] == ["24", "6", "8", "2", "8", "2"]
    assert [cell.text for cell in everything.cells] == ["144", "36", "48", "12", "48", "12"]
    facts = read.facts | {"data": read.facts["data"] | {"patients_known": False}}
    alone = tables.split_table(replace(read, facts=facts))
    assert [cell.text for cell in alone.rows[2].cells] == ["24", "8", "8"]


def test_split_table_shows_an_empty_part(read: Run) -> None:
    split = read.split[read.split["part"] != "val"]
    row = tables.split_table(replace(read, split=split)).rows[0]
    assert [cell.text for cell in row.cells] == ["60", "15", "0", "0", "20", "5"]


def test_costs_are_those_of_the_metrics(run: Path, read: Run) -> None:
    dense = read_json(run / "dense" / "metrics.json")
    texts = [row.cells[1].text for row in tables.cost_table(read.variants).rows]
    assert texts == ["1,650,124", "151", "12", str(dense["best_epoch"]), "4.2"]
