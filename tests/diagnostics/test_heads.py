from __future__ import annotations

from typing import Any

import pytest
import torch

from medqnn.circuits import Circuit
from medqnn.diagnostics.heads import Head, cut_out, redrawn
from medqnn.layers import VARIANTS
from medqnn.models import SYSTEMS
from medqnn.training import recipe as recipes
from medqnn.training.fit import build_model
from medqnn.training.sections import Recipe
from models.small import images, small


def tiny(system: str = "hqcnn-medmnist", **changes: Any) -> Recipe:
    recipe = recipes.load(system, ("data.channels=1", "data.image_size=28"))
    return recipe.model_copy(update=changes)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_head_and_its_classifier_are_the_whole_network(system: str, variant: str) -> None:
    model = small(system, variant).eval()
    some = images(system, 40)  # more than one chunk
    head = cut_out(model, some)
    with torch.no_grad():
        expected = model(some)
    features = head.features(head.weights)
    assert features.dtype == torch.float64
    torch.testing.assert_close(features.float(), expected.features, atol=1e-5, rtol=1e-4)
    expected = expected.logits.softmax(1)
    torch.testing.assert_close(head.probabilities(features).float(), expected)


def test_findings_are_independent() -> None:
    model = small("hqcnn-medmnist").eval()
    head = cut_out(model, images("hqcnn-medmnist", 3), multilabel=True)
    found = head.probabilities(head.features(head.weights))
    with torch.no_grad():
        expected = model(images("hqcnn-medmnist", 3)).logits.sigmoid()
    torch.testing.assert_close(found.float(), expected)


def test_the_network_is_left_as_it_was() -> None:
    model = small("hqcnn-medmnist").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    head = cut_out(model, images("hqcnn-medmnist", 3))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.requires_grad for weight in model.parameters())
    assert not any(weight.requires_grad for weight in head.head.parameters())
    assert not model.head._forward_pre_hooks  # type: ignore[union-attr]


def test_other_weights_give_other_features() -> None:
    head = cut_out(small("hqcnn-medmnist").eval(), images("hqcnn-medmnist", 3))
    turned = {name: weight + 1.0 for name, weight in head.weights.items()}
    assert not torch.allclose(head.features(turned), head.features(head.weights))
    assert isinstance(head, Head)


@pytest.mark.parametrize("variant", ["hybrid", "dense", "matched", "frozen"])
def test_redrawn_weights_are_those_of_a_fresh_network(variant: str) -> None:
    state = torch.random.get_rng_state()
    drawn = list(redrawn(tiny(), variant, 2, 3, torch.Generator().manual_seed(0)))
    assert torch.equal(torch.random.get_rng_state(), state)
    seeds = torch.randint(2**32, (3,), generator=torch.Generator().manual_seed(0)).tolist()
    for seed, weights in zip(seeds, drawn, strict=True):
        fresh = build_model(tiny(seed=seed), variant, 2).get_submodule("head")
        assert weights.keys() == dict(fresh.named_parameters()).keys()
        for name, weight in fresh.named_parameters():
            assert torch.equal(weights[name], weight.double())
    first, second, _ = (next(iter(weights.values())) for weights in drawn)
    assert not torch.equal(first, second)


def test_nothing_is_redrawn_without_weights() -> None:
    (weights,) = redrawn(tiny(), "none", 2, 1, torch.Generator().manual_seed(0))
    assert weights == {}
    assert isinstance(small("hqcnn-medmnist").head.circuit, Circuit)  # type: ignore[union-attr]
