"""Training of one variant with Lightning, resumable after any epoch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import lightning as L  # noqa: N812
import pandas as pd
import torch
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn

from medqnn.errors import RunError
from medqnn.layers.evaluated import quantum_layers
from medqnn.layers.noisy import noisy
from medqnn.models import SYSTEMS
from medqnn.training.batches import Batches
from medqnn.training.callbacks import (
    Checkpoints,
    History,
    InterruptibleTogether,
    Plateau,
    StepwiseRate,
    Stopping,
    WholeFiles,
    moving_average,
)
from medqnn.training.distributed import first, placement, together
from medqnn.training.inputs import Inputs
from medqnn.training.losses import class_weights
from medqnn.training.module import ClassifierModule
from medqnn.training.sections import Recipe, Training
from medqnn.training.whole_batch import WholeBatch


def build_model(recipe: Recipe, variant: str, classes: int) -> nn.Module:
    """The system's model with the head of a variant, its weights drawn from the recipe's seed.

    The hybrid and its twins start from the same weights wherever they are alike.
    """
    torch.manual_seed(recipe.seed)
    data = recipe.data
    return SYSTEMS[recipe.system](
        classes=classes,
        image_size=data.image_size,
        channels=data.channels,
        variant=variant,
        **dict(recipe.model),
    )


def as_trained(recipe: Recipe, model: nn.Module) -> AbstractContextManager[nn.Module]:
    """The model as it is trained: its circuits, if it has any, under the recipe's noise."""
    if recipe.noise is None or not quantum_layers(model):
        return nullcontext(model)
    return noisy(model, recipe.noise.noise())


def fit(
    recipe: Recipe, variant: str, inputs: Inputs, folder: Path, *, bar: bool = True
) -> nn.Module:
    """Train a variant, or go on where an interrupted run left off, and give its best epoch.

    Args:
        recipe: The recipe.
        variant: ``hybrid`` or a twin.
        inputs: The data.
        folder: The variant's folder, for checkpoints and logs.
        bar: Whether to show a progress bar.

    Returns:
        The model in evaluation mode, with the weights of the epoch of least validation loss, or
        without a validation part of the last epoch. Its circuits are simulated exactly again, if
        the recipe has them trained, and validated, under noise.

    Raises:
        RunError: If no epoch has a finite validation loss, or the last no finite training loss.
    """
    model = build_model(recipe, variant, len(inputs.classes))
    module = ClassifierModule(
        model, recipe, len(inputs.classes), inputs.table.multilabel, _class_weights(recipe, inputs)
    )
    checkpoints = folder / "checkpoints"
    last = checkpoints / "last.ckpt"
    batches = together(lambda: Batches(recipe, inputs))
    best = Checkpoints(checkpoints, "best", monitor="val_loss")
    validated = len(inputs.rows("val")) > 0
    written = [*([best] if validated else []), Checkpoints(checkpoints, "last")]
    with _quiet(), as_trained(recipe, model):
        trainer = _trainer(recipe, folder, written, bar, validated)
        trainer.fit(
            module,
            datamodule=batches,
            ckpt_path=last if first(last.is_file) else None,
            weights_only=True,
        )
    loss = best.best_model_score if validated else first(lambda: _last_loss(folder))
    kept = checkpoints / "best.ckpt" if validated else last
    module.load_state_dict(first(lambda: _weights(kept, loss, variant)))
    return module.model.cpu().eval()


def _last_loss(folder: Path) -> Tensor:
    """Training loss of the last epoch, which a run that is resumed at its end does not compute."""
    return torch.tensor(pd.read_csv(folder / "history.csv")["train_loss"].iloc[-1])


def _weights(checkpoint: Path, loss: Tensor | None, variant: str) -> dict[str, Tensor]:
    """Weights of the epoch that is kept, wherever the run lay when it was trained."""
    if loss is None or not loss.isfinite():
        raise RunError(
            f"training of {variant} diverged (no finite loss): start a new run with a smaller "
            "training.learning_rate"
        )
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    weights: dict[str, Tensor] = content["state_dict"]
    return weights


def _class_weights(recipe: Recipe, inputs: Inputs) -> Tensor | None:
    """Class weights of the training part, if the recipe wants them."""
    labels = torch.from_numpy(inputs.labels[inputs.rows("train")])
    return class_weights(labels, len(inputs.classes)) if recipe.loss.class_weights else None


def _trainer(
    recipe: Recipe, folder: Path, checkpoints: list[Checkpoints], bar: bool, validated: bool
) -> L.Trainer:
    spec = recipe.training
    watchers = [*checkpoints, InterruptibleTogether(), *([RichProgressBar()] if bar else [])]
    return L.Trainer(
        max_epochs=spec.epochs,
        **placement(),
        precision=spec.precision,
        gradient_clip_val=spec.gradient_clip,
        logger=TensorBoardLogger(folder, name="tensorboard", version=""),
        callbacks=[*_schedule(spec, folder), *watchers],
        enable_progress_bar=bar,
        plugins=[WholeFiles(), WholeBatch()],
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        limit_val_batches=None if validated else 0,
        reload_dataloaders_every_n_epochs=1,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def _schedule(spec: Training, folder: Path) -> list[L.Callback]:
    """What watches the epochs, in the order in which it must."""
    callbacks: list[L.Callback] = []
    if spec.weight_averaging:
        callbacks.append(moving_average(spec.weight_averaging))
    callbacks.append(History(folder / "history.csv"))  # before the next epoch's rate is cut
    callbacks.append(StepwiseRate(spec.warmup_epochs, spec.cosine_decay))
    if spec.plateau_patience is not None:
        callbacks.append(Plateau(spec.plateau_factor, spec.plateau_patience))
    if spec.early_stopping is not None:
        callbacks.append(
            Stopping("val_loss", patience=spec.early_stopping, check_on_train_epoch_end=True)
        )
    return callbacks


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's advice, which does not hold for batches made in memory, off the screen."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have many workers")
            warnings.filterwarnings("ignore", message=".*LeafSpec")  # Lightning's own affair
            warnings.filterwarnings("ignore", message="Checkpoint directory .* is not empty")
            yield
    finally:
        logger.setLevel(level)
