from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import torch
from statsmodels.stats.anova import anova_lm
from torch import nn

from medqnn.diagnostics.heads import Head
from medqnn.diagnostics.influence import accuracy, influence, variance_shares


def draws(of_image: float, of_weights: float, both: float, seed: int = 0) -> torch.Tensor:
    """f of 300 draws on 400 images, with variances as given."""
    random = np.random.default_rng(seed)
    f = random.normal(0, of_image**0.5, 400) + random.normal(0, of_weights**0.5, (300, 1))
    return torch.from_numpy(f + random.normal(0, both**0.5, (300, 400)))[:, :, None]


def test_shares_of_known_variances() -> None:
    found = variance_shares(draws(of_image=1.0, of_weights=2.0, both=5.0))
    assert found is not None
    assert found.weights == pytest.approx(2 / 8, rel=0.15)
    assert found.interaction == pytest.approx(5 / 8, rel=0.15)
    assert found.total == pytest.approx(found.weights + found.interaction)


@pytest.mark.parametrize(
    ("variances", "total"), [((1, 0, 0), 0.0), ((0, 1, 0), 1.0), ((0, 0, 1), 1.0), ((1, 1, 0), 0.5)]
)
def test_extremes(variances: tuple[float, float, float], total: float) -> None:
    found = variance_shares(draws(*variances))
    assert found is not None
    assert found.total == pytest.approx(total, abs=0.06)


def test_estimates_are_those_of_the_analysis_of_variance() -> None:
    f = draws(1.0, 2.0, 5.0)[:6, :9]
    table = pd.DataFrame([(d, m, f[d, m, 0].item()) for d in range(6) for m in range(9)])
    table.columns = pd.Index(["draw", "image", "f"])
    squares = anova_lm(smf.ols("f ~ C(draw) + C(image)", table).fit())["mean_sq"]
    rest = squares["Residual"]
    weights = (squares["C(draw)"] - rest) / 9
    image = (squares["C(image)"] - rest) / 6
    found = variance_shares(f)
    assert found is not None
    assert found.weights == pytest.approx(weights / (weights + image + rest))
    assert found.interaction == pytest.approx(rest / (weights + image + rest))


def test_variances_of_classes_are_added() -> None:
    one, other = draws(4.0, 0.0, 1.0), draws(0.0, 0.0, 3.0, seed=1)
    found = variance_shares(torch.cat((one, other), dim=2))
    assert found is not None
    assert found.total == pytest.approx(4 / 8, abs=0.04)


def test_what_does_not_vary_has_no_shares() -> None:
    assert variance_shares(torch.ones(3, 4, 2, dtype=torch.float64)) is None


def sign_head() -> Head:
    """Two classes by the sign of one number times one weight, on 10 images, 7 above zero."""
    head = nn.Linear(1, 1, bias=False).double().requires_grad_(False)
    head.weight.fill_(1.0)
    classifier = nn.Linear(1, 2, bias=False).double().requires_grad_(False)
    classifier.weight.copy_(torch.tensor([[-1.0], [1.0]]))
    values = torch.tensor([3.0, 2, 1, 4, 5, 2, 1, -1, -2, -1], dtype=torch.float64)
    return Head(head, classifier, values[:, None])


def test_accuracy_trained_redrawn_and_bypassed() -> None:
    head = sign_head()
    labels = np.array([1] * 7 + [0] * 2 + [1])
    weights = [{"weight": torch.full((1, 1), w, dtype=torch.float64)} for w in (2.0, -1.0, -3.0)]
    found = influence(head, labels, weights)
    assert found.trained == pytest.approx(0.9)
    assert found.redrawn == pytest.approx((0.9, 0.1, 0.1))
    assert found.bypassed == pytest.approx(0.8)  # class 1 for all
    assert found.shares is not None
    assert found.shares.total > 0.9


def test_bypassed_takes_the_mean_over_images() -> None:
    head = sign_head()
    head.inputs[0] = -100.0  # whose median stays above zero
    found = influence(head, np.array([1] * 7 + [0] * 3), [])
    assert found.bypassed == pytest.approx(0.3)  # the mean is below zero: class 0 for all
    assert found.shares is None
    assert found.redrawn == ()


def test_a_head_without_weights_is_not_redrawn() -> None:
    head = Head(nn.Identity(), sign_head().classifier, sign_head().inputs)
    found = influence(head, np.array([1] * 7 + [0] * 3), [{}, {}])
    assert (found.shares, found.redrawn, found.trained) == (None, (), 1.0)


def test_accuracy_of_findings_counts_each() -> None:
    p = torch.tensor([[0.9, 0.2], [0.4, 0.6]])
    labels = np.array([[1, 1], [0, 1]], dtype=np.float32)
    assert accuracy(p, labels, multilabel=True) == pytest.approx(3 / 4)
    assert accuracy(p, np.array([0, 0]), multilabel=False) == pytest.approx(1 / 2)
