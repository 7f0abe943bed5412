"""Networks and quantum layers of a run."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from medqnn.errors import RunError
from medqnn.layers import QuantumConv2d, QuantumLayer
from medqnn.training.folder import RunFolder
from medqnn.training.trained import load_models


def network(folder: RunFolder, variant: str) -> nn.Module:
    """A trained network of a complete run, in evaluation mode.

    Raises:
        RunError: If the run is not complete or cannot be read, or has no such network.
    """
    models = load_models(folder)
    if variant not in models:
        raise RunError(
            f"run {folder.path} has no network '{variant}': give --variant {' or '.join(models)}"
        )
    return models[variant]


def with_circuits(folder: RunFolder) -> nn.Module:
    """The first of a complete run's networks that has a quantum layer.

    Raises:
        RunError: If the run is not complete or cannot be read, or none has.
    """
    for model in load_models(folder).values():
        if isinstance(model.get_submodule("head"), QuantumLayer | QuantumConv2d):
            return model
    raise RunError(
        f"no network of run {folder.path} has a quantum layer: give a run with hybrid, product or "
        "frozen among its variants"
    )


def quantum_layer(model: nn.Module, variant: str) -> QuantumLayer | QuantumConv2d:
    """The quantum layer of a network.

    Raises:
        RunError: If it has none.
    """
    head = model.get_submodule("head")
    if not isinstance(head, QuantumLayer | QuantumConv2d):
        raise RunError(
            f"the network '{variant}' has no quantum layer: give --variant hybrid, product or "
            "frozen, or --format onnx, which takes any"
        )
    return head


def free(path: Path) -> Path:
    """A place to write to.

    Raises:
        RunError: If something is there.
    """
    if path.exists():
        raise RunError(f"{path} exists: remove it, or choose another place with --out")
    return path
