"""Lightning callbacks whose state is kept in checkpoints, so that a resumed run misses nothing."""

from __future__ import annotations

import io
import math
import os
import time
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import pandas as pd
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, WeightAveraging
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from medqnn.training.distributed import anywhere, first
from medqnn.training.interrupt import Interruptible

COLUMNS = (
    "train_loss",
    "val_loss",
    "train_accuracy",
    "val_accuracy",
    "train_attention_loss",
    "val_attention_loss",
)


class Plateau(L.Callback):
    """Cuts the learning rate when the validation loss stays on a plateau.

    Lightning steps such a scheduler after its checkpoint is written, so that a resumed run would
    lose a step; as a callback it comes before.

    Args:
        factor: What the rate is multiplied by.
        patience: Epochs without improvement before that.
    """

    def __init__(self, factor: float, patience: int) -> None:
        self.factor, self.patience = factor, patience
        self.scheduler: ReduceLROnPlateau | None = None
        self.restored: dict[str, Any] | None = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Attach to the optimiser, where the interrupted run left off if there was one."""
        self.scheduler = ReduceLROnPlateau(
            trainer.optimizers[0], factor=self.factor, patience=self.patience
        )
        if self.restored is not None:
            self.scheduler.load_state_dict(self.restored)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the epoch."""
        if self.scheduler is not None:
            self.scheduler.step(trainer.callback_metrics["val_loss"].item())

    def state_dict(self) -> dict[str, Any]:
        """The scheduler's counters."""
        return {} if self.scheduler is None else self.scheduler.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the counters until training starts."""
        self.restored = state_dict or None


class StepwiseRate(L.Callback):
    """Raises the learning rate linearly over the first epochs' steps; may let it fall after them.

    The step alone decides the rate, so that a resumed run goes on as it would have.

    Args:
        warmup_epochs: How many first epochs; 0 starts at the full rate.
        cosine_decay: Whether it then falls to 0 at the last epoch's end, as a half cosine; else it
            is left alone.
    """

    def __init__(self, warmup_epochs: int, cosine_decay: bool = False) -> None:
        self.warmup_epochs, self.cosine_decay = warmup_epochs, cosine_decay

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the coming step's rate."""
        epoch, step = int(trainer.num_training_batches), trainer.global_step
        rising, last = self.warmup_epochs * epoch, (trainer.max_epochs or 0) * epoch
        if step < rising:
            self._set(trainer, (step + 1) / rising)
        elif self.cosine_decay:
            self._set(trainer, 0.5 + 0.5 * math.cos(math.pi * (step - rising) / (last - rising)))

    def _set(self, trainer: L.Trainer, factor: float) -> None:
        optimizer = trainer.optimizers[0]
        for group in optimizer.param_groups:
            group["lr"] = optimizer.defaults["lr"] * factor


def moving_average(decay: float) -> WeightAveraging:
    """Validates and keeps a moving average of the weights and batch-norm statistics.

    The decay rises to ``decay`` as (1 + t) / (10 + t) over the steps t, so that the average does
    not lag behind the first epochs.
    """

    def average(averaged: Tensor, current: Tensor, steps: Tensor) -> Tensor:
        now = min(decay, (1.0 + float(steps)) / (10.0 + float(steps)))
        return now * averaged + (1.0 - now) * current

    return WeightAveraging(avg_fn=average)


class WholeFiles(TorchCheckpointIO):
    """Writes a checkpoint beside its place, then moves it there.

    Lightning's own writer goes through the system's temporary folder, from which it copies, not
    moves, onto another disk: a full disk or a kill then breaks the checkpoint that was there.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write ``path`` whole or not at all."""
        content = io.BytesIO()  # torch.save says "RuntimeError" of a full disk, a file OSError
        torch.save(checkpoint, content)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        try:
            partial.write_bytes(content.getbuffer())
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)

    def load_checkpoint(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Read a checkpoint, which another machine may not have."""
        load = super().load_checkpoint
        return first(lambda: load(*args, **kwargs))


class InterruptibleTogether(Interruptible):
    """Ends all processes after the same batch, whichever of them Ctrl-C reaches first."""

    def _interrupt(self) -> None:
        self.asked = anywhere(self.asked)
        super()._interrupt()


class Stopping(EarlyStopping):
    """Early stopping that a resumed run remembers, instead of training one epoch more."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """End at once what had been stopped."""
        trainer.should_stop = bool(self.stopped_epoch)


class Checkpoints(ModelCheckpoint):
    """One checkpoint file, of the best or of the last epoch, overwritten as training goes on.

    It remembers the best epoch even if the run's folder was moved since.

    Args:
        folder: Where the file is.
        name: Its name without ``.ckpt``.
        monitor: What the best epoch has least of; None keeps every epoch, so the last.
    """

    def __init__(self, folder: Path, name: str, monitor: str | None = None) -> None:
        super().__init__(
            folder,
            name,
            monitor=monitor,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the interrupted run's scores, wherever it lay."""
        super().load_state_dict(state_dict | {"dirpath": self.dirpath})


class History(L.Callback):
    """Writes one row an epoch to ``history.csv``: losses, accuracies, learning rate, seconds.

    Those of attention only where a model has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self.started = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the epoch's clock."""
        self.started = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the epoch, its validation included."""
        row = {"epoch": trainer.current_epoch + 1.0}
        metrics = trainer.callback_metrics
        row |= {name: metrics[name].item() for name in COLUMNS if name in metrics}
        row["learning_rate"] = trainer.optimizers[0].param_groups[0]["lr"]
        row["seconds"] = time.perf_counter() - self.started
        self.rows.append(row)
        if trainer.is_global_zero:
            self._write()

    def _write(self) -> None:
        pd.DataFrame(self.rows).astype({"epoch": int}).to_csv(self.path, index=False)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after the interrupted run's rows."""
        self.rows = state_dict["rows"]
