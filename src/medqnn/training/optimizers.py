"""The optimisers that recipes name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType

import torch
from torch import nn
from torch.optim import Optimizer

from medqnn.errors import RecipeError
from medqnn.training.gvco import GVCO
from medqnn.training.sections import Training

OPTIMIZERS: MappingProxyType[str, Callable[..., Optimizer]] = MappingProxyType(
    {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD, "gvco": GVCO}
)


def build_optimizer(spec: Training, weights: Iterable[nn.Parameter]) -> Optimizer:
    """The recipe's optimiser over what is trainable (a frozen twin's circuit is not).

    Raises:
        RecipeError: If an option is unknown to the optimiser or out of its range.
    """
    trainable = [weight for weight in weights if weight.requires_grad]
    options = {"weight_decay": spec.weight_decay, **spec.optimizer_options}
    try:
        return OPTIMIZERS[spec.optimizer](trainable, lr=spec.learning_rate, **options)
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RecipeError(
            f"'training.optimizer_options' in the recipe is {spec.optimizer_options}, which "
            f"{spec.optimizer} refuses ({reason}): mend it, or leave it empty for the defaults"
        ) from error
