"""A model whose quantum layers run on a noisy device, with finite shots, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from medqnn.circuits import noise as exact
from medqnn.circuits import shots as finite
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.mitigation import Mitigation, mitigated
from medqnn.circuits.noise import Noise, trajectories
from medqnn.circuits.noise.exact import MAX_QUBITS
from medqnn.errors import CircuitError
from medqnn.layers.evaluated import evaluated_by

TRAJECTORIES = 256
"""Random courses of the noise over which a circuit too wide for exact noise is averaged."""


@contextmanager
def noisy(
    model: nn.Module,
    noise: Noise,
    shots: int | None = None,
    seed: int = 0,
    mitigation: Mitigation | None = None,
) -> Iterator[nn.Module]:
    """The model on a noisy device, for evaluation or for noise-aware training.

    Noise is exact up to 8 qubits, and training goes through it. With shots the forward pass draws
    them and the backward pass takes the gradient of the expectation value they estimate
    (straight-through): what a device would give by parameter shift, without its own shot noise.
    Wider circuits are averaged over 256 trajectories, or drawn as ``shots.sample`` says, and
    are for evaluation alone.

    Args:
        model: With a quantum layer or quantum convolution somewhere in it.
        noise: What happens beside the gates; ``Noise()`` for shots alone.
        shots: Of each image, circuit and letter of the readouts; None for expectation values.
        seed: Of the shots and trajectories; a block draws the same ones again.
        mitigation: What is done to the values; None for nothing.

    Example:
        >>> with noisy(model, load("ibm-heron-r2").noise(), shots=1000) as device:
        ...     logits = device(images)

    Raises:
        CircuitError: If the model has no quantum layer.
    """
    with evaluated_by(model, _Device(noise, shots, seed, mitigation)) as changed:
        yield changed


class _Device:
    """``circuits.expectations`` as a noisy device would answer."""

    def __init__(
        self, noise: Noise, shots: int | None, seed: int, mitigation: Mitigation | None
    ) -> None:
        self.noise, self.shots, self.seed, self.mitigation = noise, shots, seed, mitigation
        self.generators: dict[torch.device, torch.Generator] = {}

    def __call__(self, circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
        learns = torch.is_grad_enabled() and (inputs.requires_grad or weights.requires_grad)
        drawn = self.shots is not None or circuit.qubits > MAX_QUBITS
        if learns and circuit.qubits > MAX_QUBITS:
            raise CircuitError(
                f"circuit has {circuit.qubits} qubits: noise has gradients up to {MAX_QUBITS}; "
                "evaluate under torch.no_grad()"
            )

        def expected(noise: Noise) -> Tensor:
            return exact.expectations(circuit, inputs, weights, noise)

        def told(noise: Noise) -> Tensor:
            return self._draw(circuit, inputs, weights, noise)

        if not drawn:
            return self._mitigated(circuit, expected)
        values = self._mitigated(circuit, told)
        if learns:
            mean = self._mitigated(circuit, expected)
            values = mean + (values - mean).detach()
        return values

    def _mitigated(self, circuit: Circuit, evaluate: Callable[[Noise], Tensor]) -> Tensor:
        if self.mitigation is None:
            return evaluate(self.noise)
        return mitigated(circuit, self.noise, evaluate, self.mitigation)

    def _draw(self, circuit: Circuit, inputs: Tensor, weights: Tensor, noise: Noise) -> Tensor:
        device = inputs.device
        if device not in self.generators:
            self.generators[device] = torch.Generator(device).manual_seed(self.seed)
        drawing = (circuit, inputs, weights)
        if self.shots is not None:
            return finite.sample(*drawing, self.shots, self.generators[device], noise)
        return trajectories.expectations(
            *drawing, noise, TRAJECTORIES, self.generators[device]
        ).values
