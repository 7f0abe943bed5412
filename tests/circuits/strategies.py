"""Hypothesis draws a circuit of any declaration."""

from __future__ import annotations

import itertools
from typing import Any, get_args

from hypothesis import strategies as st

from medqnn.circuits import Circuit
from medqnn.circuits.circuit import Ansatz, Embedding, Entangler

READOUTS = st.permutations("XYZ").flatmap(
    lambda letters: st.integers(1, 3).map(lambda count: "".join(letters[:count]))
)


@st.composite
def circuits(draw: Any, qubits: int = 5, depth: int = 3, reupload: bool = False) -> Circuit:
    """Of at most so many qubits and layers; with ``reupload`` some embed their data repeatedly."""
    width = draw(st.integers(1, qubits))
    embedding = draw(st.sampled_from(get_args(Embedding)))
    ansatz = draw(st.sampled_from(get_args(Ansatz)))
    return Circuit(
        width,
        draw(st.integers(1, depth)),
        embedding,
        draw(READOUTS),
        draw(st.sampled_from(get_args(Entangler))),
        ansatz,
        draw(st.booleans()),
        draw(st.booleans()) if reupload and embedding != "amplitude" else False,
        draw(couplings(width)) if ansatz == "hardware_efficient" and width > 1 else None,
    )


def couplings(qubits: int) -> st.SearchStrategy[Any]:
    """None, or some pairs of qubits in any order."""
    pairs = list(itertools.permutations(range(qubits), 2))
    chosen = st.lists(st.sampled_from(pairs), min_size=1, max_size=5, unique=True)
    return st.none() | chosen.map(tuple)
