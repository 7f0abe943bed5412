"""A run's circuits as files: OpenQASM 3 and Qiskit."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch
from torch import Tensor

from medqnn.errors import RunError
from medqnn.explain.new_images import read_images
from medqnn.explain.relevance import through_head
from medqnn.export.extras import extra
from medqnn.export.openqasm import openqasm
from medqnn.export.qiskit import programs
from medqnn.export.run import free, network, quantum_layer
from medqnn.layers import QuantumConv2d, QuantumLayer
from medqnn.training.folder import RunFolder, cannot_write
from medqnn.training.run import recipe_of

with extra("export"):
    from qiskit import qpy


def export_qasm(
    folder: RunFolder, variant: str, out: Path | None = None, image: str | None = None
) -> list[Path]:
    """Write OpenQASM 3 programs, by default into the folder RUN/VARIANT/openqasm.

    Args:
        folder: Of a complete run.
        variant: Of the network.
        out: The folder to write.
        image: A file that the programs are to embed; see ``read_images``. Without it their inputs
            stay open.

    Raises:
        RunError: If the run or its files cannot be read or written, or the network has no quantum
            layer, or one of many patches an image.
        CircuitError: If a circuit reads zeros of the image.
        DataError: If the image cannot be read.
    """
    texts = openqasm(*_circuits(folder, variant, image))
    path = free(out or folder.path / variant / "openqasm")
    partial = path.with_name(f".{path.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, text in texts.items():
            (partial / f"{name}.qasm").write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    return [path / f"{name}.qasm" for name in texts]


def export_qiskit(
    folder: RunFolder, variant: str, out: Path | None = None, image: str | None = None
) -> Path:
    """Write Qiskit circuits, by default RUN/VARIANT/circuits.qpy, for ``qiskit.qpy.load``.

    Arguments and errors are those of ``export_qasm``.
    """
    made = programs(*_circuits(folder, variant, image))
    path = free(out or folder.path / variant / "circuits.qpy")
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            qpy.dump(made, file)
        os.replace(partial, path)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    return path


def _circuits(
    folder: RunFolder, variant: str, image: str | None
) -> tuple[QuantumLayer | QuantumConv2d, Tensor | None]:
    """The quantum layer, and what its circuits read of an image, (c, circuit.inputs)."""
    model = network(folder, variant)
    layer = quantum_layer(model, variant)
    if image is None:
        return layer, None
    if isinstance(layer, QuantumConv2d):
        raise RunError(
            "a quantum convolution reads many patches of an image: leave out --image, and bind "
            "each patch's pixels to x_0, x_1, …"
        )
    (read,) = read_images([image], recipe_of(folder))
    with torch.no_grad():
        inputs = through_head(model, torch.from_numpy(read.pixels.copy())[None] / 255)[0]
    return layer, inputs.unflatten(-1, (layer.circuits, -1))[0]
