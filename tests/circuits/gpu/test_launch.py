"""Triton makes the kernels for GPUs that are not here, and they keep all in registers"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from medqnn.circuits import Circuit
from medqnn.circuits.gpu import launch

triton = pytest.importorskip("triton", reason="Triton is not installed: pip install triton")
POINTERS = {"weights", "reals", "integers", "x", "y", "dx", "found"}
COSINE = 32
"""Bytes in which the accurate cosine reduces angles beyond 100,000."""

TYPES = {torch.float32: "*fp32", torch.float64: "*fp64"}


@pytest.fixture(autouse=True)
def no_interpreter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if triton.knobs.runtime.interpret:
        pytest.skip("TRITON_INTERPRET is set: nothing is compiled")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))


def compiled(name: str, circuit: Circuit, dtype: torch.dtype, architecture: int) -> Any:
    """A kernel for a GPU of so many tenths of a compute capability."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from medqnn.circuits.gpu import kernels

    function = getattr(kernels, name)
    constants = launch.form(circuit, dtype)._asdict()
    signature = {
        argument: "constexpr"
        if argument in constants
        else "*i32"
        if argument == "integers"
        else TYPES[dtype]
        if argument in POINTERS
        else "i32"
        for argument in function.arg_names
    }
    source = ASTSource(function, signature=signature, constexprs=constants)
    target = GPUTarget("cuda", architecture, 32)
    return triton.compile(source, target=target, options=getattr(launch, name.upper()))


def stack(made: Any, folder: Path) -> int:
    """Bytes of memory that a thread has beside its registers."""
    cubin = folder / "kernel.cubin"
    cubin.write_bytes(made.asm["cubin"])
    command = [triton.knobs.nvidia.cuobjdump.path, "--dump-resource-usage", cubin]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return max(map(int, re.findall(r"STACK:(\d+)", done.stdout)))


@pytest.mark.parametrize("name", ["forward", "backward"])
@pytest.mark.parametrize(
    ("architecture", "circuit"),
    [(80, Circuit(4, 2, "angle", "XYZ", reupload=True)), (90, Circuit(5, 2))],
    ids=repr,
)
def test_kernels_are_made_and_spill_nothing(
    name: str, architecture: int, circuit: Circuit, tmp_path: Path
) -> None:
    made = compiled(name, circuit, torch.float32, architecture)
    assert stack(made, tmp_path) <= COSINE
    assert made.metadata.num_warps == 1
    assert "cos.approx" not in made.asm["ptx"]


def test_a_tile_holds_as_many_amplitudes_whatever_the_width() -> None:
    for qubits in range(1, 8):
        form = launch.form(Circuit(qubits, 1), torch.float32)
        assert form.tile * 2**qubits == launch.TILE_NUMBERS[torch.float32]
    assert launch.form(Circuit(9, 1), torch.float32).tile == 1
