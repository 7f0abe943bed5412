"""A kernel's functions in this process."""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec

from medqnn.kernels.contract import ARGUMENTS, Kernel
from medqnn.kernels.kept import kept_image


def functions(kernel: Kernel, bits: int) -> dict[str, Callable[..., None]]:
    """Those of ``contract.ARGUMENTS``, for reals of 32 or 64 bits.

    Their arguments are Python's integers, int64s and addresses. They release Python's lock while
    they run. On Linux and x86-64 they are an image of another process's making; elsewhere, or where
    none can be had, LLVM makes them here.

    Raises:
        ImportError: If llvmlite is missing or does not load.
        OSError: If its library, or memory for machine code, is refused.
        RuntimeError: If LLVM cannot make them.
    """
    if find_spec("llvmlite") is None:
        raise ImportError("llvmlite is missing")
    if _images_run():
        with suppress(OSError, RuntimeError):
            return mapped(kept_image(kernel, bits))
    from medqnn.kernels.machine import Machine
    from medqnn.kernels.recorded import recorded

    machine = Machine(recorded(kernel, bits))
    return {name: machine.function(name) for name in ARGUMENTS}


def _images_run() -> bool:
    """Whether an image fits this system, and there is a Python to make it."""
    fits = sys.platform == "linux" and platform.machine() == "x86_64" and sys.maxsize > 2**32
    return fits and bool(sys.executable) and not getattr(sys, "frozen", False)


def mapped(image: bytes) -> dict[str, Callable[..., None]]:
    """``machine.image`` as functions, which keep it in memory.

    Raises:
        OSError: If the system refuses memory for machine code.
    """
    memory = mmap.mmap(-1, len(image), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(image)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    system = ctypes.CDLL(None, use_errno=True)
    protection = mmap.PROT_READ | mmap.PROT_EXEC
    if system.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(len(image)), protection):
        raise OSError(ctypes.get_errno(), "no memory for machine code")
    made: dict[str, Callable[..., None]] = {}
    places = struct.unpack_from(f"<{len(ARGUMENTS)}q", image)
    for (name, kinds), place in zip(ARGUMENTS.items(), places, strict=True):
        made[name] = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * len(kinds))(start + place)
        made[name].memory = memory  # type: ignore[attr-defined]  # which lasts as long as it
    return made
