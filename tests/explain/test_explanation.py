from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from medqnn.errors import RunError
from medqnn.evaluation.predictions import Predictions, read_predictions
from medqnn.explain.explanation import explain
from medqnn.explain.gradcam import for_readout
from medqnn.explain.methods import METHODS
from medqnn.training.folder import RunFolder
from medqnn.training.trained import Trained, load_models, load_trained
from models.small import SMALL, images, small


@pytest.fixture(scope="module")
def trained(tiny_run: Path) -> Trained:
    return load_trained(RunFolder(tiny_run))


def test_networks_are_loaded_without_the_data_and_answer_as_in_the_run(
    tiny_run: Path, trained: Trained
) -> None:
    networks = load_models(RunFolder(tiny_run))
    assert list(networks) == ["hybrid", "dense"]
    row = trained.inputs.rows("test")[2]
    for answer in explain(networks, trained.inputs.decoded.images[row], False):
        written = read_predictions(tiny_run / answer.variant / "predictions.csv")
        assert isinstance(written, Predictions)
        assert written.ids[2] == trained.inputs.table.rows["id"].iloc[row]
        assert answer.probabilities == pytest.approx(written.probabilities[2], abs=1e-6)
        assert answer.target == written.probabilities[2].argmax()


def test_maps_are_those_of_the_answer(trained: Trained) -> None:
    pixels = trained.inputs.decoded.images[3]
    batch = torch.from_numpy(np.array(pixels))[None].float() / 255
    for answer in explain(trained.models, pixels, False):
        assert list(answer.maps) == list(METHODS)
        for name, found in answer.maps.items():
            asked = METHODS[name](
                trained.models[answer.variant], batch, torch.tensor([answer.target])
            )
            assert found == pytest.approx(asked[0].numpy(), abs=1e-5)
            assert found.shape == pixels.shape[1:]


@pytest.mark.parametrize("system", SMALL)
def test_shares_add_up_to_the_answers_logit(system: str) -> None:
    pixels = (255 * images(system, 1)[0]).byte().numpy()
    networks = {
        name: small(system, name).eval().requires_grad_(False) for name in ("hybrid", "dense")
    }
    hybrid, dense = explain(networks, pixels, False)
    assert dense.quantum is None
    quantum = hybrid.quantum
    assert quantum is not None
    with torch.no_grad():
        logits = networks["hybrid"](torch.from_numpy(pixels)[None].float() / 255).logits[0]
    assert quantum.shares.sum() + quantum.at_zero == pytest.approx(float(logits.max()), abs=1e-3)
    assert sum(quantum.by_circuit.values()) == pytest.approx(float(quantum.shares.sum()), abs=1e-5)
    assert len(quantum.readouts) == len(quantum.shares)
    assert quantum.amplitude == (system.startswith("hqcm-ebtc"))
    circuits = len({one.circuit for one in quantum.readouts})
    assert quantum.embedded.shape == (circuits, 32 if quantum.amplitude else 4)
    if quantum.amplitude:
        assert quantum.embedded.sum(axis=1) == pytest.approx(np.ones(circuits), abs=1e-5)


def test_findings_have_probabilities_of_their_own() -> None:
    networks = {"hybrid": small("hqcnn-medmnist").eval().requires_grad_(False)}
    pixels = (255 * images("hqcnn-medmnist", 1)[0]).byte().numpy()
    several, one = (explain(networks, pixels, flag)[0].probabilities for flag in (True, False))
    assert one.sum() == pytest.approx(1)
    odds = several / (1 - several)  # e^logit
    assert odds / odds.sum() == pytest.approx(one)


def test_a_broken_network_is_named(tiny_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    (copy / "dense" / "model.safetensors").write_bytes(b"gone")
    with pytest.raises(RunError, match=r"dense/model.safetensors is missing or broken .*train it"):
        load_models(RunFolder(copy))


def test_the_strongest_value_is_looked_at(tiny_run: Path) -> None:
    networks = load_models(RunFolder(tiny_run))
    pixels = np.random.default_rng(3).integers(0, 256, (1, 32, 32), dtype=np.uint8)
    quantum = explain({"hybrid": networks["hybrid"]}, pixels, several=False)[0].quantum
    assert quantum is not None
    assert abs(quantum.shares[quantum.strongest]) == abs(quantum.shares).max()
    image = torch.from_numpy(pixels)[None].float() / 255
    expected = for_readout(networks["hybrid"], image, quantum.strongest)[0].numpy()
    np.testing.assert_allclose(quantum.seen, expected, atol=1e-5)
