from __future__ import annotations

import pytest
import torch

from medqnn.circuits import Circuit, ansatze


def angles(circuit: Circuit) -> list[list[list[float]]]:
    """(φ, θ, ω) of every qubit in every layer, the weights being 1, 2, 3, …"""
    declared = ansatze.layers(circuit)
    weights = torch.arange(1.0, 1 + len(declared[0].rotations), dtype=torch.float64)
    return [torch.tensordot(weights, layer.rotations, 1).tolist() for layer in declared]


def gates(circuit: Circuit) -> list[tuple[str, list[tuple[int, int]]]]:
    return [(layer.gate, layer.pairs) for layer in ansatze.layers(circuit)]


def test_ranges_go_round() -> None:
    reached = [pairs[0][1] for _, pairs in gates(Circuit(4, 5))]
    assert reached == [1, 2, 3, 1, 2]


def test_a_ring_goes_round() -> None:
    assert ansatze.ring(Circuit(3, 1), 2) == [(0, 2), (1, 0), (2, 1)]


def test_strongly_entangling_layers_take_their_weights_in_order() -> None:
    circuit = Circuit(2, 2, entangler="cz")
    assert angles(circuit) == [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]
    assert gates(circuit) == [("cz", [(0, 1), (1, 0)])] * 2


def test_ry_rz_strong_is_two_layers_with_rings_of_reach_1() -> None:
    circuit = Circuit(3, 2, ansatz="ry_rz_strong")
    first, second = angles(circuit)[:2]
    assert first == [[0, 1, 2], [0, 6, 7], [0, 11, 12]]
    assert second == [[3, 4, 5], [8, 9, 10], [13, 14, 15]]
    assert gates(circuit) == [("cnot", [(0, 1), (1, 2), (2, 0)])] * 4


def test_pooling_turns_the_even_qubits_from_the_odd_ones() -> None:
    circuit = Circuit(5, 1, "angle", pooling=True)
    assert circuit.weight_shape == (15 + 6,)
    before, between, after = angles(circuit)[1:]
    first, second = (16, 17, 18), (19, 20, 21)
    still = [0, 0, 0]
    assert before == [[(p - w) / 2, 0, 0] if p else still for p, _, w in _on_even(first, second)]
    assert between == [[-(p + w) / 2, -t / 2, 0] for p, t, w in _on_even(first, second)]
    assert after == [[0, t / 2, w] for _, t, w in _on_even(first, second)]
    assert gates(circuit)[1:] == [("cnot", [(1, 0), (3, 2)])] * 2 + [("none", [])]


def _on_even(first: tuple[int, ...], second: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [first, (0, 0, 0), second, (0, 0, 0), (0, 0, 0)]


def test_pooling_in_the_product_circuit_turns_unconditionally() -> None:
    circuit = Circuit(3, 1, "angle", entangler="none", pooling=True)
    assert angles(circuit)[1:] == [[[10, 11, 12], [0, 0, 0], [0, 0, 0]]]
    assert gates(circuit)[1:] == [("none", [])]


@pytest.mark.parametrize("ansatz", ["strong", "ry_rz_strong"])
def test_one_qubit_has_no_ring_and_nothing_to_pool(ansatz: str) -> None:
    circuit = Circuit(1, 2, ansatz=ansatz, pooling=True)
    assert all(pairs == [] for _, pairs in gates(circuit))
    assert not torch.stack([layer.rotations for layer in ansatze.layers(circuit)][-3:]).any()
