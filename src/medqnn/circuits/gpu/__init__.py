"""Circuits on a GPU as one kernel that Triton makes at the first use."""

from medqnn.circuits.gpu.method import MAX_QUBITS, evaluate, gradients, serves

__all__ = ["MAX_QUBITS", "evaluate", "gradients", "serves"]
