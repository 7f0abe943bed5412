from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from medqnn.explain.stability import DRAWS, SIGMA, noisy, stability

IDS = ["a", "b"]
MODEL, TARGETS = nn.Identity(), torch.zeros(2, dtype=torch.int64)


def pictures() -> Tensor:
    return 0.2 + 0.6 * torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))


def brightness(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    return images[:, 0]


def test_it_is_the_mean_correlation_with_maps_under_noise() -> None:
    images = pictures()
    maps = images[:, 0].numpy()
    found = stability(brightness, MODEL, images, TARGETS, maps, IDS, 0)
    for i in range(2):
        rhos = [
            stats.spearmanr(maps[i].ravel(), noisy(images, IDS, 0, d)[i].ravel()).statistic
            for d in range(DRAWS)
        ]
        assert found[i] == pytest.approx(np.mean(rhos))
        assert 0.9 < found[i] < 0.9999


def test_a_map_that_never_changes_is_stable_and_one_at_random_is_not() -> None:
    images, maps = pictures(), np.random.default_rng(0).random((2, 32, 32), dtype=np.float32)

    def same(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        return torch.from_numpy(maps)

    def random(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        return torch.rand(2, 32, 32, generator=torch.Generator().manual_seed(9))

    assert stability(same, MODEL, images, TARGETS, maps, IDS, 0) == pytest.approx(1.0)
    assert np.abs(stability(random, MODEL, images, TARGETS, maps, IDS, 0)).max() < 0.15


def test_draws_in_which_nothing_is_ranked_are_left_out() -> None:
    images, flat = pictures(), np.zeros((2, 32, 32), np.float32)
    drawn = iter([torch.zeros(2, 32, 32), torch.stack([torch.zeros(32, 32), images[1, 0]])])

    def method(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        return next(drawn)

    found = stability(method, MODEL, images, TARGETS, flat, IDS, 0)
    assert np.isnan(found[0])  # flat without noise and under both draws of it
    assert found[1] == 0  # flat but under the second draw


def test_the_explained_class_stays() -> None:
    seen = []

    def method(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
        seen.append(targets)
        return images[:, 0]

    targets = torch.tensor([1, 0])
    stability(method, MODEL, pictures(), targets, pictures()[:, 0].numpy(), IDS, 0)
    assert len(seen) == DRAWS
    assert all(torch.equal(one, targets) for one in seen)


def test_noise_is_small_and_known_by_id_seed_and_draw() -> None:
    images = pictures()
    noise = noisy(images, IDS, 0, 0) - images
    assert float(noise.std()) == pytest.approx(SIGMA, rel=0.05)
    assert torch.equal(noisy(images[1:], ["b"], 0, 0), noisy(images, IDS, 0, 0)[1:])
    assert not torch.equal(noise[0], noise[1])
    for seed, draw in ((1, 0), (0, 1)):
        assert not torch.equal(noisy(images, IDS, seed, draw), noisy(images, IDS, 0, 0))
    edges = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    assert 0 <= noisy(edges, IDS, 0, 0).min() < noisy(edges, IDS, 0, 0).max() <= 1
