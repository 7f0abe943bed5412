"""Qiskit Aer with the noise of a real machine."""

from __future__ import annotations

from typing import Any

from medqnn.errors import RunError


def noise_of(backend: str) -> Any:
    """The noise model of a machine, from a snapshot of its calibration.

    A snapshot knows the pairs of qubits that the machine couples, and PennyLane-Qiskit does not
    route circuits over them: to all other pairs each two-qubit gate's median error is given, for
    they would be perfect.

    Args:
        backend: A class of ``qiskit_ibm_runtime.fake_provider``, such as ``FakeTorino``.

    Raises:
        RunError: If the packages are missing, or there is no such snapshot.
    """
    try:
        from qiskit_aer.noise import NoiseModel
        from qiskit_ibm_runtime import fake_provider
    except ModuleNotFoundError as error:
        raise RunError(
            f"noise_model={backend} needs {error.name}, which is not installed: "
            "`pip install pennylane-qiskit`, see docs/devices.md"
        ) from error
    if not hasattr(fake_provider, backend):
        raise RunError(
            f"no machine {backend!r} in qiskit_ibm_runtime.fake_provider: give one of its classes, "
            "such as FakeTorino"
        )
    machine = getattr(fake_provider, backend)()
    model = NoiseModel.from_backend(machine)
    for gate, median in _median_errors(machine.target).items():
        model.add_all_qubit_quantum_error(median, gate, warnings=False)
    return model


def _median_errors(target: Any) -> dict[str, Any]:
    """Of each two-qubit gate the error on the pair whose calibrated error is the median."""
    from qiskit_aer.noise.device import basic_device_gate_errors

    found: dict[str, list[tuple[float, tuple[int, int], Any]]] = {}
    for gate, qubits, error in basic_device_gate_errors(target=target):
        if len(qubits) == 2:
            calibrated = target[gate][tuple(qubits)].error
            found.setdefault(gate, []).append((calibrated, tuple(qubits), error))
    return {gate: sorted(errors)[len(errors) // 2][-1] for gate, errors in found.items()}
