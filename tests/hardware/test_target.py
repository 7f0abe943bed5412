"""Names and opening of devices."""

from __future__ import annotations

import json

import pytest

from medqnn.errors import RunError
from medqnn.hardware.target import Target


def test_different_targets_have_different_folders() -> None:
    targets = [
        Target("default.qubit"),
        Target("default.qubit", shots=100),
        Target("default.qubit", shots=100, options=(("seed", 1),)),
        Target("default.qubit", images=None),
        Target("default.qubit", images=7),
        Target("default.qubit", seed=1),
        Target("lightning.qubit"),
    ]
    names = [target.name for target in targets]
    assert len(set(names)) == len(targets)
    assert all("/" not in name and " " not in name for name in names)


def test_a_name_with_slashes_stays_one_folder() -> None:
    assert "/" not in Target("qiskit.remote", options=(("backend", "../x/y"),)).name


def test_facts_are_json() -> None:
    target = Target("default.qubit", 10, (("seed", 3),))
    facts = json.loads(json.dumps(target.facts()))
    assert facts["options"] == {"seed": 3}
    assert facts["pennylane"]


def test_an_unknown_device_is_named_with_the_mend() -> None:
    with pytest.raises(RunError, match=r"cannot open the device 'no\.such' .*install its"):
        Target("no.such").open(2)


def test_an_option_that_the_device_does_not_know_is_told() -> None:
    with pytest.raises(RunError, match="colour"):
        Target("default.qubit", options=(("colour", "red"),)).open(2)


def test_options_that_are_not_the_devices_are_refused() -> None:
    with pytest.raises(RunError, match="--shots"):
        Target("default.qubit", options=(("shots", 10),))


def test_the_order_of_options_does_not_matter() -> None:
    one = Target("d", options=(("a", 1), ("b", 2)))
    assert one.name == Target("d", options=(("b", 2), ("a", 1))).name
    assert one.name != Target("d", options=(("a", "x/y"),)).name
    assert len(Target("d", options=(("a", "x" * 500),)).name) < 100


def test_no_shots_are_none() -> None:
    with pytest.raises(RunError, match="shots is 0"):
        Target("default.qubit", shots=0)
