"""Where the functions come from, and that it makes no difference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from medqnn.kernels import loading

STEP = """
import sys
import torch
from medqnn.circuits import Circuit, expectations, methods, native
{before}
torch.manual_seed(0)
inputs, weights = torch.rand(70, 5, 32), torch.rand(5, 2, 5, 3, requires_grad=True)
assert methods.fastest(Circuit(5, 2), inputs, weights) is native
values = expectations(Circuit(5, 2), inputs, weights)
values.sum().backward()
print(values.double().sum().item().hex(), weights.grad.double().sum().item().hex())
assert ("llvmlite" in sys.modules) is {llvm}
"""


def step(before: str = "", llvm: bool = False) -> str:
    """The sums of a step in a new process, in hexadecimal."""
    command = [sys.executable, "-W", "error", "-c", STEP.format(before=before, llvm=llvm)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.skipif(not loading._images_run(), reason="images need Linux on x86-64")
def test_a_process_with_an_image_does_not_load_llvm_and_has_the_same_numbers() -> None:
    elsewhere = 'import platform; platform.machine = lambda: "aarch64"'
    no_python = 'sys.executable = "/bin/false"; import os; os.environ["MEDQNN_CACHE"] = "/dev/null"'
    assert step() == step(elsewhere, llvm=True) == step(no_python, llvm=True)


@pytest.mark.skipif(not loading._images_run(), reason="images need Linux on x86-64")
def test_the_image_is_made_from_this_processes_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llvmlite.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)  # a process that looked here would fail
    monkeypatch.setenv("MEDQNN_CACHE", str(tmp_path / "cache"))
    assert set(loading.functions("matrix", 32)) == {"forward", "backward"}
    assert list((tmp_path / "cache").iterdir())


def test_without_llvmlite_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(ImportError):
        loading.functions("matrix", 32)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems guard memory otherwise")
def test_memory_that_is_refused_is_an_error() -> None:
    with pytest.raises((OSError, ValueError)):
        loading.mapped(b"")
