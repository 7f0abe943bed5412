"""A circuit's constants as the machine code of ``native`` reads them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import readout
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.steps import half_angles, steps
from medqnn.circuits.turns import Permutation
from medqnn.kernels.contract import (
    MOST_ROWS,
    VECTOR_BITS,
    Kernel,
    matrix_room,
    states_room,
    steps_size,
)

BITS = {torch.float32: 32, torch.float64: 64}
"""Width of the dtypes that there is machine code for."""

# ⟨X⟩ = 2 Re Σ ψ̄_0 ψ_1, ⟨Y⟩ = 2 Im Σ ψ̄_0 ψ_1 and ⟨Z⟩ = Σ |ψ_0|² - |ψ_1|²
_PAULIS = {"X": [2.0, 0.0, 0.0], "Y": [0.0, 2.0, 0.0], "Z": [0.0, 0.0, 1.0]}


class Tables(NamedTuple):
    """A circuit's constants for one kernel and dtype."""

    address: int  # of the constants
    constants: tuple[Tensor, ...]  # what owns them
    work: int  # numbers that one circuit leaves to backward
    scratch: int
    outputs: int


class _Shared(NamedTuple):
    """What both kernels read: ``Constants``."""

    layers: int
    rows: int
    angles: int
    numbers: list[int]
    owned: list[Tensor]

    def with_own(
        self, circuit: Circuit, numbers: list[int], owned: list[Tensor], work: int, scratch: int
    ) -> Tables:
        """In memory, with what one kernel reads beside it."""
        pointers = [[tensor.data_ptr() for tensor in tensors] for tensors in (self.owned, owned)]
        table = torch.tensor([*self.numbers, *pointers[0], *numbers, *pointers[1]])
        constants = (table, *self.owned, *owned)
        return Tables(table.data_ptr(), constants, work, scratch, circuit.outputs)


@lru_cache(maxsize=64)
def tables(circuit: Circuit, dtype: torch.dtype, kernel: Kernel) -> Tables:
    """The constants of a circuit, built in float64 once and kept: plain tensors in any mode."""
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.device("cpu"),
        torch._C._DisableFuncTorch(),
    ):
        return {"matrix": _for_matrix, "states": _for_states}[kernel](circuit, dtype)


def _for_matrix(circuit: Circuit, dtype: torch.dtype) -> Tables:
    changes = readout.readout_rows(circuit).T
    width, outputs = _up(changes.shape[1], _lanes(dtype)), _up(circuit.outputs, MOST_ROWS)
    shared = _shared(circuit, dtype, width)
    start = torch.stack([_filled(p, len(p), width) for p in (changes.real, changes.imag)], dim=1)
    owned = [start, _filled(readout.readout_signs(circuit), outputs, width)]
    layers, rows, angles = shared[:3]
    return shared.with_own(
        circuit,
        [outputs],
        [tensor.to(dtype) for tensor in owned],
        work=steps_size(layers, rows, width, angles),
        scratch=matrix_room(rows, width, outputs, angles),
    )


def _for_states(circuit: Circuit, dtype: torch.dtype) -> Tables:
    lanes = _lanes(dtype)
    shared = _shared(circuit, dtype, width=lanes)
    paulis = torch.tensor([_PAULIS[pauli] for pauli in circuit.readouts], dtype=dtype)
    owned = [torch.tensor(circuit.measured), paulis]
    numbers = [len(circuit.readouts), len(circuit.measured)]
    layers, rows, angles = shared[:3]
    scratch = states_room(layers, circuit.qubits, rows, lanes, circuit.outputs, angles)
    return shared.with_own(circuit, numbers, owned, work=0, scratch=scratch)


def _shared(circuit: Circuit, dtype: torch.dtype, width: int) -> _Shared:
    found, size = steps(circuit), circuit.dimension
    none = Permutation.identity(size)
    moves = [none, *(none.then(step.layer, circuit.qubits) for step in found)]
    slopes, offsets = half_angles(found)
    uploading = [number for number, step in enumerate(found, start=1) if step.uploads]
    lanes = _lanes(dtype)
    rows, angles = _up(size, lanes), _up(len(offsets), lanes)
    reals = (
        torch.stack([move.signs for move in moves]),
        _filled(slopes, len(slopes), angles),
        _filled(offsets[None], 1, angles),
    )
    numbers = [circuit.qubits, len(found), size, rows, width, circuit.outputs]
    numbers += [circuit.embedding == "amplitude", len(slopes), angles, len(uploading)]
    integers = [torch.tensor(uploading), torch.stack([move.states for move in moves])]
    owned = [*integers, *(real.to(dtype) for real in reals)]
    return _Shared(len(found), rows, angles, numbers, owned)


def _lanes(dtype: torch.dtype) -> int:
    """Numbers in a vector."""
    return VECTOR_BITS // BITS[dtype]


def _up(number: int, step: int) -> int:
    """Rounded up to a multiple."""
    return -(-number // step) * step


def _filled(matrix: Tensor, rows: int, columns: int) -> Tensor:
    """With zeros behind its rows and columns."""
    filled = torch.zeros(rows, columns, dtype=torch.float64)
    filled[: matrix.shape[0], : matrix.shape[1]] = matrix
    return filled
