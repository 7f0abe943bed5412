from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from medqnn.explain.sanity import STAGES, rank_correlation, redrawn
from medqnn.training.fit import build_model
from training.tiny import tiny_recipe


@pytest.mark.parametrize("variant", ["hybrid", "dense", "none"])
def test_weights_are_redrawn_from_the_top(variant: str) -> None:
    recipe = tiny_recipe()
    model = build_model(recipe, variant, 3).eval()  # its weights are those before training
    kept = {name: weight.clone() for name, weight in model.state_dict().items()}
    found = redrawn(model, recipe, variant, 3, 0)
    assert tuple(found) == STAGES
    moved = {
        stage: {
            name.split(".")[0]
            for name, weight in other.named_parameters()
            if not torch.equal(weight, kept[name])
        }
        for stage, other in found.items()
    }
    top = {"classifier"} if variant == "none" else {"head", "classifier"}
    assert moved["head"] == top
    assert moved["all"] == top | {
        "blocks",
        "channel_attention",
        "spatial_attention",
        "projection",
    }
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, kept[name])
    for other in found.values():
        assert not other.training
        assert not any(weight.requires_grad for weight in other.parameters())


def test_both_stages_have_the_same_new_head_which_the_seed_draws() -> None:
    recipe = tiny_recipe()
    model = build_model(recipe, "hybrid", 2).eval()
    first, other = (redrawn(model, recipe, "hybrid", 2, seed) for seed in (0, 1))
    heads = [one[stage].get_submodule("head").weight for one in (first, other) for stage in STAGES]
    assert torch.equal(heads[0], heads[1])
    assert torch.equal(heads[2], heads[3])
    assert not torch.equal(heads[0], heads[2])


def test_the_random_state_is_left_as_found() -> None:
    recipe = tiny_recipe()
    model = build_model(recipe, "dense", 2)
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    redrawn(model, recipe, "dense", 2, 0)
    assert torch.equal(torch.rand(1), expected)


def test_correlation_is_spearmans_by_image() -> None:
    draw = np.random.default_rng(0)
    a = draw.random((4, 6, 5)).round(1)  # some pixels tie
    b = a + draw.random((4, 6, 5))
    expected = [
        stats.pearsonr(stats.rankdata(one), stats.rankdata(other)).statistic
        for one, other in zip(a.reshape(4, -1), b.reshape(4, -1), strict=True)
    ]
    assert rank_correlation(a, b) == pytest.approx(expected)
    assert rank_correlation(a, np.exp(3 * a)) == pytest.approx(1.0)
    assert rank_correlation(a, -a) == pytest.approx(-1.0)


def test_a_map_of_one_value_ranks_nothing() -> None:
    flat, other = np.zeros((1, 4, 4)), np.random.default_rng(0).random((1, 4, 4))
    assert rank_correlation(flat, other) == 0
    assert rank_correlation(other, flat + 0.3) == 0
    assert np.isnan(rank_correlation(flat, flat + 0.3)).all()
