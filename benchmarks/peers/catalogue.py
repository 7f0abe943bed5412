"""The peers by name, in the tables' order."""

from __future__ import annotations

from dataclasses import dataclass

OURS, FLOOR = "medqnn", "nn.Linear"


@dataclass(frozen=True)
class Peer:
    """A contender of the tables.

    Attributes:
        name: What the tables call it.
        module: Its file, ``peers.NAME``.
        environment: Name of its requirements file; None is the environment that runs the benchmark.
        checked: Whether it computes the circuits, so that its numbers must be PennyLane's.
    """

    name: str
    module: str
    environment: str | None = None
    checked: bool = True


PEERS = (
    Peer(OURS, "peers.medqnn_layer"),
    Peer("medqnn (PyTorch)", "peers.medqnn_pytorch"),
    Peer(FLOOR, "peers.linear", checked=False),
    Peer("PennyLane + JAX", "peers.pennylane_jax", "jax"),
    Peer("TensorCircuit-NG", "peers.tensorcircuit_jax", "jax"),
    Peer("qandle", "peers.qandle_layers", "gates"),
    Peer("DeepQuantum", "peers.deepquantum_circuit", "gates"),
    Peer("TorchQuantum", "peers.torchquantum_device", "gates"),
    Peer("PennyLane + PyTorch", "peers.pennylane_torch"),
    Peer("pyqtorch", "peers.pyqtorch_circuit", "gates"),
    Peer("lightning.qubit", "peers.lightning"),
    Peer("Qiskit ML", "peers.qiskit_estimator", "gates"),
)
