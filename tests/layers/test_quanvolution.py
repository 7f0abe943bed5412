from __future__ import annotations

import copy
import math

import pennylane as qml
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from medqnn.errors import CircuitError
from medqnn.layers import QuantumConv2d

PAULI = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}
SIZES = st.integers(1, 3)


def seeded(*arguments: object, **options: object) -> QuantumConv2d:
    torch.manual_seed(0)
    return QuantumConv2d(*arguments, **options)


def pennylane_patch(layer: QuantumConv2d, pixels: Tensor, weights: Tensor) -> list[float]:
    """One circuit on one patch, its pixels row by row."""
    spec = layer.circuit
    count = spec.depth * spec.qubits * 3

    @qml.qnode(qml.device("default.qubit", wires=spec.qubits))
    def circuit() -> list[object]:
        for wire, pixel in enumerate(pixels.flatten()):
            qml.RY(pixel, wire)
        rotations = weights.flatten()[:count].reshape(spec.depth, spec.qubits, 3)
        qml.StronglyEntanglingLayers(rotations, range(spec.qubits))
        for pair, angles in enumerate(weights.flatten()[count:].reshape(-1, 3)):
            qml.CRot(*angles, wires=[2 * pair + 1, 2 * pair])
        wires = range(0, spec.qubits, 2 if spec.pooling else 1)
        return [qml.expval(PAULI[pauli](wire)) for pauli in spec.readouts for wire in wires]

    return [float(value) for value in circuit()]


@pytest.mark.parametrize(
    ("channels", "out", "kernel", "stride", "padding", "options"),
    [
        (1, 4, 2, 2, 0, {}),
        (2, 16, 2, 2, 1, {"depth": 1}),
        (2, 16, (1, 2), (2, 1), (1, 0), {"readouts": "ZX"}),
        (1, 4, (3, 1), 1, (2, 0), {"pooling": True}),
        (3, 6, 2, 3, 0, {"pooling": True}),
    ],
)
def test_every_patch_and_channel_is_pennylanes(
    channels: int, out: int, kernel: object, stride: object, padding: object, options: dict
) -> None:
    layer = seeded(channels, out, kernel, stride, padding, **options).double()
    images = torch.randn(2, channels, 4, 6, dtype=torch.float64)
    values = layer(images)
    (kernel_h, kernel_w), (stride_h, stride_w) = layer.kernel_size, layer.stride
    (pad_h, pad_w), each = layer.padding, layer.circuit.outputs
    padded = torch.zeros(2, channels, 4 + 2 * pad_h, 6 + 2 * pad_w, dtype=torch.float64)
    padded[:, :, pad_h : pad_h + 4, pad_w : pad_w + 6] = images
    per_channel = len(layer.weight) // channels
    last_row, last_column = values.shape[2] - 1, values.shape[3] - 1
    for image in range(2):
        for k, weights in enumerate(layer.weight.detach()):
            for row, column in ((0, 0), (0, last_column), (last_row, 0), (last_row, last_column)):
                top, left = row * stride_h, column * stride_w
                patch = padded[
                    image, k // per_channel, top : top + kernel_h, left : left + kernel_w
                ]
                expected = pennylane_patch(layer, patch, weights)
                actual = values[image, each * k : each * (k + 1), row, column]
                assert actual.tolist() == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    kernel=st.tuples(SIZES, SIZES).filter(lambda pair: math.prod(pair) <= 6),
    stride=st.tuples(SIZES, SIZES),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    size=st.tuples(st.integers(3, 8), st.integers(3, 8)),
    channels=st.integers(1, 3),
    per_channel=st.integers(1, 2),
    pooling=st.booleans(),
)
def test_shapes_are_those_of_conv2d(
    kernel: tuple,
    stride: tuple,
    padding: tuple,
    size: tuple,
    channels: int,
    per_channel: int,
    pooling: bool,
) -> None:
    qubits = math.prod(kernel)
    out = channels * per_channel * ((qubits + 1) // 2 if pooling else qubits)
    arguments = (channels, out, kernel, stride, padding)
    quantum = QuantumConv2d(*arguments, depth=1, pooling=pooling)
    classical = nn.Conv2d(*arguments)
    images = torch.randn(2, channels, *size, requires_grad=True)
    values = quantum(images)
    assert values.shape == classical(images).shape
    assert values.is_contiguous()
    assert values.abs().max() <= 1 + 1e-6
    values.square().sum().backward()
    torch.testing.assert_close(quantum(images[0]), values[0])


def test_one_number_stands_for_both_directions() -> None:
    one, two = QuantumConv2d(1, 4, 2, 2, 1), QuantumConv2d(1, 4, (2, 2), (2, 2), (1, 1))
    assert repr(one) == repr(two)


def test_pixels_outside_the_last_whole_patch_count_for_nothing() -> None:
    layer = seeded(1, 4, 2, 2)
    images = torch.randn(2, 1, 6, 8)
    wider = nn.functional.pad(images, (0, 1, 0, 1), value=9.0)
    torch.testing.assert_close(layer(wider), layer(images))


def test_gradcheck() -> None:
    layer = seeded(2, 8, 2, 2, 1, pooling=True).double()
    images = torch.randn(1, 2, 2, 2, dtype=torch.float64, requires_grad=True)

    def evaluate(images: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"weight": weight}, (images,))

    arguments = (images, layer.weight)
    assert torch.autograd.gradcheck(evaluate, arguments)
    assert torch.autograd.gradgradcheck(evaluate, arguments)


@pytest.mark.parametrize("stride", [1, 2])
def test_memory_formats_and_strides_change_nothing(stride: int) -> None:
    layer = seeded(3, 12, 2, stride)
    images = torch.randn(2, 3, 6, 6)
    expected = layer(images)
    for same in (images.contiguous(memory_format=torch.channels_last), images.mT.contiguous().mT):
        torch.testing.assert_close(layer(same), expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_computes_in_float32(dtype: torch.dtype) -> None:
    layer, images = seeded(1, 4, 2, 2), torch.randn(2, 1, 6, 6)
    with torch.autocast("cpu", dtype):
        assert torch.equal(layer(images), layer(images))
        values = layer(images)
    assert torch.equal(values, layer(images))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_to_another_dtype(dtype: torch.dtype) -> None:
    layer = seeded(1, 4, 2, 2).to(dtype)
    values = layer(torch.randn(2, 1, 6, 6, dtype=dtype))
    values.sum().backward()
    assert values.dtype == layer.weight.grad.dtype == dtype


@pytest.mark.parametrize("stride", [1, 2])
def test_compile_has_no_graph_break_and_gives_the_same(stride: int) -> None:
    layer, images = seeded(2, 8, 2, stride, 1), torch.randn(2, 2, 6, 6)
    torch.compiler.reset()
    chosen = torch.compile(layer, fullgraph=True, backend="aot_eager")
    results = []
    for module in (layer, chosen):
        layer.weight.grad = None
        values = module(images)
        values.square().sum().backward()
        results.append((values.detach(), layer.weight.grad))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("stride", [1, 2])
def test_an_empty_batch(stride: int) -> None:
    layer = QuantumConv2d(1, 4, 2, stride)
    values = layer(torch.zeros(0, 1, 6, 6))
    assert values.shape == (0, 4, 6 // stride - (stride == 1), 6 // stride - (stride == 1))
    values.sum().backward()
    assert layer.weight.grad.count_nonzero() == 0


def test_weights_are_angles_of_a_full_turn() -> None:
    layer = seeded(8, 64, 2, pooling=True)
    assert layer.weight.shape == (32, 2 * 4 * 3 + 2 * 3)
    assert layer.weight.min() >= 0
    assert 2 * math.pi - 0.1 < layer.weight.max() <= 2 * math.pi


def test_a_copy_gives_the_same_and_shares_nothing() -> None:
    layer, images = seeded(1, 4, 2), torch.randn(1, 1, 4, 4)
    other = copy.deepcopy(layer)
    assert torch.equal(other(images), layer(images))
    with torch.no_grad():
        other.weight += 1
    assert not torch.equal(other(images), layer(images))


def test_repr_is_conv2ds_and_the_circuit() -> None:
    assert repr(QuantumConv2d(2, 8, 2, stride=2)) == (
        "QuantumConv2d(2, 8, kernel_size=(2, 2), stride=(2, 2), depth=2, readouts='Z', "
        "entangler='cnot', pooling=False)"
    )
    assert ", padding=(1, 0), " in repr(QuantumConv2d(1, 4, 2, padding=(1, 0)))


@pytest.mark.parametrize(
    ("channels", "out", "pooling", "step"), [(2, 6, False, 8), (1, 0, False, 4), (3, 8, True, 6)]
)
def test_out_channels_that_do_not_divide_name_the_step(
    channels: int, out: int, pooling: bool, step: int
) -> None:
    with pytest.raises(CircuitError, match=rf"out_channels is {out}: give a multiple of {step}"):
        QuantumConv2d(channels, out, 2, pooling=pooling)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"kernel_size": 0}, "kernel_size is 0"),
        ({"kernel_size": (2, 2, 2)}, r"kernel_size is \(2, 2, 2\)"),
        ({"kernel_size": 4}, "kernel_size is 4: give at most 10"),
        ({"kernel_size": 2, "stride": (1, 0)}, r"stride is \(1, 0\)"),
        ({"kernel_size": 2, "padding": -1}, "padding is -1"),
        ({"kernel_size": 2, "in_channels": 0}, "in_channels is 0"),
    ],
)
def test_an_argument_out_of_range(options: dict, named: str) -> None:
    with pytest.raises(CircuitError, match=named):
        QuantumConv2d(**{"in_channels": 1, "out_channels": 4, **options})


@pytest.mark.parametrize("shape", [(2, 3, 6, 6), (6, 6), (1, 2, 1, 6, 6), (3, 6, 6)])
def test_an_input_of_another_shape_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(CircuitError) as caught:
        QuantumConv2d(2, 8, 2)(torch.zeros(shape))
    assert str(shape) in str(caught.value)
    assert "(B, 2, H, W)" in str(caught.value)


def test_an_image_smaller_than_the_kernel() -> None:
    with pytest.raises(CircuitError, match=r"1×6 pixels.*\(2, 2\)"):
        QuantumConv2d(1, 4, 2)(torch.zeros(1, 1, 1, 6))
