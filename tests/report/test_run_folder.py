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
    read = read_run(run_maker(tmp_path / "run", variants=("hybrid",), masks=False))
    assert read.panels is None
    assert read.gallery is None
    assert read.comparisons == []
    assert read.variants[0].attention is None
    assert read.variants[0].localisation == {}


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
