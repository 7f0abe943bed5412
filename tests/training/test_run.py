from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from medqnn.data.cache import decode
from medqnn.data.catalogue import open_table
from medqnn.evaluation.evaluate import compare
from medqnn.evaluation.predictions import read_predictions
from medqnn.evaluation.words import in_words
from medqnn.training.assess import attention_maps, localisation
from medqnn.training.fit import build_model
from medqnn.training.folder import RunFolder
from medqnn.training.plan import start
from medqnn.training.recipe import load
from medqnn.training.run import proceed, recipe_of
from training.tiny import PHANTOM, SETS, read_index, tiny_recipe, write_folder, write_index

VARIANTS = ("hybrid", "dense")
each_variant = pytest.mark.parametrize("variant", VARIANTS)


def same_bits(one: Path, other: Path) -> bool:
    """Whether two weight files hold the same numbers."""
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all((a[name] == b[name]).all() for name in a)


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_run_tells_all_about_itself(tiny_run: Path) -> None:
    facts = read_json(tiny_run / "run.json")
    assert facts["status"] == "complete"
    assert facts["system"] == "hqcm-ebtc"
    assert facts["variants"] == list(VARIANTS)
    assert facts["seed"] == 0
    assert {"created", "medqnn", "revision", "python", "platform", "packages"} <= facts.keys()
    assert facts["trained_under"] is None
    assert recipe_of(RunFolder(tiny_run)) == load("hqcm-ebtc", SETS)


def test_data_are_named_by_their_fingerprint(tiny_run: Path) -> None:
    data = read_json(tiny_run / "run.json")["data"]
    table = open_table(PHANTOM, image_size=32)
    assert data == {
        "name": "phantom",
        "source": PHANTOM,
        "synthetic": True,
        "fingerprint": decode(table, 32).fingerprint,
        "classes": ["healthy", "meningioma", "glioma", "pituitary"],
        "images": 96,
        "patients": table.rows["patient"].nunique(),
        "patients_known": True,
        "image_size": 32,
        "split_rule": "by patient, stratified by class",
        "task": "4 classes",
        "benchmark": None,
        "multilabel": False,
        "skipped": 0,
        "skip_bad": False,
        "split_file": None,
        "leak": None,
    }


def test_split_names_every_image_and_parts_no_patient(tiny_run: Path) -> None:
    split = pd.read_csv(tiny_run / "split.csv", dtype=str)
    table = open_table(PHANTOM, image_size=32)
    assert list(split.columns) == ["id", "label", "patient", "part"]
    pd.testing.assert_frame_equal(
        split[["id", "label", "patient"]], table.rows[["id", "label", "patient"]].astype(str)
    )
    assert (split.groupby("patient")["part"].nunique() == 1).all()
    assert (pd.crosstab(split["label"], split["part"]) > 0).all(axis=None)


@each_variant
@pytest.mark.parametrize(("name", "part"), [("predictions", "test"), ("validation", "val")])
def test_every_image_is_predicted_once_in_the_splits_order(
    tiny_run: Path, variant: str, name: str, part: str
) -> None:
    predictions = read_predictions(tiny_run / variant / f"{name}.csv")
    split = pd.read_csv(tiny_run / "split.csv", dtype=str).query("part == @part")
    assert predictions.ids.tolist() == split["id"].tolist()
    assert predictions.patients.tolist() == split["patient"].tolist()
    labels = [predictions.classes[label] for label in predictions.labels]
    assert labels == split["label"].tolist()


@each_variant
def test_metrics_agree_with_the_files_they_sum_up(tiny_run: Path, variant: str) -> None:
    folder = tiny_run / variant
    metrics = read_json(folder / "metrics.json")
    predictions = read_predictions(folder / "predictions.csv")
    history = pd.read_csv(folder / "history.csv")
    assert metrics["images"] == len(predictions)
    assert metrics["scores"]["accuracy"]["estimate"] == pytest.approx(predictions.correct.mean())
    assert metrics["epochs"] == len(history) == 2
    assert metrics["best_epoch"] == history.set_index("epoch")["val_loss"].idxmin()
    assert metrics["seconds_per_epoch"] == pytest.approx(history["seconds"].median())
    model = build_model(load("hqcm-ebtc", SETS), variant, 4)
    assert metrics["parameters"] == sum(p.numel() for p in model.parameters())
    assert metrics["head_parameters"] == sum(p.numel() for p in model.head.parameters())


@each_variant
def test_predictions_are_those_of_the_saved_weights(tiny_run: Path, variant: str) -> None:
    model = build_model(load("hqcm-ebtc", SETS), variant, 4)
    model.load_state_dict(load_file(tiny_run / variant / "model.safetensors"))
    table = open_table(PHANTOM, image_size=32)
    split = pd.read_csv(tiny_run / "split.csv", dtype=str)
    pixels = decode(table, 32).images[np.flatnonzero(split["part"] == "test")]
    with torch.inference_mode():
        output = model.eval()(torch.from_numpy(pixels).float() / 255)
    predictions = read_predictions(tiny_run / variant / "predictions.csv")
    np.testing.assert_allclose(predictions.probabilities, output.logits.softmax(1), atol=1e-5)
    attention = np.load(tiny_run / variant / "attention.npz")
    assert attention["ids"].tolist() == predictions.ids.tolist()
    np.testing.assert_allclose(attention["maps"], output.attention[:, 0], rtol=2e-3, atol=1e-4)


@each_variant
def test_attention_is_scored_on_every_test_image_with_a_tumour(
    tiny_run: Path, variant: str
) -> None:
    predictions = read_predictions(tiny_run / variant / "predictions.csv")
    masks = decode(open_table(PHANTOM, image_size=32), 32).masks > 0
    places = pd.read_csv(tiny_run / "split.csv", dtype=str).query("part == 'test'").index
    with np.load(tiny_run / variant / "attention.npz") as attention:
        spec = load("hqcm-ebtc", SETS).evaluation
        expected = localisation(predictions, attention["maps"], masks[places], spec)
        assert attention_maps(attention["maps"], 32).shape == (len(predictions), 32, 32)
    written = pd.read_csv(tiny_run / variant / "localisation.csv")
    assert len(written) == masks[places].any(axis=(1, 2)).sum() > 0
    pd.testing.assert_frame_equal(written, expected, check_dtype=False)


def test_hybrid_is_compared_with_its_twin(tiny_run: Path) -> None:
    (comparison,) = read_json(tiny_run / "comparisons.json")
    a, b = (read_predictions(tiny_run / name / "predictions.csv") for name in VARIANTS)
    expected = compare(a, b, *VARIANTS, 100, 0)
    assert {key: comparison[key] for key in expected} == json.loads(json.dumps(expected))
    assert comparison["words"] == in_words(expected)
    assert comparison["localisation"]


def test_gallery_and_panels_show_training_and_test_images_of_each_class(tiny_run: Path) -> None:
    split = pd.read_csv(tiny_run / "split.csv", dtype=str).set_index("id")
    with np.load(tiny_run / "gallery.npz") as gallery:
        assert set(gallery["labels"]) == set(split["label"])
        assert gallery["images"].shape == gallery["masks"].shape
        training = decode(open_table(PHANTOM, image_size=32), 32).images[split["part"] == "train"]
        seen = {image.tobytes() for image in training}
        assert all(image.tobytes() in seen for image in gallery["images"])
    with np.load(tiny_run / "panels.npz") as panels:
        shown = split.loc[panels["ids"]]
        assert set(shown["part"]) == {"test"}
        assert set(shown["label"]) == set(split["label"])


def test_same_seed_gives_the_same_bits_in_another_process(tiny_run: Path, tmp_path: Path) -> None:
    folder = start(load("hqcm-ebtc", SETS), PHANTOM, tmp_path / "again")
    proceed(folder)
    for name in VARIANTS:
        weights = f"{name}/model.safetensors"
        assert same_bits(tiny_run / weights, folder.path / weights)
        predictions = f"{name}/predictions.csv"
        assert (tiny_run / predictions).read_bytes() == (folder.path / predictions).read_bytes()


def test_another_seed_gives_another_split_and_other_weights(folder: Path, tmp_path: Path) -> None:
    runs = [start(tiny_recipe(f"seed={s}"), str(folder), tmp_path / str(s)) for s in (0, 1)]
    for run in runs:
        proceed(run)
    a, b = (run.path for run in runs)
    assert (a / "split.csv").read_bytes() != (b / "split.csv").read_bytes()
    assert not same_bits(a / "hybrid/model.safetensors", b / "hybrid/model.safetensors")


def test_without_a_hybrid_the_first_variant_is_compared(folder: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("variants=[none, frozen, product]", "training.epochs=1")
    told: list[str] = []
    run = start(recipe, str(folder), tmp_path / "run")
    proceed(run, announce=told.append)
    assert told == ["none", "frozen", "product"]
    pairs = [(c["a"], c["b"]) for c in read_json(run.path / "comparisons.json")]
    assert pairs == [("none", "frozen"), ("none", "product")]


def test_set_without_masks_has_no_localisation(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "bare", annotate=False)
    run = start(tiny_recipe("training.epochs=1"), str(root), tmp_path / "run")
    proceed(run)
    assert run.require_complete()
    assert "localisation" not in read_json(run.path / "hybrid" / "metrics.json")
    assert (pd.read_csv(run.path / "hybrid" / "history.csv")["train_attention_loss"] == 0).all()


def test_real_slices_train_and_are_tested_on_their_fold(shared_data: Path, tmp_path: Path) -> None:
    """One in ten of the Cheng 2015 slices."""
    source, own = shared_data / "cheng2015", tmp_path / "cheng"
    own.mkdir()
    for name in ("images", "masks"):
        (own / name).symlink_to(source / name)
    write_index(own, read_index(source)[::10])
    overrides = ("data.image_size=32", "data.split.test_folds=[4]", "training.epochs=1")
    run = start(tiny_recipe(*overrides), str(own), tmp_path / "run")
    proceed(run)
    facts = run.require_complete()
    assert facts["data"]["classes"] == ["meningioma", "glioma", "pituitary"]
    assert facts["data"]["patients_known"] is False
    assert facts["data"]["split_rule"].endswith("test 4")
    tested = set(read_predictions(run.path / "hybrid" / "predictions.csv").ids)
    index = read_index(own)
    assert tested == set(index.loc[index["fold"] == "4", "image"])
    located = pd.read_csv(run.path / "hybrid" / "localisation.csv")
    assert len(located) == len(tested), "every slice of the set has a tumour"
