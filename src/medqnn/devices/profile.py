"""Device profiles: calibration figures of a quantum computer, with their source."""

from __future__ import annotations

import datetime
from importlib import resources
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from medqnn.circuits.noise import Channel, Noise, ReadoutError, relaxation
from medqnn.errors import CircuitError

PACKAGE = "medqnn.devices.profiles"


class Part(BaseModel):
    """A part of a profile: frozen, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Gates(Part):
    """Gates on as many qubits, by their median or mean.

    Attributes:
        name: The device's own gate, in OpenQASM's words where it has any.
        error: Average infidelity of a gate, as randomised benchmarking tells it.
        seconds: Its duration; None if it is not published.
    """

    name: str
    error: float = Field(ge=0, lt=0.5)
    seconds: float | None = Field(None, gt=0)


class OneQubitGates(Gates):
    """Gates on one qubit, of which a rotation takes so many.

    Attributes:
        per_rotation: Such gates in a general Rot(φ, θ, ω), those about z being free.
    """

    per_rotation: int = Field(ge=1)


class Readout(Part):
    """Measurement of one qubit.

    Attributes:
        one_for_zero: P(1 | 0).
        zero_for_one: P(0 | 1).
        seconds: Its duration; None if it is not published.
    """

    one_for_zero: float = Field(ge=0, le=1)
    zero_for_one: float = Field(ge=0, le=1)
    seconds: float | None = Field(None, gt=0)


class Source(Part):
    """Where the figures are from.

    Attributes:
        text: Publisher and document.
        date: Day of the calibration, or of the document.
        doubts: What could not be confirmed or was derived; empty if nothing.
    """

    text: str
    date: datetime.date
    doubts: str = ""


class Profile(Part):
    """A quantum computer as calibration figures, typical ones of all its qubits.

    Attributes:
        title: Its name.
        qubits: How many it has.
        coupling: Which pairs of qubits have gates: those of a ``heavy-hex`` lattice, or ``all``.
        t1: Relaxation time T1 in seconds; None if it is not published or plays no part.
        t2: Coherence time T2 in seconds, at most 2 T1.
        one_qubit: Gates on one qubit.
        two_qubit: Gates on two qubits.
        readout: Measurement.
        source: Where this is from.
    """

    title: str
    qubits: int = Field(ge=1)
    coupling: Literal["heavy-hex", "all"]
    t1: float | None = Field(None, gt=0)
    t2: float | None = Field(None, gt=0)
    one_qubit: OneQubitGates
    two_qubit: Gates
    readout: Readout
    source: Source

    @model_validator(mode="after")
    def _physical(self) -> Profile:
        if (self.t1 is None) != (self.t2 is None):
            raise ValueError("give both t1 and t2, or neither")
        if self.t1 is not None and self.t2 is not None and self.t2 > 2 * self.t1:
            raise ValueError(f"t2 is {self.t2:g}, more than 2 t1")
        return self

    def noise(self) -> Noise:
        """The noise of this device, as Qiskit Aer builds it from a backend's figures.

        A gate relaxes its qubits for its duration; depolarising is added until the average
        infidelity is the calibrated one. Where relaxation alone is worse, none is added. Without T1
        and T2, or the duration, all of it is depolarising. Both qubits of a two-qubit gate relax.
        The rotations that turn the device's own two-qubit gate into a CNOT are left out.
        """
        return Noise(
            one_qubit=self._channels(self.one_qubit, 1) * self.one_qubit.per_rotation,
            two_qubit=self._channels(self.two_qubit, 2),
            readout=(ReadoutError(self.readout.one_for_zero, self.readout.zero_for_one),),
        )

    def _channels(self, gates: Gates, qubits: int) -> tuple[Channel, ...]:
        relaxes: tuple[Channel, ...] = ()
        fidelity = 1.0
        if self.t1 is not None and self.t2 is not None and gates.seconds is not None:
            relaxes = relaxation(self.t1, self.t2, gates.seconds)
            fidelity = _fidelity(relaxes, qubits)
        dimension = 2**qubits
        lost = (fidelity - 1.0 + gates.error) / (fidelity - 1.0 / dimension)
        rate = max(0.0, lost) * (1.0 - 1.0 / dimension**2)
        return (*relaxes, Channel("depolarising", rate))


def _fidelity(relaxes: tuple[Channel, ...], qubits: int) -> float:
    """Average gate fidelity of relaxation on each qubit, (d F + 1) / (d + 1) with process F.

    F is the product over the qubits of (1 + 2 exp(-t / T2) + exp(-t / T1)) / 4.
    """
    damping, dephasing = (channel.rate for channel in relaxes)
    coherence = ((1.0 - damping) * (1.0 - dephasing)) ** 0.5
    process = ((2.0 + 2.0 * coherence - damping) / 4.0) ** qubits
    dimension = 2**qubits
    return float((dimension * process + 1.0) / (dimension + 1.0))


def names() -> list[str]:
    """Names of the profiles that come with medqnn."""
    found = (entry.name for entry in resources.files(PACKAGE).iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def load(name_or_path: str) -> Profile:
    """A profile that comes with medqnn, or a YAML file of one's own.

    Raises:
        CircuitError: If there is no such profile, or a key or value of it is wrong.
    """
    if name_or_path in names():
        text = (resources.files(PACKAGE) / f"{name_or_path}.yaml").read_text(encoding="utf-8")
    elif Path(name_or_path).is_file():
        text = Path(name_or_path).read_text(encoding="utf-8", errors="replace")
    else:
        raise CircuitError(
            f"no device profile '{name_or_path}': give one of {', '.join(names())}, or a YAML file"
        )
    try:
        return Profile.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise CircuitError(f"device profile '{name_or_path}' is no YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise CircuitError(
            f"device profile '{name_or_path}': '{key}': {first['msg']}; see {names()[0]} for one"
        ) from None
