"""On which devices, with how many shots and what mitigation a run is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from medqnn.circuits.mitigation import Mitigation
from medqnn.circuits.noise import Noise
from medqnn.devices import Profile, load
from medqnn.errors import RunError

EXACT = "exact"
"""In place of a device: the exact simulation, or the shots of a device without noise."""

PROFILES = ("ibm-heron-r2",)
SHOTS = (64, 256, 1024, 4096)
DRAWS = 5
"""How often shots are drawn anew, so that their own spread shows."""

MITIGATIONS: Mapping[str, Mitigation | None] = MappingProxyType(
    {
        "none": None,
        "readout": Mitigation(factors=(1.0,)),
        "extrapolated": Mitigation(readout=False),
        "both": Mitigation(),
    }
)


class Setting(NamedTuple):
    """Where the circuits run.

    Attributes:
        device: Name of a profile, or ``exact``.
        mitigation: A key of `MITIGATIONS`.
        shots: Of each image, circuit, letter of the readouts and noise factor; None for
            expectation values.
    """

    device: str
    mitigation: str
    shots: int | None


IDEAL = Setting(EXACT, "none", None)


class Devices(NamedTuple):
    """What is measured.

    Attributes:
        profiles: By name.
        shots: Numbers of shots, rising.
    """

    profiles: dict[str, Profile]
    shots: tuple[int, ...]

    def noise(self, setting: Setting) -> Noise:
        """Of the setting's device; none where there is no device."""
        profile = self.profiles.get(setting.device)
        return profile.noise() if profile else Noise()

    def settings(self) -> list[Setting]:
        """The exact simulation first; on devices every mitigation, and of shots none and both."""
        found = [IDEAL, *(Setting(EXACT, "none", shots) for shots in self.shots)]
        for name in self.profiles:
            found += [Setting(name, mitigation, None) for mitigation in MITIGATIONS]
            found += [
                Setting(name, mitigation, shots)
                for mitigation in ("none", "both")
                for shots in self.shots
            ]
        return found


def devices(profiles: Sequence[str] = PROFILES, shots: Sequence[int] = SHOTS) -> Devices:
    """Read the profiles.

    Args:
        profiles: Names, or YAML files, which are called by their stem.
        shots: Numbers of shots.

    Raises:
        CircuitError: If there is no such profile, or a key or value of it is wrong.
        RunError: If two profiles have one name, or a number of shots is below 1.
    """
    read: dict[str, Profile] = {}
    for given in profiles:
        profile, name = load(given), Path(given).stem
        if name in read or name == EXACT:
            raise RunError(f"a second profile called '{name}': give each once, by another name")
        read[name] = profile
    if any(count < 1 for count in shots):
        raise RunError(f"{min(shots)} shots: give 1 or more")
    return Devices(read, tuple(sorted(set(shots))))


def in_numbers(mitigations: Mapping[str, Mitigation | None] = MITIGATIONS) -> dict[str, object]:
    """The mitigations, for JSON."""
    return {
        name: None if one is None else asdict(one) | {"factors": list(one.factors)}
        for name, one in mitigations.items()
    }
