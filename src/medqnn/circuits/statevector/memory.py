"""How much of a batch of state vectors is evaluated at a time, and whether it fits at all."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.circuit import Circuit
from medqnn.errors import CircuitError

AT_ONCE = 2**17
"""Amplitudes evaluated at a time, where an image has fewer: what caches hold (measured)."""

COPIES = 6
"""State vectors of a part that are in memory at once, in a step backward: the last state, state
and costate, what the next of them is written to, and data (measured at 22 qubits)."""

IQP_COPIES = 4
"""As many more where IQP's phases are: these, and what they are computed from (measured)."""

TABLE_BYTES = 24
"""For each basis state, while two-qubit gates are applied to any number of images (measured)."""

ALWAYS = 2**28
"""Bytes that are not worth asking how much memory is free."""


class Parts(NamedTuple):
    """How a batch is evaluated."""

    images: int  # at a time, at least 1
    keep: bool  # whether the last states are kept for the gradients, or worked out again


def parts(circuit: Circuit, inputs: Tensor) -> Parts:
    """How a batch (c, B, circuit.inputs) in the dtype of the computation is evaluated.

    Raises:
        CircuitError: If one image does not fit into free memory.
    """
    circuits, batch, _ = inputs.shape
    amplitudes = circuits * circuit.dimension
    images = max(1, min(batch, AT_ONCE // max(1, amplitudes)))
    image = 2 * inputs.element_size() * amplitudes
    copies = COPIES + IQP_COPIES * (circuit.embedding == "iqp")
    needed = images * copies * image + TABLE_BYTES * circuit.dimension
    whole = needed + batch * image + inputs.element_size() * inputs.numel()
    if whole <= ALWAYS:
        return Parts(images, keep=True)
    free = free_bytes(inputs.device)
    if free is not None and needed > free:
        raise CircuitError(_too_large(circuit, inputs, needed, free))
    return Parts(images, keep=free is None or whole <= free)


def free_bytes(device: torch.device) -> int | None:
    """Memory that can still be had on a device, or None where that is not known."""
    if device.type == "cuda":
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + held)
    if device.type != "cpu":
        return None
    known = [free for free in (_of_machine(), _of_container()) if free is not None]
    return min(known, default=None)


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * next(
            int(line.split()[1]) for line in lines if line.startswith("MemAvailable")
        )
    except (OSError, StopIteration):
        return None


def _of_container() -> int | None:
    """What a control group (version 2) leaves, pages of files that it can drop included."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # none, or the word "max"
        return None
    return limit - used + int(stat.get("inactive_file", 0))


def _too_large(circuit: Circuit, inputs: Tensor, needed: int, free: int) -> str:
    circuits = inputs.shape[0]
    several = f"{circuits} circuits of " if circuits > 1 else ""
    mends = ["fewer qubits"]
    mends += ["fewer circuits"] * (circuits > 1)
    mends += ["float32"] * (inputs.dtype == torch.float64)
    return (
        f"{several}{circuit.qubits} qubits need {needed / 1e9:.1f} GB for one image in "
        f"{str(inputs.dtype).removeprefix('torch.')}, and {free / 1e9:.1f} GB are free: give "
        f"{', or '.join(mends)}, or free memory"
    )
