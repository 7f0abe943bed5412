"""All that is said of one image: answers, maps, and what the quantum layer did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from medqnn.explain.gradcam import for_readout
from medqnn.explain.methods import METHODS, methods_of, targets_of
from medqnn.explain.quantum import Readout, amplitudes, contributions


class Quantum(NamedTuple):
    """What a quantum layer did with an image.

    Attributes:
        readouts: Of the F expectation values that the classifier reads.
        shares: Of the target's logit, float32 (F,); together the logit less ``at_zero``.
        at_zero: The logit if all expectation values were zero.
        by_circuit: Sums of the shares by ``circuit 2``.
        strongest: Index of the expectation value of the largest share, whatever its sign.
        seen: Grad-CAM of that value, float32 (H, W) in [0, 1].
        embedded: float32 (circuits, 2^q), probabilities of the basis states that were embedded, or
            with angle embedding (circuits, q), radians, of a quantum convolution their means.
        amplitude: Whether they are probabilities.
    """

    readouts: tuple[Readout, ...]
    shares: np.ndarray
    at_zero: float
    by_circuit: dict[str, float]
    strongest: int
    seen: np.ndarray
    embedded: np.ndarray
    amplitude: bool


class Answer(NamedTuple):
    """What a network makes of an image.

    Attributes:
        variant: The network's name.
        probabilities: Of the K classes, or of the presence of K findings, float64 (K,).
        target: Index of the class, or finding, that all else explains: the likeliest.
        maps: Relevance of each pixel by method, float32 (H, W) in [0, 1].
        quantum: None of a network without a quantum layer.
    """

    variant: str
    probabilities: np.ndarray
    target: int
    maps: dict[str, np.ndarray]
    quantum: Quantum | None


def explain(networks: Mapping[str, nn.Module], pixels: np.ndarray, several: bool) -> list[Answer]:
    """What each network makes of an image.

    Args:
        networks: By name, in evaluation mode and with fixed weights.
        pixels: uint8 (C, H, W).
        several: Whether findings may occur together.

    Raises:
        EvaluationError: If the image does not fit the networks.
    """
    image = torch.from_numpy(np.array(pixels))[None].float().div_(255.0)
    image = image.contiguous(memory_format=torch.channels_last)  # as in training
    return [_answer(name, model, image, several) for name, model in networks.items()]


def _answer(variant: str, model: nn.Module, image: Tensor, several: bool) -> Answer:
    with torch.no_grad():
        logits = model(image).logits
    target = targets_of(logits)
    scores = logits.double()
    probabilities = scores.sigmoid() if several else scores.softmax(1)
    maps = {name: METHODS[name](model, image, target)[0].numpy() for name in methods_of(model)}
    return Answer(
        variant, probabilities[0].numpy(), int(target), maps, _quantum(model, image, target)
    )


def _quantum(model: nn.Module, image: Tensor, target: Tensor) -> Quantum | None:
    embedded = amplitudes(model, image)
    if embedded is None:
        return None
    found = contributions(model, image, target)
    sums = {name: float(share) for name, share in found.by_circuit().items()}
    shares, at_zero = found.values[0].numpy(), float(found.at_zero)
    strongest = int(np.abs(shares).argmax())
    seen = for_readout(model, image, strongest)[0].numpy()
    amplitude = model.get_submodule("head").circuit.embedding == "amplitude"  # type: ignore[union-attr]
    own = (found.readouts or (), shares, at_zero, sums, strongest, seen)
    return Quantum(*own, embedded[0].numpy(), amplitude)
