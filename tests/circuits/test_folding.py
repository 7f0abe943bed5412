from __future__ import annotations

import pytest
import torch

from medqnn.circuits import Circuit
from medqnn.circuits.ansatze import Layer, layers
from medqnn.circuits.folding import fold
from medqnn.errors import CircuitError


@pytest.mark.parametrize("factor", [1, 3, 5])
def test_every_gate_acts_so_often(factor: int) -> None:
    """That the folded circuit is the same is in ``noise/test_exact``."""
    declared = layers(Circuit(3, 2, "angle", reupload=True))
    folded = fold(declared, factor)
    for kind in (Layer, object):
        parts = [part for part in folded if isinstance(part, kind) == (kind is Layer)]
        before = [part for part in declared if isinstance(part, kind) == (kind is Layer)]
        if kind is object:
            assert len(parts) == len(before)
            continue
        pairs, turns = ([sum(map(count, p)) for p in (parts, before)] for count in (_pairs, _turns))
        assert pairs[0] == factor * pairs[1]
        assert turns[0] == factor * turns[1]


def _pairs(layer: Layer) -> int:
    return len(layer.pairs)


def _turns(layer: Layer) -> int:
    return int(layer.rotations.any(0).any(-1).sum())


@pytest.mark.parametrize("factor", [0, 2, -1])
def test_only_odd_factors(factor: int) -> None:
    with pytest.raises(CircuitError, match=f"folded {factor} times: give an odd number"):
        fold(layers(Circuit(2, 1)), factor)


def test_reverse_order() -> None:
    layer = Layer(torch.arange(6.0).view(1, 2, 3), "cnot", [(0, 1), (1, 0)], "X")
    _, gates, back, _ = fold([layer], 3)
    assert (gates.pairs, gates.gate, back.pairs, back.axis) == ([(1, 0), (0, 1)], "cnot", [], "X")
    assert back.rotations.tolist() == [[[-2, -1, -0.0], [-5, -4, -3]]]
