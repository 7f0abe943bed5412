"""Circuits of any width on state vectors, differentiated by the adjoint method."""

from medqnn.circuits.statevector.method import evaluate, gradients

__all__ = ["evaluate", "gradients"]
