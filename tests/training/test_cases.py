from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medqnn.data.cache import decode
from medqnn.data.catalogue import open_table
from medqnn.evaluation.failures import failures
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.operating_points import operating_points
from medqnn.evaluation.predictions import Predictions, read_predictions
from medqnn.evaluation.subgroups import subgroups
from medqnn.training.cases import (
    TUMOUR_SIZE,
    WORST,
    attribute_table,
    keep_failures,
    read_attributes,
)
from medqnn.training.folder import RunFolder
from training.tiny import PHANTOM, read_index, small_inputs, write_folder, write_index

each_variant = pytest.mark.parametrize("variant", ["hybrid", "dense"])


def test_attributes_are_those_of_the_index_and_the_tumours_size(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "set")
    index = read_index(root)
    index["sex"] = np.where(index["patient"].str.endswith(("0", "2", "4", "6")), "F", "M")
    write_index(root, index)
    inputs = small_inputs(root)
    table = attribute_table(inputs)
    assert list(table) == ["id", "sex", TUMOUR_SIZE]
    assert table["id"].tolist() == inputs.table.rows["id"].iloc[inputs.rows("test")].tolist()
    row = index.set_index("image").loc[table["id"]].reset_index()
    assert table["sex"].tolist() == row["sex"].tolist()
    masked = ((row["mask"] != "") & (row["label"] == "glioma")).to_numpy()
    assert 0 < masked.sum() < len(masked)
    size = np.where(masked, 100 * 36 / 256, np.nan)
    np.testing.assert_allclose(table[TUMOUR_SIZE], size.astype(float), rtol=1e-3)


def test_without_attributes_and_masks_there_is_the_id_alone(tmp_path: Path) -> None:
    inputs = small_inputs(write_folder(tmp_path / "set", annotate=False))
    assert list(attribute_table(inputs)) == ["id"]


@each_variant
def test_a_run_keeps_what_it_got_wrong(tiny_run: Path, variant: str) -> None:
    folder = tiny_run / variant
    expected = failures(read_predictions(folder / "predictions.csv"))
    written = pd.read_csv(folder / "failures.csv", dtype={"id": str, "patient": str})
    pd.testing.assert_frame_equal(written, expected)
    table = open_table(PHANTOM, image_size=32)
    pixels = decode(table, 32)
    with np.load(folder / "failures.npz") as kept:
        assert kept["ids"].tolist() == expected["id"][:WORST].tolist()
        rows = pd.Index(table.rows["id"]).get_indexer(kept["ids"])
        np.testing.assert_array_equal(kept["images"], pixels.images[rows, 0])
        np.testing.assert_array_equal(kept["masks"], pixels.masks[rows])


@each_variant
def test_metrics_hold_operating_points_and_subgroups(tiny_run: Path, variant: str) -> None:
    folder = tiny_run / variant
    metrics = json.loads((folder / "metrics.json").read_text())
    validation, test = (
        read_predictions(folder / f"{p}.csv") for p in ("validation", "predictions")
    )
    assert metrics["operating_points"] == operating_points(validation, test, resamples=100, seed=0)
    attributes = read_attributes(RunFolder(tiny_run))
    assert attributes is not None
    assert attributes["id"].tolist() == test.ids.tolist()
    assert metrics["subgroups"] == subgroups(test, attributes, 100, 0)
    assert [one["attribute"] for one in metrics["subgroups"]] == [TUMOUR_SIZE]


def test_cells_stay_text_and_empty_ones_are_missing(tmp_path: Path) -> None:
    (tmp_path / "attributes.csv").write_text("id,site\n007,NA\nNA,\n")
    table = read_attributes(RunFolder(tmp_path))
    assert table is not None
    assert table["id"].tolist() == ["007", "NA"]
    assert table["site"].isna().tolist() == [False, True]
    assert read_attributes(RunFolder(tmp_path / "other")) is None


def test_a_model_without_errors_keeps_no_pictures(tmp_path: Path) -> None:
    ids = np.array(["a", "b"])
    right = Predictions(ids, ids, np.array([0, 1]), np.eye(2), ("x", "y"))
    asked = []
    keep_failures(RunFolder(tmp_path), "v", right, lambda rows: asked.append(rows) or {})
    assert pd.read_csv(tmp_path / "v" / "failures.csv").empty
    assert [rows.tolist() for rows in asked] == [[]]


def test_findings_have_no_failures(tmp_path: Path) -> None:
    ids = np.array(["a", "b"])
    some = MultiLabelPredictions(ids, ids, np.eye(2) > 0, np.eye(2), ("x", "y"))
    keep_failures(RunFolder(tmp_path), "v", some, lambda rows: {})
    assert not list(tmp_path.iterdir())
