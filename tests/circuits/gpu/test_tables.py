"""A step's rows say what `steps` declares"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings

from medqnn.circuits import Circuit
from medqnn.circuits.gpu.tables import tables
from medqnn.circuits.steps import half_angles, steps
from medqnn.circuits.turns import Permutation

from .. import strategies

CPU = torch.device("cpu")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(circuit=strategies.circuits(qubits=6, depth=4, reupload=True))
def test_angles_moves_and_slots(circuit: Circuit) -> None:
    table, found, size = tables(circuit, torch.float64, CPU), steps(circuit), circuit.dimension
    slopes, offsets = half_angles(found)
    columns = 1 << (circuit.qubits - 1).bit_length()
    sources, slots, there, back, uploads = table.integers.long().split(
        [8 * columns, 8 * columns, size, size, 1], dim=1
    )
    assert table.steps == len(found)
    assert uploads.flatten().tolist() == [step.uploads for step in found]
    moves = [Permutation.identity(size).then(step.layer, circuit.qubits) for step in found]
    states = torch.rand(size, dtype=torch.float64)
    for move, gone, came in zip(moves, there, back, strict=True):
        moved = states[gone % size] * (1 - 2 * (gone // size))
        assert torch.equal(moved[move.states], states * move.signs)
        assert torch.equal(moved[came % size] * (1 - 2 * (came // size)), states)

    weights = torch.rand(len(slopes), dtype=torch.float64)
    known = sources.unflatten(1, (2, -1))
    own = torch.where(known >= 0, weights[known.clamp_min(0)], 0.0)
    halves = table.reals[:, 0] + (table.reals[:, 1:] * own).sum(1)
    placed = halves.view(-1, 4, columns)[:, :3, : circuit.qubits].mT
    expected = (weights @ slopes + offsets).view(-1, circuit.qubits, 3)[1:-1]
    torch.testing.assert_close(placed, expected)

    used = slots[slots >= 0]
    assert len(used) == len(used.unique())
    assert torch.equal(slots >= 0, sources >= 0)
    assert torch.equal(used % len(slopes), sources[sources >= 0])
    assert int(used.max()) < table.slots * len(slopes)


def test_one_slot_is_filled_by_every_weight_without_pooling() -> None:
    """Nothing else clears them."""
    for circuit in (Circuit(3, 2), Circuit(3, 2, "angle_x", ansatz="ry_rz_strong", reupload=True)):
        assert tables(circuit, torch.float64, CPU).slots == 1
    assert tables(Circuit(3, 2, pooling=True), torch.float64, CPU).slots == 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tables_are_plain_tensors_whatever_mode_the_first_call_comes_in(
    dtype: torch.dtype,
) -> None:
    with torch.inference_mode():
        table = tables(Circuit(2, 5), dtype, CPU)
    assert table.reals.dtype is dtype
    assert not table.reals.is_inference()
