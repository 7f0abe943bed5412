"""A kernel's functions under record."""

from __future__ import annotations

from medqnn.kernels import matrix_batch, states_batch
from medqnn.kernels.code import Code
from medqnn.kernels.contract import ARGUMENTS, Kernel
from medqnn.kernels.memory import Call

_BATCHES = {"matrix": matrix_batch, "states": states_batch}


def recorded(kernel: Kernel, bits: int) -> Code:
    """All of a kernel, for reals of 32 or 64 bits."""
    code = Code(bits)
    for name, kinds in ARGUMENTS.items():
        body = getattr(_BATCHES[kernel], name)
        code.record(name, kinds, lambda code, *given, body=body: body(code, Call.read(*given)))
    return code
