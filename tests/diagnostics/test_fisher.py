from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medqnn.diagnostics.fisher import Spectrum, effective_dimension, factor, spectrum
from medqnn.diagnostics.heads import Head, cut_out
from models.small import images, small


def linear_head(images: int, inputs: int, classes: int, multilabel: bool = False) -> Head:
    torch.manual_seed(0)
    head = nn.Linear(inputs, classes, bias=False).double().requires_grad_(False)
    return Head(head, nn.Identity(), torch.randn(images, inputs).double(), multilabel)


def fisher(head: Head) -> Tensor:
    rows = factor(head, head.weights)
    return rows.T @ rows


def by_loops(head: Head) -> Tensor:
    """F from the gradient of each log-probability of each image, by its definition."""
    weights = {name: w.clone().requires_grad_() for name, w in head.weights.items()}
    total: Tensor = torch.zeros(())
    for one in head.inputs:
        values = torch.func.functional_call(head.head, weights, (one[None],))
        log_p = head.classifier(values.flatten(1))[0].log_softmax(0)
        for value in log_p:
            parts = torch.autograd.grad(value, list(weights.values()), retain_graph=True)
            slope = torch.cat([part.flatten() for part in parts])
            total = total + value.detach().exp() * torch.outer(slope, slope)
    return total / len(head.inputs)


def test_softmax_of_a_linear_map_by_hand() -> None:
    head = linear_head(images=5, inputs=3, classes=4)
    p = head.probabilities(head.features(head.weights))
    expected = sum(
        torch.kron(torch.diag(own) - torch.outer(own, own), torch.outer(x, x))
        for own, x in zip(p, head.inputs, strict=True)
    )
    torch.testing.assert_close(fisher(head), expected / 5)


def test_findings_by_hand() -> None:
    head = linear_head(images=5, inputs=3, classes=2, multilabel=True)
    p = head.probabilities(head.features(head.weights))
    expected = sum(
        torch.kron(torch.diag(own * (1 - own)), torch.outer(x, x))
        for own, x in zip(p, head.inputs, strict=True)
    )
    torch.testing.assert_close(fisher(head), expected / 5)


@pytest.mark.parametrize(
    ("system", "variant"),
    [
        ("hqcm-ebtc", "hybrid"),
        ("hqcm-ebtc", "matched"),
        ("hqcnn-gvco", "hybrid"),
        ("hqcnn-gvco", "dense"),
        ("hqcnn-gvco", "matched"),
        ("hqcnn-gvco", "frozen"),
    ],
)
def test_heads_agree_with_the_definition(system: str, variant: str) -> None:
    head = cut_out(small(system, variant), images(system, 3))
    torch.testing.assert_close(fisher(head), by_loops(head), atol=1e-14, rtol=1e-8)


def test_dead_weights_are_missing_from_the_rank() -> None:
    head = cut_out(small("hqcnn-medmnist"), images("hqcnn-medmnist", 40))
    found = spectrum(factor(head, head.weights))
    assert found.rank == 56  # of 60, the last R_z of four qubits being dead
    product = cut_out(small("hqcnn-medmnist", "product"), images("hqcnn-medmnist", 40))
    assert spectrum(factor(product, product.weights)).rank == 8  # α_j cos x_j + β_j sin x_j


def test_eigenvalues_are_those_of_the_matrix() -> None:
    head = linear_head(images=7, inputs=2, classes=3)
    found = spectrum(factor(head, head.weights))
    expected = np.linalg.eigvalsh(fisher(head).numpy())[::-1]
    np.testing.assert_allclose(found.values.numpy(), expected, atol=1e-14)
    assert found.rank == 4  # K - 1 = 2 directions an input
    assert found.trace == pytest.approx(np.trace(fisher(head).numpy()))
    assert sum(found.shares) == pytest.approx(1.0)


@pytest.mark.parametrize(("share", "needed"), [(0.4, 1), (0.6, 2), (0.8, 2), (0.95, 3)])
def test_how_many_hold_a_share(share: float, needed: int) -> None:
    values = torch.tensor([5.0, 3.5, 1.5, 0.0], dtype=torch.float64)
    assert Spectrum(values, 3).needed(share) == needed


def test_nothing_is_needed_of_nothing() -> None:
    nothing = spectrum(torch.zeros(4, 3, dtype=torch.float64))
    assert (nothing.rank, nothing.needed(0.9), nothing.shares) == (0, 0, [])
    assert effective_dimension([nothing], 3, 1000) is None


def test_effective_dimension_of_even_information_by_hand() -> None:
    even = Spectrum(torch.full((6,), 2.5, dtype=torch.float64), 6)
    kappa = 1000 / (2 * math.pi * math.log(1000))
    expected = 6 * math.log(1 + kappa) / math.log(kappa)
    assert effective_dimension([even, even], 6, 1000) == pytest.approx(expected)


def test_effective_dimension_is_the_integral_of_the_paper() -> None:
    torch.manual_seed(0)
    rows = torch.randn(5, 8, 4, dtype=torch.float64) * torch.rand(5, 1, 4, dtype=torch.float64)
    matrices = np.einsum("sri,srj->sij", rows.numpy(), rows.numpy())
    images, d = 500, 4
    scaled = d * matrices / np.trace(matrices, axis1=1, axis2=2).mean()
    kappa = images / (2 * np.pi * np.log(images))
    roots = np.sqrt(np.linalg.det(np.eye(d) + kappa * scaled))
    expected = 2 * np.log(roots.mean()) / np.log(kappa)
    found = effective_dimension([spectrum(row) for row in rows], d, images)
    assert found == pytest.approx(expected)


def test_effective_dimension_ends_at_the_rank() -> None:
    some = Spectrum(torch.tensor([3.0, 1.0, 0.0, 0.0], dtype=torch.float64), 2)
    found = effective_dimension([some], 4, 10**300)
    assert found == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("images", [0, 1, 2, 18])
def test_few_images_have_no_effective_dimension(images: int) -> None:
    some = Spectrum(torch.tensor([3.0, 1.0], dtype=torch.float64), 2)
    assert effective_dimension([some], 2, images) is None
    assert effective_dimension([some], 2, 19) is not None
