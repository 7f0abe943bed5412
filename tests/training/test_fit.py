from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau

from medqnn.layers import VARIANTS
from medqnn.training.batches import Batches
from medqnn.training.fit import build_model, fit
from medqnn.training.losses import class_weights
from medqnn.training.module import ClassifierModule
from training.tiny import small_inputs, tiny_recipe

MORE = ("training.epochs=6", "training.batch_size=8", "training.early_stopping=2")


def equal(one: nn.Module, other: nn.Module) -> bool:
    """Whether two models have the same weights, bit by bit."""
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("twin", [name for name in VARIANTS if name != "hybrid"])
def test_twin_starts_from_the_hybrids_weights_where_alike(twin: str) -> None:
    hybrid, other = (build_model(tiny_recipe(), name, 4).state_dict() for name in ("hybrid", twin))
    alike = [name for name in hybrid if not name.startswith(("head.", "classifier."))]
    assert len(alike) > 20
    assert all(torch.equal(hybrid[name], other[name]) for name in alike)
    if hybrid["classifier.weight"].shape == other["classifier.weight"].shape:
        assert torch.equal(hybrid["classifier.weight"], other["classifier.weight"])


def test_seed_decides_the_weights() -> None:
    one, same = (build_model(tiny_recipe("seed=1"), "hybrid", 4) for _ in range(2))
    assert equal(one, same)
    assert not equal(one, build_model(tiny_recipe("seed=2"), "hybrid", 4))


def test_model_is_the_recipes() -> None:
    model = build_model(tiny_recipe("model.circuits=3", "data.channels=3"), "hybrid", 2)
    output = model.eval()(torch.rand(2, 3, 16, 16))
    assert output.logits.shape == (2, 2)
    assert output.features.shape == (2, 15)


@pytest.fixture(scope="module")
def fitted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    """A model after several epochs on the squares, and its folder."""
    path = tmp_path_factory.mktemp("fit")
    return fit(tiny_recipe(*MORE), "hybrid", small_inputs(folder, *MORE), path), path


def test_model_is_that_of_the_least_validation_loss(folder: Path, fitted: tuple) -> None:
    model, path = fitted
    history = pd.read_csv(path / "history.csv")
    recipe, inputs = tiny_recipe(*MORE), small_inputs(folder, *MORE)
    labels = torch.from_numpy(inputs.labels[inputs.rows("train")])
    module = ClassifierModule(model, recipe, 2, weights=class_weights(labels, 2)).eval()
    with torch.inference_mode():
        batches = list(Batches(recipe, inputs).val_dataloader())
        losses = [module.losses(batch)[0].total.item() * len(batch.labels) for batch in batches]
    total = sum(losses) / sum(len(batch.labels) for batch in batches)
    assert total == pytest.approx(history["val_loss"].min(), rel=1e-4)
    assert history["val_loss"].nunique() == len(history)


def test_model_is_given_back_ready_to_predict(fitted: tuple) -> None:
    model, _ = fitted
    assert not any(module.training for module in model.modules())


def test_same_seed_gives_the_same_bits_and_another_others(
    folder: Path, fitted: tuple, tmp_path: Path
) -> None:
    inputs = small_inputs(folder, *MORE)
    same = fit(tiny_recipe(*MORE), "hybrid", inputs, tmp_path / "same")
    other = fit(tiny_recipe(*MORE, "seed=1"), "hybrid", inputs, tmp_path / "other")
    assert equal(fitted[0], same)
    assert not equal(fitted[0], other)


def test_folder_keeps_history_checkpoints_and_curves(fitted: tuple) -> None:
    _, path = fitted
    assert {file.name for file in (path / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert list((path / "tensorboard").glob("events.*"))


def test_learning_rate_of_an_epoch_is_the_one_it_was_trained_with(
    folder: Path, tmp_path: Path
) -> None:
    """The oracle is torch's scheduler, told of the epochs' validation losses."""
    spec = ("training.epochs=8", "training.learning_rate=0.4", "training.warmup_epochs=0")
    plateau = ("training.plateau_patience=0", "training.plateau_factor=0.5")
    recipe = tiny_recipe(*spec, *plateau, "training.early_stopping=8")
    fit(recipe, "hybrid", small_inputs(folder), tmp_path)
    history = pd.read_csv(tmp_path / "history.csv")
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.4)
    scheduler = ReduceLROnPlateau(optimiser, factor=0.5, patience=0)
    optimiser.step()
    expected = []
    for loss in history["val_loss"]:
        expected.append(optimiser.param_groups[0]["lr"])
        scheduler.step(loss)
    assert len(set(expected)) > 1
    assert history["learning_rate"].tolist() == expected


def test_learning_rate_rises_over_the_first_epochs(folder: Path, tmp_path: Path) -> None:
    spec = ("training.epochs=3", "training.learning_rate=0.4", "training.warmup_epochs=2")
    recipe = tiny_recipe(*spec, "training.early_stopping=8")
    fit(recipe, "hybrid", small_inputs(folder), tmp_path)
    rates = pd.read_csv(tmp_path / "history.csv")["learning_rate"]
    assert rates.tolist() == pytest.approx([0.2, 0.4, 0.4])


def test_finished_training_is_not_repeated(folder: Path, fitted: tuple) -> None:
    model, path = fitted
    before = (path / "history.csv").read_bytes()
    again = fit(tiny_recipe(*MORE), "hybrid", small_inputs(folder, *MORE), path)
    assert equal(model, again)
    assert (path / "history.csv").read_bytes() == before


def test_training_that_does_not_improve_stops_early(folder: Path, tmp_path: Path) -> None:
    """A learning rate near zero moves the loss by batch norm's statistics alone."""
    spec = ("training.epochs=50", "training.learning_rate=1e-12", "training.early_stopping=1")
    fit(tiny_recipe(*spec, "seed=3"), "hybrid", small_inputs(folder, *spec), tmp_path)
    history = pd.read_csv(tmp_path / "history.csv")
    assert len(history) < 50
    assert history["val_loss"].idxmin() == len(history) - 2


def test_best_epoch_outlives_a_move_of_the_run(folder: Path, tmp_path: Path) -> None:
    """A learning rate so large that the best epoch comes early, before the run is moved."""
    spec = ("training.epochs=8", "training.learning_rate=1", "training.early_stopping=8", "seed=3")
    spec = (*spec, "training.warmup_epochs=0")
    inputs = small_inputs(folder)
    whole = fit(tiny_recipe(*spec), "hybrid", inputs, tmp_path / "whole")
    history = pd.read_csv(tmp_path / "whole" / "history.csv")
    assert history["val_loss"].argmin() < 4
    fit(tiny_recipe(*spec, "training.epochs=4"), "hybrid", inputs, tmp_path / "before")
    moved = (tmp_path / "before").rename(tmp_path / "after")
    assert equal(whole, fit(tiny_recipe(*spec), "hybrid", inputs, moved))


def test_learning_rate_falls_as_a_half_cosine(folder: Path, tmp_path: Path) -> None:
    """The oracle is torch's scheduler, stepped once a batch."""
    spec = ("training.epochs=5", "training.learning_rate=0.4", "training.warmup_epochs=1")
    fixed = ("training.cosine_decay=true", "training.plateau_patience=null")
    recipe = tiny_recipe(*spec, *fixed, "training.batch_size=8")
    inputs = small_inputs(folder)
    fit(recipe, "hybrid", inputs, tmp_path)
    batches = len(Batches(recipe, inputs).train_dataloader())
    assert batches > 1
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.4)
    scheduler = CosineAnnealingLR(optimiser, T_max=4 * batches)
    rates = []
    for _ in range(4 * batches):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    found = pd.read_csv(tmp_path / "history.csv")["learning_rate"]
    assert found.tolist() == pytest.approx([0.4, *rates[batches - 1 :: batches]])
