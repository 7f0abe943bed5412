from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from medqnn.circuits import expectations
from medqnn.devices import load as load_profile
from medqnn.errors import RecipeError
from medqnn.layers.evaluated import quantum_layers
from medqnn.layers.noisy import noisy
from medqnn.training.fit import as_trained, build_model, fit
from medqnn.training.plan import check_models, start
from medqnn.training.recipe import changed, dump, load, validate
from training.tiny import small_inputs, tiny_recipe

STEPS = ("training.batch_size=8", "training.warmup_epochs=0")
SMALL = (*STEPS, "model.qubits=3", "model.circuits=1", "model.depth=1", "training.epochs=2")
NOISY = (*SMALL, "noise=ibm-eagle")


def test_a_recipe_keeps_the_figures_themselves(tmp_path: Path) -> None:
    recipe = load("hqcm-ebtc", ("noise=ibm-eagle",))
    assert recipe.noise == load_profile("ibm-eagle")
    assert validate(yaml.safe_load(dump(recipe))) == recipe
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(recipe.noise.model_dump(mode="json") | {"qubits": 7}))
    own = load("hqcm-ebtc", (f"noise={path}",))
    path.unlink()
    assert validate(yaml.safe_load(dump(own))).noise.qubits == 7
    assert changed(own, {"noise": None}).noise is None


def test_an_unknown_device_is_one_line_with_the_names() -> None:
    with pytest.raises(RecipeError, match=r"'noise' in the recipe.*give one of ibm-eagle"):
        load("hqcm-ebtc", ("noise=ibm",))


def test_a_run_tells_under_what_noise_it_is_trained(tmp_path: Path) -> None:
    sets = ("data.image_size=32", "noise=ibm-eagle")
    run = start(load("hqcm-ebtc", sets), "phantom:96", tmp_path / "run")
    assert run.facts()["trained_under"] == load_profile("ibm-eagle").title


def trained(folder: Path, path: Path, variant: str, *overrides: str) -> nn.Module:
    return fit(tiny_recipe(*overrides), variant, small_inputs(folder, *overrides), path, bar=False)


def test_training_sees_the_noise_and_scoring_does_not(folder: Path, tmp_path: Path) -> None:
    plain = trained(folder, tmp_path / "plain", "hybrid", *SMALL)
    aware = trained(folder, tmp_path / "aware", "hybrid", *NOISY)
    assert [layer.evaluate for layer in quantum_layers(aware)] == [expectations]
    assert not torch.equal(plain.head.weight, aware.head.weight)
    losses = [(tmp_path / name / "history.csv").read_text() for name in ("plain", "aware")]
    assert losses[0] != losses[1]


def test_a_twin_without_circuits_is_trained_as_ever(folder: Path, tmp_path: Path) -> None:
    plain = trained(folder, tmp_path / "plain", "dense", *SMALL).state_dict()
    aware = trained(folder, tmp_path / "aware", "dense", *NOISY).state_dict()
    assert all(torch.equal(plain[name], aware[name]) for name in plain)


def test_the_noise_is_that_of_the_recipes_device() -> None:
    recipe = tiny_recipe(*NOISY)
    model = build_model(recipe, "hybrid", 2).eval()
    images = torch.rand(3, 1, 16, 16)
    with torch.no_grad():
        exact = model(images).logits
        with noisy(model, load_profile("ibm-eagle").noise()):
            expected = model(images).logits
        with as_trained(recipe, model) as shown:
            assert torch.equal(shown(images).logits, expected)
        assert torch.equal(model(images).logits, exact)
    assert not torch.allclose(exact, expected)


def test_circuits_too_wide_to_be_trained_are_refused_at_once() -> None:
    wide = ("model.qubits=9", "model.circuits=1", "model.depth=1", "noise=ibm-eagle")
    with pytest.raises(RecipeError, match="circuit of 9 qubits cannot be trained under noise"):
        check_models(tiny_recipe(*wide), 2)
    check_models(tiny_recipe(*wide[:-1]), 2)
    check_models(tiny_recipe(*wide, "variants=[dense]"), 2)
