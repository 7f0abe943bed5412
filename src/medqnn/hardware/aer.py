"""Qiskit Aer with the noise of a real machine."""

from __future__ import annotations

from typing import Any

from medqnn.errors import RunError


def noise_of(backend: str) -> Any:
    """The noise model of a machine, from a snapshot of its calibration.

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
    return NoiseModel.from_backend(getattr(fake_provider, backend)())
