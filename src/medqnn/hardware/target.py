"""Where circuits are to run: a PennyLane device, its options and shots."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Any

from medqnn.errors import RunError
from medqnn.export.extras import extra
from medqnn.hardware.aer import noise_of

with extra("pennylane"):
    import pennylane as qml

RESERVED = {
    "shots": "give them by --shots",
    "wires": "a circuit has as many as it has qubits",
}
IMAGES = 100
"""Images asked of a device unless told: each is at least one circuit, and hardware is slow."""


@dataclass(frozen=True)
class Target:
    """A device and what is asked of it.

    Attributes:
        device: Its name in PennyLane: ``default.qubit``, ``lightning.qubit``, ``qiskit.aer``, or
            that of any plugin that is installed. Credentials are the plugin's own matter.
        shots: Of each circuit and readout; None for exact expectation values.
        options: Names and values that ``pennylane.device`` passes on to the device; a
            ``noise_model`` that is a name is made by ``aer.noise_of``.
        images: At most so many test images, evenly over the classes; None for all.
        seed: Of the images taken.

    Raises:
        RunError: If the shots are not at least 1.
    """

    device: str
    shots: int | None = None
    options: tuple[tuple[str, Any], ...] = ()
    images: int | None = IMAGES
    seed: int = 0

    def __post_init__(self) -> None:
        if self.shots is not None and self.shots < 1:
            raise RunError(f"shots is {self.shots}: give at least 1, or none for exact values")
        object.__setattr__(self, "options", tuple(sorted(self.options)))
        for key, where in RESERVED.items():
            if key in dict(self.options):
                raise RunError(f"the option {key} is not the device's here: {where}")

    @property
    def name(self) -> str:
        """A name for a folder: readable as far as it goes, and different for different targets."""
        parts = [self.device, f"{self.shots} shots" if self.shots else "exact"]
        parts += [f"{key}={value}" for key, value in self.options]
        parts += [f"{self.images} images" if self.images else "all images"]
        parts += [f"seed {self.seed}"] if self.seed else []
        readable = re.sub(r"[^\w.=+-]+", "-", " ".join(parts))[:80]
        return f"{readable}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:8]}"

    def facts(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self) | {"options": dict(self.options), "pennylane": qml.version()}

    def open(self, qubits: int) -> Any:
        """The device, with so many wires.

        Raises:
            RunError: If there is none of this name, or it does not take the options.
        """
        options = dict(self.options)
        if isinstance(options.get("noise_model"), str):
            options["noise_model"] = noise_of(options["noise_model"])
        try:
            return qml.device(self.device, wires=qubits, **options)
        except Exception as error:  # whatever a plugin raises: no package, no account, no network
            reason = " ".join(str(error).split()) or type(error).__name__
            raise RunError(
                f"cannot open the device {self.device!r} ({reason}): install its PennyLane plugin "
                "and set up its credentials as the plugin says, or choose another device"
            ) from error
