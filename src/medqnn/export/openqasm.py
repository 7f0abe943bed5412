"""Trained circuits as OpenQASM 3, a program for each circuit and readout."""

from __future__ import annotations

from torch import Tensor

from medqnn.circuits import Circuit
from medqnn.export.extras import extra
from medqnn.export.gates import prepares
from medqnn.export.qiskit import programs
from medqnn.layers import QuantumConv2d, QuantumLayer

with extra("export"):
    from qiskit import qasm3, transpile

GATES = ("h", "sdg", "rx", "ry", "rz", "u", "cx", "cz")
"""Built in, as ``U``, or out of ``stdgates.inc``: no program has to define gates of its own."""


def openqasm(layer: QuantumLayer | QuantumConv2d, inputs: Tensor | None = None) -> dict[str, str]:
    """Programs of a layer with its trained angles, by name such as ``circuit_1_Y``.

    Args:
        layer: With c circuits.
        inputs: What the circuits read of one image, real (c, circuit.inputs). Without it angles
            are declared as ``input float[64] x_0;``, and programs of an amplitude embedding begin
            with a comment where the state is to be prepared.

    Raises:
        CircuitError: If the inputs do not fit, or are all zero where a state is made of them.
    """
    texts = {}
    for program in programs(layer, inputs):
        plain = transpile(program, basis_gates=list(GATES), optimization_level=0)
        head = _head(layer.circuit, program.name, inputs is None)
        version, _, rest = qasm3.dumps(plain).partition("\n")
        texts[program.name] = f"{version}\n{head}{rest.rstrip()}\n"
    return texts


def _head(circuit: Circuit, name: str, is_open: bool) -> str:
    """What a reader of the program has to know, as comments."""
    pauli = name[-1]
    lines = [
        f"{name}: the value of qubit j is <{pauli}>, the mean of (-1)^c[j] over shots.",
        "Angles of turns are trained and in radians.",
    ]
    if prepares(circuit):
        lines.append(
            f"PREPARE HERE the state of an image: {circuit.dimension} amplitudes, q[0] the most "
            "significant bit of their number."
            if is_open
            else "It begins by preparing the state of one image's amplitudes."
        )
    elif is_open:
        lines.append(f"x_0 to x_{circuit.inputs - 1} are the numbers that the circuit reads.")
    return "".join(f"// {line}\n" for line in lines)
