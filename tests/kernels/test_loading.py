"""Where the functions come from, and that it makes no difference."""

from __future__ import annotations

import ctypes
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from medqnn.kernels import kept, loading

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
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("MEDQNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path, None])  # Python passes over such
    assert set(loading.functions("matrix", 32)) == {"forward", "backward"}
    assert list((tmp_path / "cache").iterdir())


@pytest.mark.skipif(not loading._images_run(), reason="images need Linux on x86-64")
def test_an_image_of_another_medqnn_is_neither_run_nor_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that makes it would find another one than is loaded here."""
    own = Path(loading.__file__).parent
    other = tmp_path / "a:b" / "medqnn" / "kernels"
    shutil.copytree(own.parent, other.parent, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "rows.py").write_text((other / "rows.py").read_text() + "# another\n")
    monkeypatch.setenv("MEDQNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a:b"), *sys.path])
    with pytest.raises(RuntimeError, match="not of this medqnn"):
        kept.kept_image("matrix", 32)
    assert not (tmp_path / "cache").exists()
    assert set(loading.functions("matrix", 32)) == {"forward", "backward"}


@pytest.mark.skipif(not loading._images_run(), reason="images need Linux on x86-64")
def test_what_a_process_says_at_its_start_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('hello')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("MEDQNN_CACHE", str(tmp_path / "cache"))
    assert kept.kept_image("matrix", 32)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_machine_code_cannot_be_written_once_it_runs() -> None:
    memory = loading.mapped(struct.pack("<2q", 16, 16) + b"\xc3")["forward"].memory
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    maps = Path("/proc/self/maps").read_text().splitlines()
    for place, rights, *_ in map(str.split, maps):
        first, behind = (int(end, 16) for end in place.split("-"))
        if first <= start < behind:
            assert rights == "r-xp"
            break
    else:
        pytest.fail("not mapped")


def test_without_llvmlite_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(ImportError):
        loading.functions("matrix", 32)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems guard memory otherwise")
def test_memory_that_is_refused_is_an_error() -> None:
    with pytest.raises((OSError, ValueError)):
        loading.mapped(b"")
