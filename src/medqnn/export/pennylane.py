"""Trained circuits on any of PennyLane's devices, and its Torch layers as ours.

Qubits and weights are in the same order in both: weights of one circuit of ours are those of
PennyLane's ``StronglyEntanglingLayers`` or ``BasicEntanglerLayers`` as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from medqnn.circuits import Circuit
from medqnn.circuits.circuit import Embedding
from medqnn.errors import CircuitError
from medqnn.export.extras import extra
from medqnn.export.gates import Inputs, gates, prepares
from medqnn.layers import QuantumConv2d, QuantumLayer

with extra("pennylane"):
    import pennylane as qml
    from pennylane.measurements import ExpectationMP
    from pennylane.operation import Operator
    from pennylane.tape import QuantumScript

OPERATORS: dict[str, Callable[..., Operator]] = {
    "h": qml.Hadamard,
    "rx": qml.RX,
    "ry": qml.RY,
    "rz": qml.RZ,
    "rzz": qml.IsingZZ,
    "cx": qml.CNOT,
    "cz": qml.CZ,
}
PAULIS = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}
ROTATIONS: dict[str, Embedding] = {"X": "angle_x", "Y": "angle"}
TOLERANCE = 1e-5  # of a Torch layer, whose weights are float32


def tape(circuit: Circuit, inputs: Tensor, weights: Tensor) -> QuantumScript:
    """A circuit with its numbers in, as PennyLane hands it to a device.

    Args:
        circuit: The circuit.
        inputs: What it reads, real (circuit.inputs,), or (B, circuit.inputs) for a device that
            takes batches.
        weights: Real, radians, of ``circuit.weight_shape``.

    Returns:
        A tape that measures ``circuit.outputs`` expectation values, readout by readout.
    """
    return QuantumScript(_operators(circuit, inputs, weights), _measurements(circuit))


def tapes(layer: QuantumLayer | QuantumConv2d, inputs: Tensor) -> list[QuantumScript]:
    """A tape for each image and circuit, of the trained weights, for devices without batches.

    Args:
        layer: With c circuits.
        inputs: What they read of B images, real (B, c, circuit.inputs).

    Returns:
        B·c tapes, those of an image together.
    """
    weights = layer.weight.detach().double().cpu()
    return [
        tape(layer.circuit, own, weight)
        for image in inputs.detach().double().cpu()
        for own, weight in zip(image, weights, strict=True)
    ]


def to_qnode(circuit: Circuit, device: Any = "default.qubit", **options: Any) -> qml.QNode:
    """A circuit as a function of PennyLane: ``qnode(inputs, weights)``, for ``qml.qnn.TorchLayer``.

    Args:
        circuit: The circuit.
        device: A PennyLane device, or the name of one.
        options: Of ``qml.QNode``, such as ``diff_method``.

    Returns:
        From inputs (circuit.inputs,) or (B, circuit.inputs) and weights ``circuit.weight_shape``
        to a list of ``circuit.outputs`` expectation values.
    """
    if isinstance(device, str):
        device = qml.device(device, wires=circuit.qubits)

    def program(inputs: Tensor, weights: Tensor) -> list[ExpectationMP]:
        _operators(circuit, torch.as_tensor(inputs), torch.as_tensor(weights))
        return _measurements(circuit)

    return qml.QNode(program, device, interface="torch", **options)


def to_pennylane(layer: QuantumLayer, device: Any = "default.qubit") -> list[Any]:
    """Each circuit of a layer as a ``qml.qnn.TorchLayer`` with the layer's weights."""
    node = to_qnode(layer.circuit, device)
    shape = {"weights": layer.circuit.weight_shape}
    made = [qml.qnn.TorchLayer(node, shape) for _ in range(layer.circuits)]
    for torch_layer, own in zip(made, layer.weight.detach(), strict=True):
        torch_layer.qnode_weights["weights"].data.copy_(own)
    return made


def from_pennylane(*torch_layers: Any) -> QuantumLayer:
    """PennyLane's Torch layers as one of ours, weights and all.

    Each is to embed angles (``AngleEmbedding`` by R_x or R_y) or amplitudes, then have
    ``StronglyEntanglingLayers`` or ``BasicEntanglerLayers`` on all wires, and return expectation
    values of Pauli operators, all wires of one operator together. The result is compared with the
    original on random inputs before it is returned.

    Args:
        torch_layers: Of one form; several become parallel circuits, whose inputs and outputs stand
            one after the other.

    Raises:
        CircuitError: If they are of another form, or not of one, or the numbers differ.
    """
    read = [_read(one) for one in torch_layers]
    if len({circuit for circuit, _ in read}) != 1:
        raise CircuitError(f"{len(read)} Torch layers: give at least one, all of the same circuit")
    spec = read[0][0]
    layer = QuantumLayer(
        spec.qubits,
        len(read),
        spec.depth,
        spec.embedding,
        spec.readouts,
        spec.entangler,
        spec.ansatz,
    )
    layer.weight.data.copy_(torch.stack([weights for _, weights in read]))
    _require_equal(layer, torch_layers)
    return layer


def _operators(circuit: Circuit, inputs: Tensor, weights: Tensor) -> list[Operator]:
    wires = range(circuit.qubits)
    listed = [qml.AmplitudeEmbedding(inputs, wires, normalize=True)] if prepares(circuit) else []
    for gate in gates(circuit, weights):
        angle: tuple[Tensor, ...] = ()
        if isinstance(gate.angle, Inputs):
            angle = (inputs[..., list(gate.angle.numbers)].prod(-1),)
        elif gate.angle is not None:
            angle = (gate.angle,)
        listed.append(OPERATORS[gate.name](*angle, wires=gate.qubits))
    return listed


def _measurements(circuit: Circuit) -> list[ExpectationMP]:
    return [qml.expval(PAULIS[p](qubit)) for p in circuit.readouts for qubit in circuit.measured]


def _read(torch_layer: Any) -> tuple[Circuit, Tensor]:
    """The circuit of a Torch layer and its weights."""
    if not isinstance(torch_layer, qml.qnn.TorchLayer):
        raise CircuitError(
            f"an object of {type(torch_layer).__name__} is given: give PennyLane's Torch layers, "
            "qml.qnn.TorchLayer"
        )
    script = _record(torch_layer)
    embedding, qubits = _embedding(script)
    ansatz, entangler, weights = _ansatz(script)
    other = [m for m in script.measurements if not _is_pauli(m)]
    _require(not other, f"the measurements {other}", "expectation values of PauliX, Y or Z")
    readouts = "".join(dict.fromkeys(m.obs.name[-1] for m in script.measurements))
    expected = [(p, qubit) for p in readouts for qubit in range(qubits)]
    found = [(m.obs.name[-1], m.wires[0]) for m in script.measurements]
    _require(found == expected, f"measures {found}", f"{expected}, in this order")
    spec = Circuit(qubits, len(weights), embedding, readouts, entangler, ansatz)
    _require(weights.shape == spec.weight_shape, f"weights {weights.shape}", spec.weight_shape)
    return spec, weights


def _is_pauli(measurement: Any) -> bool:
    names = {pauli.__name__ for pauli in PAULIS.values()}
    return isinstance(measurement, ExpectationMP) and getattr(measurement.obs, "name", "") in names


def _record(torch_layer: Any) -> QuantumScript:
    """The layer's operators, on inputs as many as its q qubits have angles or amplitudes."""
    weights = {name: own.detach() for name, own in torch_layer.qnode_weights.items()}
    shapes = [tuple(own.shape) for own in weights.values()]
    single = len(shapes) == 1 and len(shapes[0]) in (2, 3)
    _require(single, f"weights of shapes {shapes}", "one tensor, (d, q) or (d, q, 3)")
    qubits = shapes[0][1]
    construct = qml.workflow.construct_tape(torch_layer.qnode)
    for width in (qubits, 2**qubits):
        try:
            return construct(**{torch_layer.input_arg: torch.full((width,), 0.5)}, **weights)
        except (ValueError, IndexError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
    raise CircuitError(f"the Torch layer takes neither {qubits} nor {width} numbers: {reason}")


def _embedding(script: QuantumScript) -> tuple[Embedding, int]:
    first = script.operations[0]
    wires = first.wires.tolist()
    _require(wires == list(range(len(wires))), f"wires {wires}", "0, 1, 2, … in order")
    if isinstance(first, qml.AmplitudeEmbedding):
        return "amplitude", len(wires)
    _require(isinstance(first, qml.AngleEmbedding), first.name, "AngleEmbedding or amplitudes")
    turn = first.hyperparameters["rotation"].__name__[-1]
    _require(turn in ROTATIONS, f"rotation {turn}", " or ".join(ROTATIONS))
    return ROTATIONS[turn], len(wires)


def _ansatz(script: QuantumScript) -> tuple[Any, Any, Tensor]:
    """Its name, its entangling gate, its weights."""
    names = [operator.name for operator in script.operations[1:]]
    known = {"StronglyEntanglingLayers": "strong", "BasicEntanglerLayers": "basic"}
    _require(len(names) == 1 and names[0] in known, f"{names} after it", " or ".join(known))
    operator = script.operations[1]
    entangler = "cnot"
    if names[0] == "StronglyEntanglingLayers":
        gate = operator.hyperparameters["imprimitive"].__name__
        _require(gate in ("CNOT", "CZ"), f"imprimitive {gate}", "CNOT or CZ")
        entangler = gate.lower()
    return known[names[0]], entangler, operator.parameters[0]


def _require(condition: bool, given: object, expected: object) -> None:
    if not condition:
        raise CircuitError(f"the Torch layer's circuit has {given}: give {expected}")


def _require_equal(layer: QuantumLayer, torch_layers: Sequence[Any]) -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(3, layer.in_features, generator=generator)
    with torch.no_grad():
        parts = inputs.chunk(len(torch_layers), dim=-1)
        given = [one(part) for one, part in zip(torch_layers, parts, strict=True)]
        off = float((torch.cat(given, dim=-1) - layer(inputs)).abs().max())
    if off > TOLERANCE:
        raise CircuitError(
            f"the layer differs from the Torch layer by {off:.1e}: its circuit is not what it "
            "seems; write it as a QuantumLayer by hand"
        )
