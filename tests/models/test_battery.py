"""What every system's model and every twin of it must do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import load_model, save_model

from medqnn.errors import RecipeError
from medqnn.layers import VARIANTS
from medqnn.models import SYSTEMS, Output
from models.small import images, small

every_system = pytest.mark.parametrize("system", SYSTEMS)
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def tensors(output: Output) -> list[torch.Tensor]:
    return [tensor for tensor in output if tensor is not None]


@every_system
@every_variant
def test_shapes(system: str, variant: str) -> None:
    model = small(system, variant, classes=3, channels=3)
    output = model(images(system, 2, channels=3))
    assert output.logits.shape == (2, 3)
    assert output.features.shape[0] == 2
    assert output.features.ndim == 2
    if output.attention is not None:
        assert output.attention.shape[:2] == (2, 1)
    assert all(tensor.isfinite().all() for tensor in tensors(output))


@every_system
@every_variant
def test_gradient_reaches_every_trainable_parameter(system: str, variant: str) -> None:
    model = small(system, variant)
    sum(tensor.square().sum() for tensor in tensors(model(images(system, 8)))).backward()
    for name, parameter in model.named_parameters():
        if variant == "frozen" and name.startswith("head."):
            assert parameter.grad is None
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.count_nonzero() > 0, name


@every_system
@every_variant
def test_save_and_load_through_safetensors(system: str, variant: str, tmp_path: Path) -> None:
    model = small(system, variant)
    model.train()(images(system, 8))  # moves running statistics off their start
    save_model(model, str(tmp_path / "model.safetensors"))
    other = small(system, variant, seed=1)
    load_model(other, str(tmp_path / "model.safetensors"))
    with torch.inference_mode():
        one, loaded = (net.eval()(images(system, 2)) for net in (model, other))
    assert all(map(torch.equal, tensors(one), tensors(loaded)))


@every_system
@every_variant
def test_a_seed_settles_weights_and_training(system: str, variant: str) -> None:
    one, again, other = (
        small(system, variant, seed).train()(images(system, 4)).logits for seed in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@every_system
@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"none", "hybrid"}))
def test_twins_start_from_the_same_other_weights(system: str, variant: str) -> None:
    hybrid, twin = small(system).state_dict(), small(system, variant).state_dict()
    shared = [name for name in hybrid if not name.startswith("head.")]
    assert shared == [name for name in twin if not name.startswith("head.")]
    assert all(torch.equal(hybrid[name], twin[name]) for name in shared)


@every_system
@every_variant
def test_overfits_32_images(system: str, variant: str) -> None:
    model = small(system, variant)
    labels = torch.arange(32) % 4
    marked = images(system, 32)  # noise, each class brighter in another quadrant
    half = marked.shape[-1] // 2
    for image, label in zip(marked, labels.tolist(), strict=True):
        row, column = half * (label // 2), half * (label % 2)
        image[:, row : row + half, column : column + half] += 0.5
    rates = {"hybrid-mri": 0.01, "hqcnn-medmnist": 0.001}  # faster, some heads' inputs saturate
    rate = rates.get(system, 0.003)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(200):
        optimiser.zero_grad()
        logits = model(marked).logits
        if torch.equal(logits.argmax(1), labels):
            return
        F.cross_entropy(logits, labels).backward()
        optimiser.step()
    pytest.fail(f"{(logits.argmax(1) == labels).sum()} of 32 training images right")


@every_system
@every_variant
def test_compile_without_a_graph_break(system: str, variant: str) -> None:
    model = small(system, variant)
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    expected = tensors(model(images(system, 3)))
    for actual, value in zip(tensors(compiled(images(system, 3))), expected, strict=True):
        torch.testing.assert_close(actual, value)
    compiled(images(system, 3)).logits.sum().backward()
    first = next(model.parameters())
    assert first.grad is not None
    assert first.grad.count_nonzero() > 0


@every_system
def test_channels_last_and_autocast_are_close(system: str) -> None:
    model = small(system).eval()
    expected = model(images(system, 4)).logits
    other = model.to(memory_format=torch.channels_last)
    batch = images(system, 4).contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(other(batch).logits, expected, atol=1e-5, rtol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(other(batch).logits.float(), expected, atol=0.05, rtol=0)


@every_system
def test_repr_names_the_quantum_part(system: str) -> None:
    assert "(head): Quantum" in repr(small(system))


@every_system
def test_an_unknown_variant_is_a_recipe_error(system: str) -> None:
    with pytest.raises(RecipeError, match="densest"):
        small(system, "densest")
