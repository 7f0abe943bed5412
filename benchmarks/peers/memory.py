"""How much memory this process took at most, since a moment of one's choice."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def restart(device: str) -> float:
    """Forget the peak so far; what the process holds now, in MB.

    On Linux the kernel's high-water mark is set back; elsewhere the peak is the whole process's.
    """
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated() / 1e6
    if CLEAR.exists():
        CLEAR.write_text("5")
    return peak(device)


def peak(device: str) -> float:
    """The most since then, in MB: resident memory with the libraries; on CUDA PyTorch's tensors."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated() / 1e6
    if STATUS.exists():
        fields = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024 / 1e6
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1e6 if sys.platform == "darwin" else 1e3)
