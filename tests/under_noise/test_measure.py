from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medqnn.circuits.mitigation import Mitigation
from medqnn.devices import load
from medqnn.layers.noisy import noisy
from medqnn.training.batches import Images
from medqnn.training.fit import build_model
from medqnn.training.trained import Trained
from medqnn.under_noise.measure import Answers, Key, measure
from medqnn.under_noise.settings import DRAWS, IDEAL, Setting, devices
from training.tiny import small_inputs

CHOSEN = devices(("ibm-eagle",), (8, 64))


@pytest.fixture(scope="module")
def trained(folder: Path) -> Trained:
    inputs = small_inputs(folder, "model.qubits=3", "model.circuits=2", "model.depth=1")
    models = {name: build_model(inputs.recipe, name, 2).eval() for name in ("hybrid", "dense")}
    return Trained(inputs, {name: model.requires_grad_(False) for name, model in models.items()})


@pytest.fixture(scope="module")
def rows(trained: Trained) -> np.ndarray:
    return np.arange(len(trained.inputs.labels))[:12]


@pytest.fixture(scope="module")
def found(trained: Trained, rows: np.ndarray) -> dict[Key, Answers]:
    return measure(trained, rows, CHOSEN)


def test_answers_are_those_of_the_whole_network(
    trained: Trained, rows: np.ndarray, found: dict[Key, Answers]
) -> None:
    images = Images(trained.inputs.decoded, trained.inputs.labels)[rows.tolist()].images
    noise = load("ibm-eagle").noise()
    model = trained.models["hybrid"]
    with torch.no_grad():
        expected = {IDEAL: model(images).logits}
        ways = {"none": None, "readout": Mitigation(factors=(1.0,)), "both": Mitigation()}
        for name, mitigation in ways.items():
            with noisy(model, noise, mitigation=mitigation) as device:
                expected[Setting("ibm-eagle", name, None)] = device(images).logits
        dense = trained.models["dense"](images).logits
    for setting, logits in expected.items():
        own = found["hybrid", setting].logits
        np.testing.assert_allclose(own, logits[None].double(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["dense", IDEAL].logits[0], dense, rtol=1e-5, atol=1e-6)


def test_a_network_without_circuits_is_asked_once(found: dict[Key, Answers]) -> None:
    assert [setting for name, setting in found if name == "dense"] == [IDEAL]
    assert np.isnan(found["dense", IDEAL].deviation)
    assert [setting for name, setting in found if name == "hybrid"] == CHOSEN.settings()


def test_values_are_off_less_with_mitigation_and_with_more_shots(
    found: dict[Key, Answers],
) -> None:
    def off(device: str, mitigation: str, shots: int | None) -> float:
        return found["hybrid", Setting(device, mitigation, shots)].deviation

    assert off("exact", "none", None) == 0
    assert off("ibm-eagle", "both", None) < off("ibm-eagle", "none", None) < 0.1
    # Mean of |⟨Y⟩ from n shots - ⟨Y⟩| is at most √(2 / (π n)), where ⟨Y⟩ is 0.
    for shots in (8, 64):
        assert 0.5 < off("exact", "none", shots) / np.sqrt(2 / (np.pi * shots)) < 1.1


def test_draws_differ_and_come_again(
    trained: Trained, rows: np.ndarray, found: dict[Key, Answers]
) -> None:
    setting = Setting("ibm-eagle", "none", 8)
    drawn = found["hybrid", setting].logits
    assert drawn.shape == (DRAWS, len(rows), 2)
    assert len({one.tobytes() for one in drawn}) == DRAWS
    chosen = devices(("ibm-eagle",), (8,))
    again = measure(trained, rows, chosen)["hybrid", setting].logits
    assert np.array_equal(again, drawn)
    other = measure(trained, rows, chosen, seed=1)["hybrid", setting].logits
    assert not np.array_equal(other, drawn)


def test_images_that_look_alike_get_shots_of_their_own(trained: Trained) -> None:
    many = np.zeros(600, dtype=np.int64)  # one image, in three parts
    drawn = measure(trained, many, devices((), (8,)))["hybrid", Setting("exact", "none", 8)]
    assert len(np.unique(drawn.logits[0, :, 0])) > 300


def test_progress_counts_every_step(trained: Trained, rows: np.ndarray) -> None:
    told = []

    def progress(items: Iterable[Any], total: int) -> Iterator[Any]:
        told.append(total)
        for item in items:
            told.append(1)
            yield item

    measure(trained, rows, CHOSEN, progress=progress)
    assert told[0] == sum(told[1:]) == 1 + (1 + 4) + DRAWS * (2 + 2 * 2) + 1
