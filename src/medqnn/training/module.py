"""The Lightning glue: what a step computes, what is logged, how the optimiser is set up."""

from __future__ import annotations

import lightning as L  # noqa: N812
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torchmetrics.classification import MulticlassAccuracy

from medqnn.training.batches import Batch
from medqnn.training.losses import Losses, attention_loss
from medqnn.training.recipe import Recipe


class ClassifierModule(L.LightningModule):
    """Trains a system's model, or a twin, by its recipe.

    Args:
        model: Maps images to ``models.Explained``.
        recipe: The run's recipe.
        weights: Class weights of the cross-entropy, (K,).
    """

    weights: Tensor

    def __init__(self, model: nn.Module, recipe: Recipe, weights: Tensor) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.recipe = recipe
        self.register_buffer("weights", weights, persistent=False)
        self.train_accuracy = MulticlassAccuracy(len(weights), average="micro")
        self.val_accuracy = MulticlassAccuracy(len(weights), average="micro")

    def losses(self, batch: Batch) -> tuple[Losses, Tensor]:
        """The recipe's loss on a batch, in float32, and the logits (B, K)."""
        spec = self.recipe.loss
        output = self.model(batch.images)
        with torch.autocast(batch.images.device.type, enabled=False):
            logits = output.logits.float()
            entropy = F.cross_entropy(logits, batch.labels, weight=self.weights)
            attention = attention_loss(
                output.attention, batch.masks, batch.annotated, spec.bce, spec.dice, spec.epsilon
            )
            total = spec.classification * entropy + spec.attention * attention
        return Losses(total, entropy, attention), logits

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
        """AdamW over what is trainable (a frozen twin's circuit is not)."""
        spec = self.recipe.training
        trainable = [weight for weight in self.parameters() if weight.requires_grad]
        return torch.optim.AdamW(trainable, spec.learning_rate, weight_decay=spec.weight_decay)

    def _step(self, part: str, accuracy: MulticlassAccuracy, batch: Batch) -> Tensor:
        losses, logits = self.losses(batch)
        accuracy(logits, batch.labels)
        epoch = {f"{part}_loss": losses.total, f"{part}_attention_loss": losses.attention}
        size = len(batch.labels)
        self.log_dict(epoch, on_step=False, on_epoch=True, batch_size=size)
        self.log(f"{part}_accuracy", accuracy, prog_bar=True, on_step=False, on_epoch=True)
        return losses.total
