"""What every system's model returns."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """A model's answer on a batch of B images of H×W pixels.

    Attributes:
        logits: (B, K).
        features: (B, F), the quantum layer's output, or its twin's, as the classifier reads it.
        attention: Logits (B, 1, h, w) of the spatial attention map; None if the model has none.
    """

    logits: Tensor
    features: Tensor
    attention: Tensor | None = None
