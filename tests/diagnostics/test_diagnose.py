from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medqnn.circuits import Circuit
from medqnn.diagnostics.diagnose import ANGLES, FILE, circuit_of, diagnose_system, own_cell
from medqnn.errors import RunError
from medqnn.evaluation.predictions import read_predictions
from medqnn.models import SYSTEMS
from medqnn.training import recipe as recipes
from medqnn.training.folder import RunFolder
from medqnn.training.trained import load_trained
from models.small import images, small

Diagnosed = tuple[Path, dict[str, Any]]


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return diagnose_system(recipes.load("hqcnn-medmnist"), samples=20, seed=3)


def test_circuits_are_the_recipes() -> None:
    state = torch.random.get_rng_state()
    assert circuit_of(recipes.load("hqcm-ebtc")) == Circuit(5, 2, "amplitude", "Y", "cnot")
    expected = Circuit(4, 3, "angle", "Z", "cnot", "ry_rz_strong")
    assert circuit_of(recipes.load("hqcnn-medmnist")) == expected
    pooled = recipes.load("hqcnn-gvco", ("model.pooling=true", "model.depth=5"))
    assert circuit_of(pooled) == Circuit(4, 5, "angle", "Z", "cnot", pooling=True)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("system", [name for name in SYSTEMS if ANGLES[name] != (0.0, 0.0)])
def test_angles_are_those_that_the_network_gives(system: str) -> None:
    model = small(system).eval()
    seen: list[torch.Tensor] = []
    model.head.register_forward_pre_hook(  # type: ignore[union-attr]
        lambda _, inputs: seen.append(inputs[0])
    )
    with torch.no_grad():
        for size in (1.0, 1e4, -1e4):  # far images drive tanh and sigmoid to their ends
            model(size * images(system, 16))
    low, high = ANGLES[system]
    angles = torch.cat([one.flatten() for one in seen])
    assert low - 1e-5 <= angles.min() < low + 0.3 * (high - low)
    assert high - 0.3 * (high - low) < angles.max() <= high + 1e-5


def test_every_system_has_its_angles() -> None:
    assert ANGLES.keys() == SYSTEMS.keys()


def test_a_system_is_swept_by_width_and_depth(found: dict[str, Any]) -> None:
    cells = {(cell["qubits"], cell["depth"]) for cell in found["gradients"]}
    assert cells == {(q, d) for q in range(2, 9) for d in range(1, 9)}
    own = own_cell(found)
    assert (own["qubits"], own["depth"]) == (4, 3)
    assert own["dead_weights"] == pytest.approx(4 / 60)
    assert [row["depth"] for row in found["by_depth"]] == list(range(1, 9))
    assert all(row["q_product"] < 1e-12 < row["q"] for row in found["by_depth"])
    assert all(row["kl"] < 0.15 < row["kl_product"] for row in found["by_depth"])
    assert found["pairs"] == 25 * 20
    assert "-90° to 90°" in found["inputs"]


def test_a_wider_or_deeper_circuit_is_in_the_sweep() -> None:
    recipe = recipes.load("hybrid-mri", ("model.qubits=9", "model.depth=9"))
    found = diagnose_system(recipe, samples=2, seed=0)
    own = own_cell(found)
    assert (own["qubits"], own["depth"]) == (9, 9)


def test_the_seed_decides_all(found: dict[str, Any]) -> None:
    torch.rand(5)
    assert diagnose_system(recipes.load("hqcnn-medmnist"), samples=20, seed=3) == found


def test_another_seed_draws_anew_and_progress_sees_every_cell(found: dict[str, Any]) -> None:
    totals: list[tuple[int, int]] = []

    def count(items: Iterable[Any], total: int) -> Iterable[Any]:
        done = 0
        for done, item in enumerate(items, 1):  # noqa: B007
            yield item
        totals.append((done, total))

    other = diagnose_system(recipes.load("hqcnn-medmnist"), samples=20, seed=4, progress=count)
    assert totals == [(56, 56)]
    for key in ("gradients", "by_depth", "haar"):
        assert other[key] != found[key]


def test_a_run_is_kept_as_json(diagnosed: Diagnosed) -> None:
    run, found = diagnosed
    assert json.loads((run / FILE).read_text()) == found
    assert found["system"] == "hqcm-ebtc"
    assert found["circuit"]["qubits"] == 5


def test_heads_of_a_run_stand_side_by_side(diagnosed: Diagnosed) -> None:
    run, found = diagnosed
    heads = found["heads"]
    assert list(heads["variants"]) == ["hybrid", "dense"]
    hybrid, dense = heads["variants"].values()
    assert hybrid["weights"] == 150
    assert dense["weights"] == 160 * 25 + 25
    for name, head in heads["variants"].items():
        metrics = json.loads((run / name / "metrics.json").read_text())
        assert heads["images"] == metrics["images"]
        assert head["trained"] == pytest.approx(metrics["scores"]["accuracy"]["estimate"])
        assert len(head["redrawn"]) == heads["draws"]
        assert 0 <= head["shares"]["weights"] <= head["shares"]["total"] <= 1 + 1e-9
        assert head["fisher"]["rank"] <= min(head["weights"], heads["images"] * 3)
        assert head["fisher"]["shares"] == sorted(head["fisher"]["shares"], reverse=True)


def test_the_weights_looked_at_are_the_trained_ones(tiny_run: Path) -> None:
    trained = load_trained(RunFolder(tiny_run))
    pixels = trained.inputs.decoded.images[trained.inputs.rows("test")]
    for name, model in trained.models.items():
        kept = read_predictions(tiny_run / name / "predictions.csv")
        with torch.no_grad():
            found = model(torch.from_numpy(pixels).float() / 255).logits.softmax(1).numpy()
        np.testing.assert_allclose(found, kept.probabilities, atol=1e-5)


def test_a_run_whose_weights_are_broken_is_refused(tiny_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "dense" / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"model\.safetensors is missing or broken"):
        load_trained(RunFolder(run))


def test_changed_data_are_refused(tiny_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    facts = json.loads((run / "run.json").read_text())
    facts["data"]["fingerprint"] = "0" * 64
    (run / "run.json").write_text(json.dumps(facts))
    with pytest.raises(RunError, match="have changed"):
        load_trained(RunFolder(run))
