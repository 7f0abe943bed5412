"""A kernel's functions under record."""

from __future__ import annotations

from medqnn.kernels import matrix_batch, states_batch
from medqnn.kernels.code import Code
from medqnn.kernels.contract import ARGUMENTS, Kernel

_BATCHES = {"matrix": matrix_batch, "states": states_batch}


def recorded(kernel: Kernel, bits: int) -> Code:
    """All of a kernel, for reals of 32 or 64 bits."""
    code = Code(bits)
    for name, kinds in ARGUMENTS.items():
        code.record(name, kinds, getattr(_BATCHES[kernel], name))
    return code
