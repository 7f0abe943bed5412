"""Two kinds of quantum computer, with the times of one published machine each."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from medqnn.export.extras import extra

with extra("export"):
    from qiskit.transpiler import CouplingMap, Target


class Machine(NamedTuple):
    """What a circuit has to be fitted to, and how long it then takes.

    Attributes:
        name: In tables.
        one, two: Names of its one- and two-qubit gates, as Qiskit's.
        seconds: Of each gate.
        readout: Seconds of the measurement, all qubits at once.
        delay: Seconds between two shots, in which the qubits are brought back to |0⟩.
        serial: Whether gates run one after the other, even on different qubits.
        heavy_hex: Whether its qubits lie on a heavy-hexagonal lattice; else each reaches all.
        source: Of the times.
    """

    name: str
    one: tuple[str, ...]
    two: str
    seconds: MappingProxyType[str, float]
    readout: float
    delay: float
    serial: bool
    heavy_hex: bool
    source: str

    def target(self, qubits: int) -> Target:
        """For Qiskit's transpiler: a device wide enough for so many qubits."""
        coupling, width = None, qubits
        if self.heavy_hex:
            lattices = map(CouplingMap.from_heavy_hex, (3, 5))  # of 19 and 57 qubits
            coupling = next(lattice for lattice in lattices if lattice.size() >= qubits)
            width = coupling.size()
        gates = [*self.one, self.two, "measure"]
        return Target.from_configuration(gates, num_qubits=width, coupling_map=coupling)


MACHINES = (
    Machine(
        "heavy-hex, CZ",
        ("rz", "sx", "x"),
        "cz",
        MappingProxyType({"rz": 0.0, "sx": 32e-9, "x": 32e-9, "cz": 68e-9}),
        readout=1.56e-6,
        delay=250e-6,
        serial=False,
        heavy_hex=True,
        source="ibm_torino, medians of its calibration of 26 February 2025 and its default "
        "repetition delay (FakeTorino of qiskit-ibm-runtime 0.45)",
    ),
    Machine(
        "all-to-all, R_xx",
        ("rx", "ry", "rz"),
        "rxx",
        MappingProxyType({"rz": 0.0, "rx": 10e-6, "ry": 10e-6, "rxx": 210e-6}),
        readout=100e-6,
        delay=25e-6,
        serial=True,
        heavy_hex=False,
        source="IonQ's 11-qubit machine, Azure Quantum's documentation of February 2021; R_z "
        "counted as free",
    ),
)
