"""Callbacks under a real trainer, on losses that are written down beforehand."""

from __future__ import annotations

import warnings
from pathlib import Path

import lightning as L  # noqa: N812
import pandas as pd
import pytest
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader

from medqnn.training.callbacks import COLUMNS, History, Plateau, moving_average

RATE = 0.8
LOSSES = (1.0, 0.9, 0.95, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5)


class Scripted(L.LightningModule):
    """Logs `LOSSES` as its validation loss, whatever it does."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        values = dict.fromkeys(COLUMNS, 0.25) | {"val_loss": LOSSES[self.current_epoch]}
        self.log_dict(values, on_step=False, on_epoch=True)
        return self.weight.square().sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), RATE)


def train(path: Path, epochs: int, checkpoint: Path | None = None) -> L.Trainer:
    trainer = L.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        callbacks=[History(path), Plateau(factor=0.5, patience=1)],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
        trainer.fit(
            Scripted(), DataLoader(torch.zeros(2, 1)), ckpt_path=checkpoint, weights_only=True
        )
    return trainer


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("history") / "history.csv"
    train(path, len(LOSSES))
    return pd.read_csv(path)


def test_learning_rate_falls_as_torchs_scheduler_says(history: pd.DataFrame) -> None:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], RATE)
    scheduler = ReduceLROnPlateau(optimiser, factor=0.5, patience=1)
    optimiser.step()
    expected = []
    for loss in LOSSES:
        expected.append(optimiser.param_groups[0]["lr"])
        scheduler.step(loss)
    assert set(expected) == {0.8, 0.4, 0.2, 0.1}
    assert history["learning_rate"].tolist() == expected


def test_history_has_one_row_an_epoch(history: pd.DataFrame) -> None:
    assert list(history.columns) == ["epoch", *COLUMNS, "learning_rate", "seconds"]
    assert history["epoch"].tolist() == list(range(1, len(LOSSES) + 1))
    assert history["val_loss"].tolist() == pytest.approx(LOSSES)
    assert (history["train_accuracy"] == 0.25).all()
    assert history["seconds"].between(0, 60).all()


@pytest.mark.parametrize("epochs", [1, 4, 5])
def test_resumed_training_misses_no_step(
    tmp_path: Path, history: pd.DataFrame, epochs: int
) -> None:
    first = train(tmp_path / "first.csv", epochs)
    first.save_checkpoint(tmp_path / "last.ckpt")
    train(tmp_path / "second.csv", len(LOSSES), tmp_path / "last.ckpt")
    resumed = pd.read_csv(tmp_path / "second.csv")
    pd.testing.assert_frame_equal(resumed.drop(columns="seconds"), history.drop(columns="seconds"))


class Falling(L.LightningModule):
    """Its weight is -1 after the first step, -2 after the second, and so on."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        return self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 1.0)


@pytest.mark.parametrize("decay", [0.25, 0.9])
def test_moving_average_follows_its_rising_decay(decay: float) -> None:
    module = Falling()
    trainer = L.Trainer(
        max_steps=20,
        accelerator="cpu",
        logger=False,
        callbacks=[moving_average(decay)],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(module, DataLoader(torch.zeros(20, 1)))
    expected = -1.0
    for steps in range(1, 20):
        now = min(decay, (1 + steps) / (10 + steps))
        expected = now * expected - (1 - now) * (steps + 1)
    assert module.weight.item() == pytest.approx(expected, rel=1e-5)
