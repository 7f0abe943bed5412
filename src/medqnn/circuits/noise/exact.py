"""Expectation values and probabilities of noisy narrow circuits, exact and differentiable.

Where data enter before all else, the readouts' observables go backward through the noisy circuit
once a step (Heisenberg's picture): then an image costs one product, with noise as without. Where
data enter between entangling gates (``reupload``, ``iqp``), each image's state goes forward.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, reduce

import torch
from torch import Tensor

from medqnn.circuits import embeddings, gates
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.noise import program
from medqnn.circuits.noise.declaration import Noise, confuse
from medqnn.circuits.noise.listing import DataRotation, listed
from medqnn.circuits.noise.transfer import Operation, backward, forward, merged
from medqnn.errors import CircuitError

MAX_QUBITS = 8
"""Widest circuit with exact noise: an observable has 4^8 = 65,536 numbers."""

TO_ENTRIES = torch.tensor(
    [[1, 0, 0, 1], [0, 1, 1, 0], [0, -1, 1, 0], [1, 0, 0, -1]], dtype=torch.float64
)
"""1, X, Y / i and Z as the entries 00, 01, 10, 11 of their matrices."""


def expectations(
    circuit: Circuit, inputs: Tensor, weights: Tensor, noise: Noise, folds: int = 1
) -> Tensor:
    """``circuits.expectations`` under noise: exact, no shots, differentiable by autograd.

    Args:
        circuit: What to evaluate, of at most 8 qubits.
        inputs: Real (..., c, circuit.inputs).
        weights: Real (c, *circuit.weight_shape), radians.
        noise: What happens beside the gates.
        folds: How often each layer's gates act; see ``folding.fold``.

    Returns:
        Values in [-1, 1], shape (..., c, circuit.outputs).

    Raises:
        CircuitError: If the circuit is too wide, or the noise does not fit it.
    """
    return _evaluated(circuit, inputs, weights, noise, folds, _readout_rows(circuit, noise))


def probabilities(
    circuit: Circuit, inputs: Tensor, weights: Tensor, noise: Noise, folds: int = 1
) -> Tensor:
    """Joint probabilities of what is told of all qubits, in each readout's basis.

    Arguments and errors as with ``expectations``.

    Returns:
        Shape (..., c, r, 2^q), for r readouts.
    """
    rows, letters = _string_rows(circuit), len(circuit.readouts)
    values = _evaluated(circuit, inputs, weights, noise, folds, rows)
    strings = values.unflatten(-1, (letters, circuit.dimension))
    to_outcomes = _parities(circuit.qubits).to(values) / circuit.dimension
    return confuse(strings @ to_outcomes, noise.readout_of(circuit.qubits))


def _evaluated(
    circuit: Circuit, inputs: Tensor, weights: Tensor, noise: Noise, folds: int, rows: Tensor
) -> Tensor:
    """Expectation values (..., c, o) of observables (o, 4^q)."""
    if circuit.qubits > MAX_QUBITS:
        raise CircuitError(
            f"circuit has {circuit.qubits} qubits: exact noise serves at most {MAX_QUBITS}; "
            "sample trajectories instead (noise.trajectories)"
        )
    result = torch.promote_types(inputs.dtype, weights.dtype)
    working = torch.promote_types(result, torch.float32)
    with torch.autocast(inputs.device.type, enabled=False):
        batch_last = inputs.movedim((-2, -1), (0, 1)).to(working)
        flat = batch_last.reshape(*inputs.shape[-2:], -1)
        plan = program.plan(circuit, noise, folds, working, inputs.device)
        steps = program.operations(plan, weights.to(working).flatten(1), flat)
        observe = rows.to(inputs.device, working)
        if program.is_product(circuit):
            values = _of_products(circuit, noise, flat, steps, observe)
        elif circuit.embedding == "amplitude":
            values = _of_amplitudes(circuit, flat, steps, observe)
        else:
            values = _of_images(circuit, steps, observe)
    values = values.to(result).expand(len(weights), -1, flat.shape[-1])
    return values.reshape(*values.shape[:2], *inputs.shape[:-2]).movedim((0, 1), (-2, -1))


def _of_products(
    circuit: Circuit, noise: Noise, angles: Tensor, steps: list[Operation], rows: Tensor
) -> Tensor:
    """Each qubit's Pauli vector is linear in 1, sin x, cos x: 3^q features an image."""
    embed = _product_embedding(circuit, noise).to(rows)
    first = [Operation((qubit,), embed) for qubit in range(circuit.qubits)]
    before = backward(rows, merged(first + steps), circuit.qubits)
    used = before.index_select(-1, _without_third(circuit.qubits).to(rows.device))
    ones = torch.ones_like(angles)
    qubits = torch.stack((ones, angles.sin(), angles.cos()), dim=2).unbind(1)
    features = reduce(lambda a, b: (a[:, :, None] * b[:, None]).flatten(1, 2), qubits)
    return torch.matmul(used, features)


def _of_amplitudes(
    circuit: Circuit, inputs: Tensor, steps: list[Operation], rows: Tensor
) -> Tensor:
    """ψᵀ M ψ, with M the real part of an observable's matrix, for ψ is real."""
    before = backward(rows, merged(steps), circuit.qubits) * _signs(circuit.qubits).to(rows)
    entries = [Operation((qubit,), TO_ENTRIES.to(rows)) for qubit in range(circuit.qubits)]
    bits = backward(before.flatten(0, 1), merged(entries), circuit.qubits)[0]
    order = [*range(1, 2 * circuit.qubits, 2), *range(2, 2 * circuit.qubits + 1, 2)]
    matrices = bits.unflatten(-1, (2,) * (2 * circuit.qubits)).permute(0, *order)
    matrices = matrices.reshape(len(before), -1, circuit.dimension)
    states, _ = embeddings.amplitude(inputs)
    turned = torch.unflatten(torch.matmul(matrices, states), 1, (len(rows), -1))
    return (turned * states.unsqueeze(1)).sum(2)


def _of_images(circuit: Circuit, steps: list[Operation], rows: Tensor) -> Tensor:
    """Each image's Pauli vector, from |0…0⟩ on."""
    zero = torch.tensor([1.0, 0.0, 0.0, 1.0]).to(rows)
    start = reduce(torch.kron, [zero] * circuit.qubits)[None, None]
    return torch.matmul(forward(start, merged(steps), circuit.qubits), rows.T).mT


def _constant(build: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Built once, as a plain tensor whatever mode the first call comes in."""

    @lru_cache(maxsize=64)
    def built(*arguments: Hashable) -> Tensor:
        with torch.inference_mode(False), torch.no_grad(), torch.device("cpu"):
            return build(*arguments)

    return built


@_constant
def _product_embedding(circuit: Circuit, noise: Noise) -> Tensor:
    """One qubit's Pauli vector from (1, sin x, ·, cos x), noise included: float64 (4, 4)."""
    zero = torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    gate = next(gate for gate in listed(circuit) if isinstance(gate, DataRotation))
    parts = program.data(gate, noise).parts
    constant, cos, sin = parts @ program.one_qubit(noise.preparation) @ zero
    return torch.stack((constant, sin, torch.zeros_like(sin), cos), dim=1)


@_constant
def _readout_rows(circuit: Circuit, noise: Noise) -> Tensor:
    """The readouts as observables, errors of the readout included: float64 (outputs, 4^q)."""
    errors = noise.readout_of(circuit.qubits)
    rows = torch.zeros(circuit.outputs, 4**circuit.qubits, dtype=torch.float64)
    readouts = [(letter, qubit) for letter in circuit.readouts for qubit in circuit.measured]
    for row, (letter, qubit) in zip(rows, readouts, strict=True):
        row[0] = errors[qubit].offset
        row["IXYZ".index(letter) * 4 ** (circuit.qubits - 1 - qubit)] = errors[qubit].slope
    return rows


@_constant
def _string_rows(circuit: Circuit) -> Tensor:
    """Products of each readout's letter over every set of qubits: float64 (r 2^q, 4^q)."""
    places = 4 ** torch.arange(circuit.qubits - 1, -1, -1)
    sets = gates.bits(circuit.qubits) @ places
    columns = torch.cat([sets * "IXYZ".index(letter) for letter in circuit.readouts])
    rows = torch.zeros(len(columns), 4**circuit.qubits, dtype=torch.float64)
    return rows.scatter_(1, columns[:, None], 1.0)


@_constant
def _parities(qubits: int) -> Tensor:
    """Sign of every outcome under the product over every set of qubits: float64 (2^q, 2^q)."""
    return gates.power(torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64), qubits)


@_constant
def _without_third(qubits: int) -> Tensor:
    """Indices of Pauli strings without Y: int64 (3^q,)."""
    digits = torch.cartesian_prod(*[torch.tensor([0, 1, 3])] * qubits).view(-1, qubits)
    return digits @ 4 ** torch.arange(qubits - 1, -1, -1)


@_constant
def _signs(qubits: int) -> Tensor:
    """i^n for an even number n of Y in a string, and 0 for an odd one: float64 (4^q,)."""
    count = torch.zeros(1, dtype=torch.int64)
    for _ in range(qubits):
        count = (count[:, None] + torch.tensor([0, 0, 1, 0])).flatten()
    return torch.tensor([1.0, 0.0, -1.0, 0.0], dtype=torch.float64)[count % 4]
