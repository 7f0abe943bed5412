from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from medqnn.circuits.noise import Noise
from medqnn.devices import load
from medqnn.errors import MedqnnError
from medqnn.under_noise.settings import IDEAL, Setting, devices, in_numbers


def test_every_device_is_measured_in_every_way_and_the_exact_comes_first() -> None:
    found = devices(("ibm-eagle", "ionq-aria"), (100, 10, 100)).settings()
    assert found[:3] == [IDEAL, Setting("exact", "none", 10), Setting("exact", "none", 100)]
    own = [setting[1:] for setting in found if setting.device == "ionq-aria"]
    assert own == [
        *[(name, None) for name in ("none", "readout", "extrapolated", "both")],
        *[(name, shots) for name in ("none", "both") for shots in (10, 100)],
    ]
    assert len(found) == 3 + 2 * len(own) == len(set(found))


def test_noise_is_that_of_the_device() -> None:
    chosen = devices(("ibm-eagle",))
    assert chosen.noise(IDEAL) == Noise()
    assert chosen.noise(Setting("ibm-eagle", "both", None)) == load("ibm-eagle").noise()


def test_a_file_is_called_by_its_stem(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(load("ionq-aria").model_dump(mode="json")))
    assert devices((str(path),)).profiles == {"mine": load("ionq-aria")}


@pytest.mark.parametrize(
    ("profiles", "shots", "words"),
    [
        (("ibm-eagle", "ibm-eagle"), (1,), "second profile called 'ibm-eagle'"),
        (("ibm",), (1,), "no device profile 'ibm': give one of ibm-eagle"),
        (("ibm-eagle",), (8, 0), "0 shots: give 1 or more"),
    ],
)
def test_faults_are_said(profiles: tuple[str, ...], shots: tuple[int, ...], words: str) -> None:
    with pytest.raises(MedqnnError, match=words):
        devices(profiles, shots)


def test_mitigations_are_told_in_numbers() -> None:
    told = json.loads(json.dumps(in_numbers()))
    assert told["none"] is None
    assert told["readout"] == {"readout": True, "factors": [1.0], "fit": "linear"}
    assert told["extrapolated"]["readout"] is False
