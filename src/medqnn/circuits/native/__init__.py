"""Circuits in machine code that LLVM makes at the first use."""

from medqnn.circuits.native.method import MAX_QUBITS, evaluate, gradients, serves

__all__ = ["MAX_QUBITS", "evaluate", "gradients", "serves"]
