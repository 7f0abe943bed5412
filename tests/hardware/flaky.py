"""A PennyLane device whose line breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pennylane as qml

from medqnn.hardware.target import Target


class Flaky(qml.devices.DefaultQubit):
    """Fails at the calls whose numbers are listed, from 0."""

    def __init__(self, wires: int, failing: tuple[int, ...]) -> None:
        super().__init__(wires=wires)
        self.failing, self.calls = failing, 0

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.calls - 1 in self.failing:
            raise ConnectionError("the line\nis broken")
        return super().execute(*args, **kwargs)


@dataclass(frozen=True)
class FlakyTarget(Target):
    """A target that opens such a device."""

    failing: tuple[int, ...] = ()

    def open(self, qubits: int) -> Any:
        return Flaky(qubits, self.failing)

    def facts(self) -> dict[str, Any]:
        return {key: value for key, value in super().facts().items() if key != "failing"}


class Unable(qml.devices.DefaultQubit):
    """Takes no circuit at all."""

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        raise qml.exceptions.DeviceError("no such gate here")


class UnableTarget(Target):
    """A target that opens such a device."""

    def open(self, qubits: int) -> Any:
        return Unable(wires=qubits)
