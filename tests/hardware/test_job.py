"""A run on a device: what is done is kept, and not done again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hardware.flaky import FlakyTarget
from medqnn.errors import RunError
from medqnn.evaluation.predictions import read_predictions
from medqnn.hardware import job, remote
from medqnn.hardware.target import Target
from medqnn.training.folder import RunFolder
from medqnn.training.trained import load_trained


def quiet(_: str) -> None:
    """Says nothing."""


def test_an_exact_device_gives_the_predictions_of_the_run(own_run: Path) -> None:
    folder = RunFolder(own_run)
    made = job.run_on(folder, load_trained(folder), Target("lightning.qubit", images=None), quiet)
    (name,) = made.read_json(job.SUMMARY)["variants"]
    assert name == "hybrid"  # the dense twin has no circuits
    own, device = (
        read_predictions(path)
        for path in (own_run / "hybrid/predictions.csv", made.path / "predictions_hybrid.csv")
    )
    assert list(own.ids) == list(device.ids)
    np.testing.assert_allclose(own.probabilities, device.probabilities, atol=1e-4)
    found = made.read_json(job.SUMMARY)["variants"]["hybrid"]
    assert found["agreement"] == 1
    assert found["values"]["largest"] < 1e-5
    assert found["circuits"] == 5 * len(own.ids)
    scored = RunFolder(own_run).read_json("hybrid/metrics.json")
    for part in ("exact", "device"):  # the recipe's resamples and seed, as when it was scored
        assert found[part]["interval"] == scored["interval"]
        assert found[part]["scores"]["accuracy"] == scored["scores"]["accuracy"]


def test_groups_of_copies_are_not_told_as_patients(own_run: Path) -> None:
    folder = RunFolder(own_run)
    facts = folder.facts()
    folder.write_json("run.json", facts | {"data": facts["data"] | {"patients_known": False}})
    made = job.run_on(folder, load_trained(folder), Target("lightning.qubit", images=4), quiet)
    found = made.read_json(job.SUMMARY)["variants"]["hybrid"]
    for which in ("exact", "device", "comparison"):
        assert found[which]["patients_known"] is False


def test_a_run_that_broke_off_goes_on_where_it_was(
    own_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "WAIT", 0.0)
    folder = RunFolder(own_run)
    trained = load_trained(folder)
    broken = FlakyTarget("flaky", images=12, failing=tuple(range(2, 99)))
    with pytest.raises(RunError, match="same command"):
        job.run_on(folder, trained, broken, quiet)
    kept = sorted((own_run / "devices" / broken.name / "parts").iterdir())
    assert len(kept) == 2
    stamps = [path.stat().st_mtime_ns for path in kept]
    whole = FlakyTarget("flaky", images=12)
    made = job.run_on(folder, trained, whole, quiet)
    assert [path.stat().st_mtime_ns for path in kept] == stamps
    assert made.read_json(job.SUMMARY)["images"] == 12
    assert made.read_json(job.SUMMARY)["variants"]["hybrid"]["circuits"] == 60
    untouched = job.run_on(folder, trained, FlakyTarget("flaky", images=12, failing=(0,)), quiet)
    assert untouched.path == made.path
    idle = FlakyTarget("flaky", images=12, failing=tuple(range(99)))
    again = job.run_on(folder, trained, idle, quiet, resamples=150)  # scored anew, not run anew
    assert again.path == made.path
    found = again.read_json(job.SUMMARY)["variants"]["hybrid"]
    parts = ("exact", "device", "comparison")
    assert {found[part]["interval"]["resamples"] for part in parts} == {150}


def test_parts_of_other_weights_are_done_again(own_run: Path) -> None:
    folder = RunFolder(own_run)
    trained, target = load_trained(folder), Target("lightning.qubit", images=4)
    made = job.run_on(folder, trained, target, quiet)
    before = made.read_json(job.SUMMARY)["variants"]["hybrid"]
    trained.models["hybrid"].classifier.bias += 1.0
    trained.models["hybrid"].classifier.bias[0] += 9.0
    job.run_on(folder, trained, target, quiet)
    after = made.read_json(job.SUMMARY)["variants"]["hybrid"]
    assert before["exact"]["scores"] != after["exact"]["scores"]


def test_a_broken_part_is_named(own_run: Path) -> None:
    folder = RunFolder(own_run)
    trained, target = load_trained(folder), Target("lightning.qubit", images=4)
    made = job.run_on(folder, trained, target, quiet)
    (part,) = (made.path / "parts").iterdir()
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(RunError, match=r"hybrid-0000\.npz is broken: delete it"):
        job.run_on(folder, trained, target, quiet)


def test_a_run_without_circuits_is_refused(own_run: Path) -> None:
    trained = load_trained(RunFolder(own_run))
    dense = trained._replace(models={"dense": trained.models["dense"]})
    with pytest.raises(RunError, match="quantum layer"):
        job.run_on(RunFolder(own_run), dense, Target("lightning.qubit"), quiet)
