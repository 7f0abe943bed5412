"""Small quantum circuits as pure functions of tensors, exact and fast."""

from medqnn.circuits.circuit import Circuit
from medqnn.circuits.expectation import expectations

__all__ = ["Circuit", "expectations"]
