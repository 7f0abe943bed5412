"""A circuit on state vectors, and its gradients by adjoint differentiation.

Backward keeps the last state alone: it undoes stage by stage on the state and on the gradient to
it, the costate (Jones and Gacon 2020), so memory does not grow with depth. The gradients of all
gates on single qubits come from one overlap of state and costate a group of qubits. States are
(c, B, N), the batch before the amplitudes. The state is conjugated while it is walked back, for
the overlaps need it so.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import embeddings
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.statevector import kronecker, marginals, rotations
from medqnn.circuits.statevector.schedule import Data, Schedule
from medqnn.circuits.statevector.wiring import Permutation, Signs


class Turn(NamedTuple):
    """A gate on each qubit; b is 1 for gates of weights and B for gates of data."""

    gates: Tensor  # complex (c, b, q, 2, 2)
    matrices: list[Tensor]  # complex (c, b, n, n), a group each; none where only the lead uses it


class Moves(NamedTuple):
    """All that a batch and its weights do to a state."""

    turns: dict[int | Data, Turn]
    weight_numbers: Tensor  # (c, 1, L, q, 5)
    data_numbers: Tensor  # (c, B, q, 5); none with amplitudes
    phases: Tensor  # complex (c, B, N), exp(-i p) of IQP; none without
    saved: tuple[Tensor, ...]  # for the product with the phases' Jacobian


def forward(
    plan: Schedule, circuit: Circuit, inputs: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Expectation values of a batch; plain tensor operations, differentiable by autograd too.

    Args:
        plan: Of the circuit, for the tensors' dtype and device.
        circuit: What to evaluate.
        inputs: Real (c, B, circuit.inputs).
        weights: Real (c, *circuit.weight_shape).

    Returns:
        Values (c, B, circuit.outputs) and the last states, complex (c, B, N).
    """
    moves = _moves(plan, inputs, weights)
    if plan.lead:
        state = kronecker.product_state(_lead(plan, moves)[-1].squeeze(-1))
    else:
        state = embeddings.amplitude(inputs.unsqueeze(-1))[0].squeeze(-1)
    for stage in plan.stages:
        if isinstance(stage, Permutation | Signs):
            state = stage.apply(state)
        elif stage is Data.PHASES:
            state = state * moves.phases
        else:
            state = kronecker.turn(state, moves.turns[stage].matrices)
    return marginals.values(plan, circuit, state), state


def backward(
    plan: Schedule, circuit: Circuit, state: Tensor, grad: Tensor, inputs: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients to inputs and weights, in closed form.

    Args:
        plan: As in ``forward``, and so the next.
        circuit: What was evaluated.
        state: From ``forward``.
        grad: Gradient to the values (c, B, circuit.outputs).
        inputs: As in ``forward``.
        weights: As in ``forward``.

    Returns:
        Gradients of the shapes of ``inputs`` and ``weights``.
    """
    moves = _moves(plan, inputs, weights)
    conjugate, costate = state.conj().resolve_conj(), marginals.costate(plan, circuit, state, grad)
    grads: dict[int | Data, Tensor] = {}
    for place, stage in reversed(list(enumerate(plan.stages))):
        if isinstance(stage, Permutation | Signs):
            conjugate, costate = stage.undo(conjugate), stage.undo(costate)
        elif stage is Data.PHASES:
            _add(grads, stage, -(costate * conjugate).imag)
            conjugate, costate = conjugate * moves.phases, costate * moves.phases.conj()
        else:
            turn = moves.turns[stage]
            conjugate, costate, to_gates = _undo(plan, turn, conjugate, costate, first=place == 0)
            _add(grads, stage, to_gates)
    if plan.lead:
        _undo_lead(plan, moves, costate, grads)
    to_weights = _to_weights(plan, moves, grads).view(weights.shape)
    return _to_inputs(plan, moves, inputs, costate, grads), to_weights


def _moves(plan: Schedule, inputs: Tensor, weights: Tensor) -> Moves:
    numbers = torch.mm(weights.flatten(1), plan.slopes).unflatten(-1, (1, *plan.offsets.shape))
    numbers = numbers + plan.offsets
    gates = rotations.gates(numbers)
    groups = [matrix.unbind(2) for matrix in kronecker.group_matrices(gates)]
    turns: dict[int | Data, Turn] = {
        number: Turn(own, matrices)
        for number, (own, *matrices) in enumerate(zip(gates.unbind(2), *groups, strict=True))
    }
    data = phases = numbers.new_empty(0)
    saved: tuple[Tensor, ...] = ()
    if plan.upload is not None:
        data = torch.addcmul(plan.upload[1], inputs.unsqueeze(-1), plan.upload[0])
        gates = rotations.gates(data)
        matrices = kronecker.group_matrices(gates) if Data.TURN in plan.data else []
        turns[Data.TURN] = Turn(gates, matrices)
    if Data.PHASES in plan.data:
        angles, saved = embeddings.iqp_phases(inputs.unsqueeze(-1))
        phases = torch.polar(torch.ones_like(angles), -angles).squeeze(-1)
    return Moves(turns, numbers, data, phases, saved)


def _lead(plan: Schedule, moves: Moves) -> list[Tensor]:
    """Each qubit's state (c, b, q, 2, 1): |0⟩, then behind each of the leading gates."""
    gates = moves.turns[plan.lead[0]].gates
    vectors = [torch.eye(2, 1, dtype=gates.dtype, device=gates.device)]
    for stage in plan.lead:
        vectors.append(torch.matmul(moves.turns[stage].gates, vectors[-1]))
    return vectors


def _undo(
    plan: Schedule, turn: Turn, conjugate: Tensor, costate: Tensor, first: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Both before the gates, and the gradient to these.

    Rotations come first of all stages behind amplitudes alone (see ``Schedule.lead``): then the
    costate is real in the end, and the state is not needed.
    """
    own = []
    for place, matrix in reversed(list(enumerate(turn.matrices))):
        size = matrix.shape[-1].bit_length() - 1
        pair = costate, conjugate
        if matrix.shape[1] != costate.shape[1]:  # one matrix for all images
            pair = costate.flatten(1).unsqueeze(1), conjugate.flatten(1).unsqueeze(1)
        overlap = kronecker.overlap(*pair, size)
        own.append(torch.matmul(overlap.flatten(-2), plan.traces[size]))
        if first and place == 0:
            costate = kronecker.real_to_front(costate, matrix)
        else:
            costate = kronecker.to_front(costate, matrix.mH)
            conjugate = kronecker.to_front(conjugate, matrix.mT)
    overlaps = torch.cat(own[::-1], dim=-1).view(turn.gates.shape)
    return conjugate, costate, torch.matmul(overlaps, turn.gates)


def _undo_lead(
    plan: Schedule, moves: Moves, costate: Tensor, grads: dict[int | Data, Tensor]
) -> None:
    *before, last = _lead(plan, moves)
    to_vectors = kronecker.product_state_vjp(costate, last.squeeze(-1)).unsqueeze(-1)
    for stage, vectors in zip(plan.lead[::-1], before[::-1], strict=True):
        gates = moves.turns[stage].gates
        to_gates = torch.matmul(to_vectors, vectors.mH)
        if gates.shape[1] != to_gates.shape[1]:
            to_gates = to_gates.sum(1, keepdim=True)
        _add(grads, stage, to_gates)
        to_vectors = torch.matmul(gates.mH, to_vectors)


def _add(grads: dict[int | Data, Tensor], stage: int | Data, grad: Tensor) -> None:
    grads[stage] = grads[stage] + grad if stage in grads else grad


def _to_weights(plan: Schedule, moves: Moves, grads: dict[int | Data, Tensor]) -> Tensor:
    to_gates = torch.stack([grads[layer] for layer in range(len(plan.offsets))], dim=2)
    to_numbers = rotations.gates_vjp(to_gates, moves.weight_numbers)
    return torch.mm(to_numbers.flatten(1), plan.slopes.T)


def _to_inputs(
    plan: Schedule, moves: Moves, inputs: Tensor, costate: Tensor, grads: dict[int | Data, Tensor]
) -> Tensor:
    if plan.upload is None:
        saved = embeddings.amplitude(inputs.unsqueeze(-1))[1]
        return embeddings.amplitude_vjp(costate.unsqueeze(-1), saved).squeeze(-1)
    to_numbers = rotations.gates_vjp(grads[Data.TURN], moves.data_numbers)
    to_inputs = torch.mv(to_numbers.flatten(0, -2), plan.upload[0]).view(inputs.shape)
    if Data.PHASES in grads:
        to_phases = grads[Data.PHASES].unsqueeze(-1)
        to_inputs += embeddings.iqp_phases_vjp(to_phases, moves.saved).squeeze(-1)
    return to_inputs
