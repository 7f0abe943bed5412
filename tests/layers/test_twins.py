from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pennylane as qml
import pytest
import torch
from torch import Tensor, nn

from medqnn.errors import RecipeError
from medqnn.layers import VARIANTS, MatchedLinear, QuantumLayer, head

SAME_WIDTH = sorted(set(VARIANTS) - {"none"})


def hqcm_layer() -> QuantumLayer:
    torch.manual_seed(0)
    return QuantumLayer(5, circuits=5, depth=2)


def trainable(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def test_the_variants_are_the_hybrid_and_five_twins() -> None:
    assert set(VARIANTS) == {"hybrid", "dense", "matched", "product", "frozen", "none"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_output_has_the_width_that_head_tells(variant: str) -> None:
    module, width = head(variant, hqcm_layer())
    assert width == (160 if variant == "none" else 25)
    outputs = module(torch.rand(3, 160))
    assert outputs.shape == (3, width)
    if variant != "none":
        assert outputs.abs().max() <= 1


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("hybrid", 150),
        ("dense", 160 * 25 + 25),
        ("matched", 150),
        ("product", 150),
        ("frozen", 0),
        ("none", 0),
    ],
)
def test_trainable_parameters_in_hqcm_ebtc(variant: str, parameters: int) -> None:
    assert trainable(head(variant, hqcm_layer())[0]) == parameters


@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"none", "frozen"}))
def test_gradient_reaches_every_parameter(variant: str) -> None:
    module, _ = head(variant, hqcm_layer())
    inputs = torch.randn(8, 160, requires_grad=True)
    module(inputs).square().sum().backward()
    assert inputs.grad.count_nonzero() > 0
    for parameter in module.parameters():
        assert parameter.grad.count_nonzero() > 0


def test_frozen_is_the_hybrid_untrained() -> None:
    layer = hqcm_layer()
    frozen, _ = head("frozen", hqcm_layer())
    inputs = torch.randn(4, 160, requires_grad=True)
    outputs = frozen(inputs)
    assert torch.equal(outputs, layer(inputs))
    outputs.sum().backward()
    assert inputs.grad.count_nonzero() > 0
    assert all(p.grad is None for p in frozen.parameters())


@pytest.mark.parametrize("variant", SAME_WIDTH)
def test_the_networks_other_weights_are_alike(variant: str) -> None:
    def rest(variant: str) -> tuple[Tensor, Tensor]:
        layer = hqcm_layer()
        _, width = head(variant, layer)
        return nn.Linear(width, 4).weight, torch.rand(3)

    for one, other in zip(rest(variant), rest("hybrid"), strict=True):
        assert torch.equal(one, other)


def product_expectations(inputs: np.ndarray, weights: np.ndarray) -> list[float]:
    """⟨Y⟩ of PennyLane's circuit of rotations alone, which never entangle."""
    depth, qubits, _ = weights.shape

    @qml.qnode(qml.device("default.qubit", wires=qubits))
    def circuit() -> list[object]:
        qml.AmplitudeEmbedding(inputs, range(qubits), normalize=True)
        for layer in range(depth):
            for wire in range(qubits):
                qml.Rot(*weights[layer, wire], wires=wire)
        return [qml.expval(qml.PauliY(wire)) for wire in range(qubits)]

    return circuit()


def test_product_is_the_circuit_without_its_entangling_gates() -> None:
    layer = hqcm_layer().double()
    module, _ = head("product", layer)
    assert torch.equal(module.weight, layer.weight)
    inputs = torch.randn(2, 160, dtype=torch.float64)
    outputs = module(inputs).detach().numpy().reshape(2, 5, 5)
    grouped, weights = inputs.numpy().reshape(2, 5, 32), layer.weight.detach().numpy()
    for image in range(2):
        for k in range(5):
            expected = product_expectations(grouped[image, k], weights[k])
            np.testing.assert_allclose(outputs[image, k], expected, atol=1e-12)


def test_a_qubits_value_in_the_product_depends_on_its_own_weights_alone() -> None:
    for variant, entangled in (("product", False), ("hybrid", True)):
        module, _ = head(variant, QuantumLayer(3, depth=2))
        inputs = torch.randn(4, 8)
        before = module(inputs).detach()
        with torch.no_grad():
            module.weight[:, :, 0] += 1.0
        change = (module(inputs).detach() - before).abs().amax(dim=0)
        assert change[0] > 1e-2
        assert (change[1:] > 1e-3).any() == entangled


FORMS = [
    QuantumLayer(3, 2, 2, "angle_x", "Z", ansatz="basic"),
    QuantumLayer(3, 2, 2, "angle_z", "XZ", ansatz="real_amplitudes"),
    QuantumLayer(3, 2, 2, "iqp", "Y", ansatz="hardware_efficient", coupling=((2, 0), (0, 1))),
    QuantumLayer(3, 2, 1, "angle", "XYZ", ansatz="basic"),
]


@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"none"}))
@pytest.mark.parametrize("layer", FORMS, ids=repr)
def test_every_form_of_circuit_has_its_twins(layer: QuantumLayer, variant: str) -> None:
    module, width = head(variant, copy.deepcopy(layer))
    outputs = module(torch.randn(4, layer.in_features))
    assert outputs.shape == (4, width)
    assert outputs.abs().max() <= 1 + 1e-5
    if variant == "product":
        assert module.circuit == replace(layer.circuit, entangler="none")


def test_a_circuit_with_fewer_weights_than_outputs_is_matched_by_one_number() -> None:
    layer = FORMS[-1]
    assert (trainable(layer), trainable(MatchedLinear(layer))) == (6, 18)


def test_product_leaves_the_hybrid_as_it_was() -> None:
    layer = hqcm_layer()
    head("product", layer)
    assert layer.circuit.entangler == "cnot"


@pytest.mark.parametrize(
    "layer",
    [
        QuantumLayer(5, 5, 2),
        QuantumLayer(5, 5, 6),
        QuantumLayer(4, 2, 3, "angle", "Z"),
        QuantumLayer(3, 2, 1, "amplitude", "XYZ"),
        QuantumLayer(2, 1, 2, "angle", "ZX"),
    ],
    ids=repr,
)
def test_matched_never_has_more_parameters_and_falls_short_by_less_than_one_rank(
    layer: QuantumLayer,
) -> None:
    matched = MatchedLinear(layer)
    spare = trainable(layer) - trainable(matched)
    rank_one = layer.circuits * (layer.circuit.inputs + layer.circuit.outputs)
    assert 0 <= spare < rank_one
    assert matched(torch.randn(3, layer.in_features)).shape == (3, layer.out_features)


@pytest.mark.parametrize("depth", [2, 6])
def test_matched_maps_each_group_by_itself(depth: int) -> None:
    layer = QuantumLayer(5, 3, depth)
    matched = MatchedLinear(layer)
    inputs = torch.randn(4, 96)
    outputs = matched(inputs).detach()
    inputs[:, 32:64] = 0
    changed = matched(inputs).detach() != outputs
    assert changed[:, 5:10].all()
    assert not changed[:, :5].any()
    assert not changed[:, 10:].any()


def test_matched_with_too_few_weights_for_rank_one_averages_first() -> None:
    matched = MatchedLinear(hqcm_layer())
    inputs = torch.randn(2, 160)
    edges = [(32 * i // 6, -(-32 * (i + 1) // 6)) for i in range(6)]
    groups = inputs.view(2, 5, 32)
    averaged = torch.stack([groups[..., a:b].mean(-1) for a, b in edges], dim=-1)
    expected = torch.stack([averaged[:, k] @ matched.up[k] for k in range(5)], dim=1)
    torch.testing.assert_close(matched(inputs), expected.flatten(1).tanh())


def test_matched_is_low_rank_where_its_weights_suffice() -> None:
    matched = MatchedLinear(QuantumLayer(5, 5, 6))
    assert matched.down.shape == (5, 32, 2)
    inputs = torch.randn(2, 160)
    groups = inputs.view(2, 5, 32)
    expected = [groups[:, k] @ matched.down[k] @ matched.up[k] for k in range(5)]
    torch.testing.assert_close(matched(inputs), torch.cat(expected, dim=1).tanh())


def test_an_unknown_variant_lists_the_known() -> None:
    with pytest.raises(RecipeError) as caught:
        head("densest", hqcm_layer())
    assert "'densest'" in str(caught.value)
    assert all(variant in str(caught.value) for variant in VARIANTS)
