from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from explain.toys import SquareMean, frozen, noise
from medqnn.errors import EvaluationError
from medqnn.explain.gradcam import for_readout, grad_cam
from medqnn.models import SYSTEMS, Output
from models.small import images, small


def by_hand(model: nn.Module, batch: Tensor, pick: Callable[[Output], Tensor]) -> Tensor:
    """Weights of maps by autograd through the whole network, then the ReLU of their sum."""
    maps: list[Tensor] = []
    hook = model.last_maps.register_forward_hook(lambda _, __, output: maps.append(output))
    output = model(batch.clone().requires_grad_())
    hook.remove()
    (gradient,) = torch.autograd.grad(pick(output).sum(), maps[0])
    alpha = gradient.mean((2, 3))
    cam = torch.einsum("bk,bkhw->bhw", alpha, maps[0]).relu().detach()
    size = batch.shape[-2:]
    large = F.interpolate(cam[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    largest = large.amax((1, 2), keepdim=True)
    return torch.where(largest > 0, large / largest.clamp_min(1e-30), 0.0)


@pytest.mark.parametrize("system", SYSTEMS)
def test_grad_cam_by_hand(system: str) -> None:
    model, batch = frozen(small(system)), images(system, 4)
    drawn = []
    for target in range(4):
        targets = torch.full((4,), target)
        expected = by_hand(model, batch, lambda output, k=target: output.logits[:, k])
        torch.testing.assert_close(grad_cam(model, batch, targets), expected, atol=1e-5, rtol=1e-4)
        drawn.append(bool(expected.any()))
    assert any(drawn)  # not all are maps of zeros


def test_weights_are_averaged_over_places() -> None:
    image = noise(1, 1, 16, 16)
    map_ = grad_cam(SquareMean(), image, torch.tensor([0]))[0]
    torch.testing.assert_close(map_, image[0, 0] / image.max())  # beyond the square as well


def test_no_graph_behind_the_last_maps() -> None:
    model, batch = frozen(small("hqcm-ebtc")), images("hqcm-ebtc", 1)
    needed: dict[str, bool] = {}
    for name in ("blocks.0", "blocks.2", "projection"):
        model.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: needed.update({name: output.requires_grad})
        )
    grad_cam(model, batch, torch.tensor([0]))
    assert needed == {"blocks.0": False, "blocks.2": False, "projection": True}


@pytest.mark.parametrize("system", ["hqcm-ebtc", "hqcnn-medmnist", "hybrid-mri"])
def test_what_a_qubit_looks_at(system: str) -> None:
    model, batch = frozen(small(system)), images(system, 4)
    for index in range(3):
        expected = by_hand(model, batch, lambda output, k=index: output.features[:, k])
        actual = for_readout(model, batch, index)
        torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)


def test_a_readout_of_a_quantum_convolution_is_a_map_itself() -> None:
    model, batch = frozen(small("hqcnn-gvco")), images("hqcnn-gvco", 2)
    own = model(batch).features.unflatten(1, (16, 4, 4))
    for index in (0, 7, 15):
        own_map = F.interpolate(own[:, [index]].relu(), (32, 32), mode="bilinear")[:, 0]
        expected = own_map / own_map.amax((1, 2), keepdim=True).clamp_min(1e-30)
        torch.testing.assert_close(for_readout(model, batch, index), expected)


@pytest.mark.parametrize(("system", "count"), [("hqcm-ebtc", 25), ("hqcnn-gvco", 16)])
def test_a_readout_that_is_not_there_is_refused(system: str, count: int) -> None:
    model = frozen(small(system))
    for index in (-1, count):
        with pytest.raises(EvaluationError, match=f"index is {index}: give 0 to {count - 1}"):
            for_readout(model, images(system, 1), index)
    assert not any(part._forward_hooks for part in model.modules())
