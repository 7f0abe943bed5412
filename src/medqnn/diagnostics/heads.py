"""The part of a trained network that a twin replaces, cut out with what it reads.

In every system all that the classes are told from passes through the head: the network is
classifier(head(z)), where z comes from the image. So z is computed once and the head studied alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from medqnn.training.fit import build_model
from medqnn.training.sections import Recipe


@dataclass(frozen=True)
class Head:
    """A head between its inputs and the classifier.

    Attributes:
        head: The quantum layer, or a twin's module; float64, in evaluation mode.
        classifier: From the head's output, flattened, to logits (B, K); likewise.
        inputs: What the head reads of M images, float64 (M, ...).
        multilabel: Whether the K logits are of findings that may stand together.
    """

    head: nn.Module
    classifier: nn.Module
    inputs: Tensor
    multilabel: bool = False

    @property
    def weights(self) -> dict[str, Tensor]:
        """The head's weights by name, trained or not."""
        return dict(self.head.named_parameters())

    def features(self, weights: dict[str, Tensor]) -> Tensor:
        """The head's output with given weights, as the classifier reads it: (M, F)."""
        with torch.no_grad():
            return torch.func.functional_call(self.head, weights, (self.inputs,)).flatten(1)

    def probabilities(self, features: Tensor) -> Tensor:
        """Of each class, or finding, from the head's output: (M, K)."""
        with torch.no_grad():
            logits = self.classifier(features)
        return logits.sigmoid() if self.multilabel else logits.softmax(dim=1)


def cut_out(model: nn.Module, images: Tensor, multilabel: bool = False) -> Head:
    """The head of a system's model, with what it reads of images.

    Args:
        model: Of ``models.SYSTEMS``; it is left as it is but for its evaluation mode.
        images: float32 (M, C, H, W), as the model reads them.
        multilabel: Whether the classes are findings that may stand together.
    """
    seen: list[Tensor] = []
    head = model.eval().get_submodule("head")
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        with torch.no_grad():
            for chunk in images.split(32):
                model(chunk)
    finally:
        hook.remove()
    classifier = model.get_submodule("classifier")
    return Head(_doubled(head), _doubled(classifier), torch.cat(seen).double(), multilabel)


def redrawn(
    recipe: Recipe, variant: str, classes: int, count: int, generator: Generator
) -> Iterator[dict[str, Tensor]]:
    """Weights of a variant's head as they are before training, drawn anew so many times.

    They come from models built with other seeds, so each twin's own initialisation holds.
    """
    for seed in torch.randint(2**32, (count,), generator=generator).tolist():
        with torch.random.fork_rng(devices=[]):
            other = recipe.model_copy(update={"seed": seed})
            head = build_model(other, variant, classes).get_submodule("head")
        yield {name: weight.detach().double() for name, weight in head.named_parameters()}


def _doubled(module: nn.Module) -> nn.Module:
    """A copy in float64 whose own weights are fixed."""
    return copy.deepcopy(module).double().eval().requires_grad_(False)
