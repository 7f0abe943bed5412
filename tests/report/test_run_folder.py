from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from medqnn.errors import RunError
from medqnn.evaluation.predictions import read_predictions
from medqnn.report.run_folder import read_run

from .runs import CLASSES, read_json


def test_reads_all_that_a_run_left(run: Path) -> None:
    read = read_run(run)
    assert [variant.name for variant in read.variants] == ["hybrid", "dense"]
    assert read.classes == list(CLASSES)
    assert read.about["published"]["parameters"] == 12
    assert read.recipe == (run / "recipe.yaml").read_text()
    assert read.comparisons == read_json(run / "comparisons.json")
    dense = read.variants[1]
    assert dense.metrics == read_json(run / "dense" / "metrics.json")
    assert (dense.predictions.ids == read_predictions(run / "dense" / "predictions.csv").ids).all()
    assert dense.attention is not None
    assert len(dense.attention["ids"]) == len(dense.predictions)


def test_ids_keep_their_leading_zeros(run: Path) -> None:
    read = read_run(run)
    assert read.split["id"][3] == "0003"
    assert set(read.variants[0].localisation) <= set(read.split["id"])


def test_what_a_network_without_attention_lacks_is_none(
    run_maker: Callable[..., Path], tmp_path: Path
) -> None:
    read = read_run(run_maker(tmp_path / "run", variants=("hybrid",), attention=False))
    assert read.panels is None
    assert read.gallery is not None
    assert not read.gallery["masks"].any()
    assert read.comparisons == []
    assert read.variants[0].attention is None
    assert read.variants[0].localisation == {}


def test_rows_are_sorted_by_class(run: Path) -> None:
    read = read_run(run)
    assert list(read.by_class()) == list(CLASSES)
    for name, rows in read.by_class().items():
        assert list(rows["id"]) == list(read.split.loc[read.split["label"] == name, "id"])


def test_an_image_stands_under_each_of_its_findings(
    run_maker: Callable[..., Path], tmp_path: Path
) -> None:
    classes = ("effusion", "mass", "hernia", "none")
    read = read_run(run_maker(tmp_path / "run", classes=classes, attention=False, multilabel=True))
    by_class = read.by_class()
    assert list(by_class) == ["effusion", "mass", "hernia", "no finding"]
    for name, rows in by_class.items():
        shown = [name in label.split("|") for label in read.split["label"]]
        assert list(rows["id"]) == list(read.split.loc[shown, "id"])
        assert len(rows) > 0
    assert sum(map(len, by_class.values())) > len(read.split)


def test_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"run\.json"):
        read_run(tmp_path)


@pytest.mark.parametrize("name", ["recipe.yaml", "split.csv", "hybrid/metrics.json"])
def test_missing_file_is_named(run_maker: Callable[..., Path], tmp_path: Path, name: str) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",))
    (path / name).unlink()
    with pytest.raises(RunError, match=name):
        read_run(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.yaml", "a: [1"),
        ("comparisons.json", "{"),
        ("panels.npz", "no archive"),
        ("hybrid/history.csv", "epoch,train_loss\n1,0.5\n"),
        ("hybrid/predictions.csv", "id,label\na,0\n"),
    ],
)
def test_broken_file_is_one_line_that_names_it(
    run_maker: Callable[..., Path], tmp_path: Path, name: str, content: str
) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",))
    (path / name).write_text(content)
    with pytest.raises(RunError, match=name) as raised:
        read_run(path)
    assert "\n" not in str(raised.value)


def test_incomplete_run_is_refused_with_the_mend(
    run_maker: Callable[..., Path], tmp_path: Path
) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",))
    facts = read_json(path / "run.json") | {"status": "interrupted"}
    (path / "run.json").write_text(json.dumps(facts))
    with pytest.raises(RunError, match=r"interrupted.*medqnn train"):
        read_run(path)


def test_pages_know_the_data_by_name_not_by_path(
    run_maker: Callable[..., Path], tmp_path: Path
) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",))
    facts = json.loads((path / "run.json").read_text())
    facts["data"] |= {"source": "/home/ann/Doe_John/scans", "split_file": "/home/ann/split.csv"}
    (path / "run.json").write_text(json.dumps(facts))
    data = read_run(path).facts["data"]
    assert (data["source"], data["split_file"]) == ("scans", "split.csv")
