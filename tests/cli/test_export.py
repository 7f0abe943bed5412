from __future__ import annotations

import builtins
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Medqnn


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_run, tmp_path / "run")


def test_help_teaches_by_example(medqnn: Medqnn) -> None:
    done = medqnn("export", "--help")
    assert done.code == 0
    assert "Example: medqnn export runs/demo --format onnx" in done.words


def test_onnx_is_written_and_the_check_is_shown(medqnn: Medqnn, run: Path) -> None:
    done = medqnn("export", run, "--variant", "dense")
    assert done.code == 0, done
    assert f"network: {run}/dense/model.onnx" in done.out
    assert re.search(r"differs from PyTorch by at most \de-\d\d|by at most \d\.\de", done.out)
    assert done.err == ""
    again = medqnn("export", run, "--variant", "dense")
    assert again.code == 2
    assert "exists: remove it, or choose another place with --out" in again.err


def test_circuits_are_written_where_asked(medqnn: Medqnn, run: Path, tmp_path: Path) -> None:
    done = medqnn("export", run, "--format", "qasm", "--out", tmp_path / "programs")
    assert f"5 OpenQASM programs: {tmp_path}/programs" in done.out
    done = medqnn("export", run, "--format", "qiskit")
    assert f"circuits: {run}/hybrid/circuits.qpy" in done.out


def test_wishes_that_cannot_be_met_are_one_line(
    fails: Callable[..., str], medqnn: Medqnn, run: Path, tmp_path: Path
) -> None:
    assert "has no run.json" in fails("export", tmp_path)
    assert "leave out --image" in fails("export", run, "--image", "scan.png")
    assert "'dense' has no quantum layer" in fails(
        "export", run, "--format", "qasm", "--variant", "dense"
    )
    assert "scan.png" in fails("export", run, "--format", "qasm", "--image", tmp_path / "scan.png")
    done = medqnn("export", run, "--format", "tensorrt")
    assert done.code == 2
    assert "tensorrt" in done.err


def test_a_missing_package_is_named_with_what_brings_it(
    fails: Callable[..., str], run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.split(".")[0] == "qiskit":
            raise ModuleNotFoundError(f"No module named {name!r}", name="qiskit")
        return original(name, *rest, **options)

    for name in [n for n in sys.modules if n.startswith("medqnn.export.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    error = fails("export", run, "--format", "qasm")
    assert "needs qiskit, which is not installed: `pip install '.[export]'`" in error
