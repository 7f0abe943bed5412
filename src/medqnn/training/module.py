"""The Lightning glue: what a step computes, what is logged, how the optimiser is set up."""

from __future__ import annotations

import lightning as L  # noqa: N812
import torch
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy, MultilabelAccuracy

from medqnn.training.batches import Batch
from medqnn.training.distributed import of_all, place
from medqnn.training.losses import (
    Losses,
    attention_loss,
    classification_loss,
    classification_mass,
)
from medqnn.training.optimizers import build_optimizer
from medqnn.training.sections import Recipe


class ClassifierModule(L.LightningModule):
    """Trains a system's model, or a twin, by its recipe.

    Args:
        model: Maps images to ``models.Output``.
        recipe: The run's recipe.
        classes: Number K of classes, or of findings.
        multilabel: Whether labels are findings that may stand together.
        weights: Class weights of the classification loss, (K,); None weighs all images alike.
    """

    weights: Tensor | None

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        classes: int,
        multilabel: bool = False,
        weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.recipe = recipe
        self.register_buffer("weights", weights, persistent=False)
        self.train_accuracy = _accuracy(classes, multilabel)
        self.val_accuracy = _accuracy(classes, multilabel)

    def losses(self, batch: Batch) -> tuple[Losses, Tensor]:
        """The recipe's loss on a batch, in float32, and the logits (B, K).

        Of a batch that several processes share, the losses average over them to the batch's.
        """
        spec = self.recipe.loss
        output = self.model(batch.images)
        with torch.autocast(batch.images.device.type, enabled=False):
            logits = output.logits.float()
            entropy = of_all(
                classification_loss(logits, batch.labels, self.weights, spec.label_smoothing),
                classification_mass(batch.labels, self.weights),
            )
            total = spec.classification * entropy
            if spec.attention is None:
                return Losses(total, entropy, None), logits
            attention = attention_loss(
                output.attention,
                batch.masks,
                batch.annotated,
                spec.attention.bce,
                spec.attention.dice,
                spec.attention.epsilon,
                spec.attention.temperature,
            )
            attention = of_all(attention, batch.annotated.sum().float())
            return Losses(total + spec.attention.weight * attention, entropy, attention), logits

    def on_train_batch_start(self, batch: Batch, index: int) -> None:
        """Seed dropout by the step, so that a resumed run repeats an uninterrupted one."""
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.global_step)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """One step's total loss."""
        return self._step("train", self.train_accuracy, batch)

    def validation_step(self, batch: Batch, index: int) -> Tensor:
        """One validation batch's total loss."""
        return self._step("val", self.val_accuracy, batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The recipe's optimiser."""
        return build_optimizer(self.recipe.training, self.parameters())

    def _step(self, part: str, accuracy: Metric, batch: Batch) -> Tensor:
        losses, logits = self.losses(batch)
        accuracy(logits, batch.labels.long())
        epoch = {f"{part}_loss": losses.total}
        if losses.attention is not None:
            epoch[f"{part}_attention_loss"] = losses.attention
        _, size = place(len(batch.labels))
        self.log_dict(epoch, on_step=False, on_epoch=True, batch_size=size, sync_dist=True)
        self.log(f"{part}_accuracy", accuracy, prog_bar=True, on_step=False, on_epoch=True)
        return losses.total


def _accuracy(classes: int, multilabel: bool) -> Metric:
    """Share of images whose class is right, or of findings that are."""
    if multilabel:
        return MultilabelAccuracy(classes, average="micro")
    return MulticlassAccuracy(classes, average="micro")
