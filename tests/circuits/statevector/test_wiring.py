from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medqnn.circuits import turns
from medqnn.circuits.ansatze import Layer
from medqnn.circuits.statevector import wiring


@st.composite
def layers(draw: st.DrawFn) -> tuple[Layer, int]:
    """Up to twelve gates in any order, pairs repeated or turned round among them."""
    qubits = draw(st.integers(2, 7))
    qubit = st.integers(0, qubits - 1)
    pairs = st.lists(st.tuples(qubit, qubit).filter(lambda pair: pair[0] != pair[1]), max_size=12)
    return Layer(torch.empty(0), draw(st.sampled_from(["cnot", "cz"])), draw(pairs)), qubits


@settings(max_examples=100, deadline=None, derandomize=True)
@given(layers())
def test_the_gates_are_those_of_the_tables(drawn: tuple[Layer, int]) -> None:
    layer, qubits = drawn
    size = 2**qubits
    state = torch.randn(3, size, dtype=torch.complex128)
    there, signs = turns.Permutation.identity(size).then(layer, qubits)
    expected = torch.empty_like(state)
    expected[:, there] = state * signs
    gates = wiring.wiring(layer, qubits, torch.device("cpu"))
    torch.testing.assert_close(gates.apply(state), expected, rtol=0, atol=0)
    torch.testing.assert_close(gates.undo(expected), state, rtol=0, atol=0)


def test_constants_are_the_root_of_the_state() -> None:
    ring = [(i, (i + 1) % 24) for i in range(24)]
    for gate in ("cnot", "cz"):
        layer = Layer(torch.empty(0), gate, ring)
        gates = wiring.wiring(layer, 24, torch.device("cpu"))
        parts = [*gates.there, *gates.back] if gate == "cnot" else list(gates)
        assert max(part.numel() for part in parts) == 2**12
