"""What a peer is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Results = tuple[Any, Any, Any]
"""Values (B, c, q), gradients to the inputs (B, c, n), or None, and to the weights (c, d, q, 3)."""

Step = Callable[[], Results]
"""One forward and backward step; arrays or tensors of whatever kind the peer has."""


class LacksError(Exception):
    """The peer cannot compute this layer; the message says what it lacks."""


@dataclass(frozen=True)
class Problem:
    """c circuits of one form on B inputs, and a gradient to their outputs.

    Each circuit embeds its inputs, has d strongly entangling layers (PennyLane's, with CNOT) and
    gives the expectation value of one Pauli operator on each qubit; qubit 0 is the most significant
    bit.

    Attributes:
        qubits: Width q of each circuit.
        embedding: ``amplitude``, n = 2^q numbers of any norm, or ``angle``, n = q angles of R_y.
        pauli: ``"X"``, ``"Y"`` or ``"Z"``.
        device: ``"cpu"`` or ``"cuda"``.
        inputs: (B, c, n), of float32 or float64 as all three.
        weights: (c, d, q, 3), radians.
        cotangent: (B, c, q), the gradient to the outputs.
    """

    qubits: int
    embedding: str
    pauli: str
    device: str
    inputs: np.ndarray
    weights: np.ndarray
    cotangent: np.ndarray

    @classmethod
    def read(cls, path: Path, dtype: str, **form: Any) -> Problem:
        """Take the arrays from an ``.npz`` file, in one dtype, and the rest from ``form``."""
        with np.load(path) as arrays:
            return cls(**form, **{name: arrays[name].astype(dtype) for name in arrays.files})

    @property
    def depth(self) -> int:
        """Number d of strongly entangling layers."""
        return int(self.weights.shape[1])

    def rings(self) -> list[list[tuple[int, int]]]:
        """Control and target of each layer's CNOTs, in order: layer l reaches l mod (q - 1) + 1."""
        q = self.qubits
        return [
            [(i, (i + number % (q - 1) + 1) % q) for i in range(q)] for number in range(self.depth)
        ]
