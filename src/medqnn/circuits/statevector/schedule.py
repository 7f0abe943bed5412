"""A circuit as stages on a state vector, with the constants that they need."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import ansatze, gates
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.statevector import kronecker, rotations
from medqnn.circuits.statevector.wiring import Permutation, Signs, Wiring, wiring

COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}


class Data(Enum):
    """What the data do to a state: a gate on each qubit, or phases of all basis states."""

    TURN = "turn"
    PHASES = "phases"


Stage = int | Data | Wiring
"""A layer's rotations, by its number; what the data do; or two-qubit gates."""


class Schedule(NamedTuple):
    """Stages and constants of a circuit of L layers, for one dtype and device."""

    lead: tuple[int | Data, ...]  # gates on each qubit of |0…0⟩, which leave a product
    stages: tuple[Stage, ...]  # all others
    data: frozenset[Data]  # what of the data is among the others
    slopes: Tensor  # (P, 5 L q): weights to the numbers of all gates; see ``rotations``
    offsets: Tensor  # (L, q, 5)
    upload: Tensor | None  # (2, 5): slope and offset of a qubit's gate from its x
    traces: dict[int, Tensor]  # by group size: complex (n², 4k)
    paulis: Tensor  # (8, r): a qubit's overlaps, real and imaginary, to its expectation values


@lru_cache(maxsize=16)
def schedule(circuit: Circuit, dtype: torch.dtype, device: torch.device) -> Schedule:
    """The schedule of a circuit, built in float64 once and kept.

    Plain tensors whatever mode the first call comes in: inference, a transform, a default device.
    """
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.device("cpu"),
        torch._C._DisableFuncTorch(),
    ):
        layers, stages = _stages(circuit, device)
        lead, rest = _lead(circuit, stages)
        slopes, offsets = zip(*map(rotations.of_layer, layers), strict=True)
        upload = None
        if circuit.embedding != "amplitude":
            upload = rotations.of_upload(ansatze.upload(circuit)).to(device, dtype)
        sizes = set(kronecker.split(circuit.qubits))
        return Schedule(
            lead,
            rest,
            frozenset(stage for stage in rest if isinstance(stage, Data)),
            torch.stack(slopes, dim=1).flatten(1).to(device, dtype),
            torch.stack(offsets).to(device, dtype),
            upload,
            {n: kronecker.partial_traces(n).to(device, COMPLEX[dtype]) for n in sizes},
            _paulis(circuit).to(device, dtype),
        )


def _stages(circuit: Circuit, device: torch.device) -> tuple[list[ansatze.Layer], list[Stage]]:
    declared = ansatze.layers(circuit)
    if circuit.embedding != "amplitude" and not circuit.reupload:
        declared = [ansatze.upload(circuit), *declared]
    layers: list[ansatze.Layer] = []
    stages: list[Stage] = []
    for item in declared:
        if isinstance(item, ansatze.Upload):
            stages += [Data.TURN, Data.PHASES] if item.pairs else [Data.TURN]
            continue
        stages.append(len(layers))
        layers.append(item)
        if item.pairs and item.gate != "none":
            stages.append(wiring(item, circuit.qubits, device))
    return layers, stages


def _lead(
    circuit: Circuit, stages: list[Stage]
) -> tuple[tuple[int | Data, ...], tuple[Stage, ...]]:
    """The stages that leave a product of qubits' own states, and the rest."""
    lead: list[int | Data] = []
    for stage in stages if circuit.embedding != "amplitude" else []:
        if isinstance(stage, Permutation | Signs) or stage is Data.PHASES:
            break
        lead.append(stage)
    return tuple(lead), tuple(stages[len(lead) :])


def _paulis(circuit: Circuit) -> Tensor:
    """⟨P⟩ = Re Σ ρ_ab P̄_ab: rows of the real and the imaginary part of each entry in turn."""
    columns = []
    for pauli in circuit.readouts:
        change = gates.BASIS_CHANGE[pauli]
        operator = change.mH @ torch.tensor([[1, 0], [0, -1]], dtype=change.dtype) @ change
        columns.append(torch.view_as_real(operator).flatten())
    return torch.stack(columns, dim=1)
