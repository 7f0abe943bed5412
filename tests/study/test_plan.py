from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from medqnn.errors import DataError, RecipeError, RunError
from medqnn.study.folder import SHARED, Cell, Plan, StudyFolder, is_study
from medqnn.study.jobs import TrainCell, fold_data
from medqnn.study.plan import start
from training.tiny import read_index, tiny_recipe, write_folder, write_index


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "squares", patients=10)


def begin(data: Path, path: Path, **options: Any) -> StudyFolder:
    recipe = tiny_recipe("variants=[hybrid,none]", "training.epochs=1", "seed=3")
    return start(recipe, str(data), path, **{"seeds": 2, "margin": 0.02, **options})


def test_plan_is_written_and_read_back(data: Path, tmp_path: Path) -> None:
    study = begin(data, tmp_path / "study", folds=2, tune=4)
    assert study.plan() == Plan(("hybrid", "none"), (3, 4), 2, 4, 0.02)
    assert is_study(study.path)
    assert not is_study(tmp_path)
    assert not list(tmp_path.glob(".*"))
    assert len(study.plan().cells(SHARED)) == 8
    parts = [pd.read_csv(study.split(fold)) for fold in (1, 2)]
    counts = [
        {part: int((one["split"] == part).sum()) for part in ("train", "val", "test")}
        for one in parts
    ]
    assert [{key: fold[key] for key in counts[0]} for fold in study.facts()["folds"]] == counts


def test_cells_that_are_compared_come_after_each_other() -> None:
    cells = Plan(("hybrid", "dense"), (0, 1), 2, 0, 0.02).cells(SHARED)
    assert cells[:2] == [Cell(SHARED, "hybrid", 1, 0), Cell(SHARED, "dense", 1, 0)]
    assert [(cell.fold, cell.seed) for cell in cells[::2]] == [(1, 0), (2, 0), (1, 1), (2, 1)]


def test_a_cell_is_trained_on_its_fold_and_seed(data: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    study = begin(data, tmp_path / "study", folds=2)
    cell = Cell(SHARED, "none", 2, 4)
    TrainCell(cell).do(study)
    run = study.run(cell)
    facts = run.require_complete()
    assert facts["seed"] == 4
    assert facts["variants"] == ["none"]
    assert facts["data"]["patients_known"]
    own = pd.read_csv(run.path / "split.csv").set_index("id")["part"]
    planned = pd.read_csv(study.split(2)).set_index("id")["split"]
    assert own.to_dict() == planned.to_dict()
    tested = pd.read_csv(run.path / "none" / "predictions.csv")["id"]
    assert set(tested) == set(planned.index[planned == "test"])
    assert TrainCell(cell).done(study)
    assert not TrainCell(cell._replace(fold=1)).done(study)


def test_changed_data_are_noticed(data: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    study = begin(copy, tmp_path / "study")
    index = read_index(copy)
    index.loc[0, "image"], index.loc[2, "image"] = index.loc[2, "image"], index.loc[0, "image"]
    index[["mask"]] = ""
    write_index(copy, index)
    fold_data.cache_clear()
    with pytest.raises(RunError, match=r"the data of .* have changed since it began"):
        fold_data(study.path, 1)


def test_a_leaking_split_is_refused_or_marked(data: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    index = read_index(copy)
    number = index["patient"].str.extract(r"(\d+)")[0].astype(int)
    index["split"] = number.map(lambda n: "test" if n > 7 else "val" if n > 5 else "train")
    twin = index[index["split"] == "test"].iloc[0]
    original = index[(index["split"] == "train") & (index["label"] == twin["label"])].iloc[0]
    shutil.copy(copy / original["image"], copy / twin["image"])
    write_index(copy, index)
    with pytest.raises(DataError, match="leaks: 1 of 8 images of test"):
        begin(copy, tmp_path / "study")
    assert not (tmp_path / "study").exists()
    study = begin(copy, tmp_path / "study", allow_leak=True)
    assert "1 of 8 images of test" in study.facts()["folds"][0]["leak"]
    _, facts = fold_data(study.path, 1)
    assert facts["leak"] == study.facts()["folds"][0]["leak"]
    drawn = begin(copy, tmp_path / "drawn", folds=2)  # which parts no copies
    assert [fold["leak"] for fold in drawn.facts()["folds"]] == [None, None]


def test_nothing_is_made_where_something_is(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="exists: choose another folder with --out, or go on"):
        begin(data, tmp_path)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_recipe_without_a_space_is_not_tuned(data: Path, tmp_path: Path) -> None:
    for space, words in (
        ("{}", "names nothing to tune"),
        ("{training.learning_rte: {choices: [1]}}", "unknown key 'training.learning_rte'"),
        ("{data.image_size: {choices: [32]}}", "name settings of training, model or loss"),
    ):
        recipe = tiny_recipe("variants=[hybrid,none]", f"tuning={space}")
        with pytest.raises(RecipeError, match=words):
            start(recipe, str(data), tmp_path / "study", seeds=2, margin=0.02, tune=1)


def test_a_hybrid_alone_is_no_study(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="a study of hybrid compares nothing"):
        start(tiny_recipe(), str(data), tmp_path / "study", seeds=2, margin=0.02)


def test_studies_without_validation_are_neither_tuned_nor_stopped_early(
    data: Path, tmp_path: Path
) -> None:
    none = ("data.split.train=0.7", "data.split.val=0", "data.split.test=0.3")
    fixed = ("training.plateau_patience=null", "training.early_stopping=null")
    watching, unwatched = (
        tiny_recipe("variants=[hybrid,none]", *none, *own) for own in ((), fixed)
    )
    for recipe, tune, words in ((watching, 0, "plateau_patience=null"), (unwatched, 2, "search")):
        with pytest.raises(RecipeError, match=words):
            start(recipe, str(data), tmp_path / "study", seeds=1, margin=0.02, folds=2, tune=tune)
    study = start(unwatched, str(data), tmp_path / "study", seeds=1, margin=0.02, folds=2)
    assert [fold["val"] for fold in study.facts()["folds"]] == [0, 0]
