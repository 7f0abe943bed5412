"""What the quantum layer alone can say: its readouts' shares, its states, its gates."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.circuits import embeddings
from medqnn.circuits.ansatze import Layer, layers
from medqnn.explain.gradients import integrate
from medqnn.explain.relevance import check, require_classes, through_head
from medqnn.layers import QuantumConv2d, QuantumLayer

STEPS = 100  # of the integral over the classifier, which costs next to nothing


class Readout(NamedTuple):
    """One expectation value. Circuits and qubits count from 0 here, and from 1 in its name."""

    circuit: int
    qubit: int
    pauli: str

    def __str__(self) -> str:
        """As figures name it."""
        return f"circuit {self.circuit + 1}, qubit {self.qubit + 1}, {self.pauli}"


class Contributions(NamedTuple):
    """A logit shared out over what the classifier reads.

    Attributes:
        values: float32 (B, F). Each row adds up to the logit less ``at_zero``.
        at_zero: float32 (B,), the logit if all F were zero: the classifier's bias, if it is linear.
        names: Of the F: ``circuit 2, qubit 4, Y``, or of a classical twin ``feature 7``.
        readouts: Of the F; None of a classical twin.
    """

    values: Tensor
    at_zero: Tensor
    names: tuple[str, ...]
    readouts: tuple[Readout, ...] | None

    def by_circuit(self) -> dict[str, Tensor]:
        """Sums over each circuit's readouts, (B,) each, by ``circuit 2``; none of a twin."""
        columns: dict[str, list[Tensor]] = {}
        for readout, column in zip(self.readouts or (), self.values.T, strict=False):
            columns.setdefault(f"circuit {readout.circuit + 1}", []).append(column)
        return {name: torch.stack(parts).sum(0) for name, parts in columns.items()}


def contributions(model: nn.Module, images: Tensor, targets: Tensor) -> Contributions:
    """Share a logit out over the expectation values that the classifier reads.

    By integrated gradients from zero: exactly weight times value where the classifier is linear.
    Values of a quantum convolution, and of its twins, are summed over places.

    Args:
        model: In evaluation mode with frozen weights.
        images: float32 (B, C, H, W) in [0, 1].
        targets: The class of each that is to be explained, int64 (B,).

    Raises:
        EvaluationError: If images or targets do not fit.
    """
    check(model, images, targets)
    with torch.no_grad():
        values = through_head(model, images)[1]
    classifier, features = model.get_submodule("classifier"), values.flatten(1)
    with torch.no_grad():
        at_zero = classifier(torch.zeros_like(features))
    require_classes(targets, at_zero.shape[1])
    shares = integrate(classifier, features, targets, STEPS).unflatten(1, (values.shape[1], -1))
    readouts = _readouts(model.get_submodule("head"))
    numbers = range(1, values.shape[1] + 1)
    names = map(str, readouts) if readouts else (f"feature {number}" for number in numbers)
    zero = at_zero.gather(1, targets[:, None])[:, 0]
    return Contributions(shares.sum(-1), zero, tuple(names), readouts)


def amplitudes(model: nn.Module, images: Tensor) -> Tensor | None:
    """What each circuit is given to work with.

    Args:
        model: In evaluation mode.
        images: float32 (B, C, H, W) in [0, 1].

    Returns:
        float32 (B, circuits, 2^q), probabilities |a_i|² of the embedded state, qubit 1 the most
        significant bit of i (a vector of zeros has no state and gives zeros); with angle embedding
        (B, circuits, q), the angles in radians, of a quantum convolution their means over the
        patches. None of a classical twin.

    Raises:
        EvaluationError: If the images do not fit.
    """
    check(model, images, images.new_zeros(len(images)).long())
    head = model.get_submodule("head")
    if not isinstance(head, QuantumLayer | QuantumConv2d):
        return None
    with torch.no_grad():
        inputs = through_head(model, images)[0]
    if isinstance(head, QuantumConv2d):
        return _mean_angles(head, inputs)
    grouped = inputs.unflatten(1, (head.circuits, -1))
    if head.circuit.embedding != "amplitude":
        return grouped
    return embeddings.amplitude(grouped.mT)[0].mT.square()


class Gate(NamedTuple):
    """A gate of a trained circuit.

    Attributes:
        name: ``Rot``, ``RX``, ``RY``, ``RZ``, ``CNOT`` or ``CZ``, as PennyLane's.
        qubits: On which it acts, from 0; control, then target.
        angles: In radians; (φ, θ, ω) of a Rot, R_z(ω) R_y(θ) R_z(φ).
    """

    name: str
    qubits: tuple[int, ...]
    angles: tuple[float, ...] = ()


def circuit_of(layer: QuantumLayer | QuantumConv2d) -> list[list[list[Gate]]]:
    """The gates behind the embedding, of each circuit, of each of its layers, in order of time.

    With ``reupload`` the embedding stands before every layer of the ansatz; it is not among these.
    Pooling is there as it is computed: its measurements deferred, each controlled rotation as
    rotations and CNOTs (see ``circuits.ansatze``). Embedding and readout are in ``layer.circuit``.
    """
    declared = [part for part in layers(layer.circuit) if isinstance(part, Layer)]
    circuits = layer.weight.detach().double().cpu().flatten(1)
    return [[_gates(part, weights) for part in declared] for weights in circuits]


def _gates(layer: Layer, weights: Tensor) -> list[Gate]:
    """Rotations that have a weight, qubit by qubit, then two-qubit gates."""
    angles = torch.einsum("p,pqk->qk", weights, layer.rotations)
    present = layer.rotations.any(0)
    gates = []
    for qubit, (own, has) in enumerate(zip(angles.tolist(), present.tolist(), strict=True)):
        if all(has):
            gates.append(Gate("Rot", (qubit,), tuple(own)))
            continue
        turns = zip(("RZ", f"R{layer.axis}", "RZ"), own, has, strict=True)
        gates += [Gate(name, (qubit,), (angle,)) for name, angle, there in turns if there]
    if layer.gate != "none":
        gates += [Gate(layer.gate.upper(), pair) for pair in layer.pairs]
    return gates


def _readouts(head: nn.Module) -> tuple[Readout, ...] | None:
    """In the order of the head's outputs, or channels; None of a classical twin."""
    if not isinstance(head, QuantumLayer | QuantumConv2d):
        return None
    spec = head.circuit
    return tuple(
        Readout(circuit, qubit, pauli)
        for circuit in range(len(head.weight))
        for pauli in spec.readouts
        for qubit in spec.measured
    )


def _mean_angles(layer: QuantumConv2d, maps: Tensor) -> Tensor:
    """Angle of each circuit's qubits, (B, circuits, q), over all patches of maps (B, C, h, w)."""
    patches = F.unfold(maps, layer.kernel_size, padding=layer.padding, stride=layer.stride)
    means = patches.mean(-1).unflatten(1, (layer.in_channels, -1))
    return means.repeat_interleave(len(layer.weight) // layer.in_channels, dim=1)
