from __future__ import annotations

import copy
import math
import pickle
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from medqnn.circuits import Circuit, expectations
from medqnn.errors import CircuitError
from medqnn.layers import QuantumLayer


def network() -> nn.Sequential:
    """A quantum layer beside dense ones, always with the same weights."""
    torch.manual_seed(0)
    quantum = QuantumLayer(3, circuits=2, readouts="YZ")
    return nn.Sequential(nn.Linear(5, 16), quantum, nn.Linear(quantum.out_features, 3))


@pytest.mark.parametrize(
    ("arguments", "widths"),
    [
        ({"qubits": 5, "circuits": 5}, (160, 25)),
        ({"qubits": 4, "depth": 3, "embedding": "angle", "readouts": "Z"}, (4, 4)),
        ({"qubits": 3, "circuits": 2, "embedding": "angle", "readouts": "XYZ"}, (6, 18)),
        ({"qubits": 1, "circuits": 3}, (6, 3)),
    ],
)
@pytest.mark.parametrize("lead", [(), (4,), (0,), (2, 3)])
def test_widths(arguments: dict, widths: tuple[int, int], lead: tuple[int, ...]) -> None:
    layer = QuantumLayer(**arguments)
    assert (layer.in_features, layer.out_features) == widths
    assert layer(torch.randn(*lead, widths[0])).shape == (*lead, widths[1])


def test_sub_vectors_are_consecutive_and_outputs_ordered_by_circuit() -> None:
    layer = QuantumLayer(3, circuits=2, readouts="YZ")
    inputs = torch.randn(4, 16)
    outputs = layer(inputs)
    for k in range(2):
        one = expectations(layer.circuit, inputs[:, None, 8 * k : 8 * k + 8], layer.weight[k, None])
        torch.testing.assert_close(outputs[:, 6 * k : 6 * k + 6], one[:, 0])


def test_weights_are_angles_of_a_full_turn_drawn_uniformly() -> None:
    torch.manual_seed(0)
    weight = QuantumLayer(8, circuits=20, depth=5).weight.detach()
    assert weight.shape == (20, 5, 8, 3)
    assert weight.min() >= 0
    assert weight.max() <= 2 * math.pi
    counts = weight.histc(bins=8, min=0, max=2 * math.pi)
    assert (counts / weight.numel() - 1 / 8).abs().max() < 0.03


def test_ry_rz_strong_has_five_weights_a_qubit() -> None:
    layer = QuantumLayer(4, 2, 3, "angle", "Z", ansatz="ry_rz_strong")
    assert layer.weight.shape == (2, 3, 4, 5)
    inputs = torch.randn(3, 8)
    expected = expectations(layer.circuit, inputs.view(3, 2, 4), layer.weight)
    torch.testing.assert_close(layer(inputs), expected.flatten(1))


@pytest.mark.parametrize(
    ("ansatz", "shape"),
    [("basic", (2, 4)), ("hardware_efficient", (2, 4, 2)), ("real_amplitudes", (2, 4))],
)
@pytest.mark.parametrize("embedding", ["amplitude", "angle", "angle_x", "angle_z", "iqp"])
def test_every_ansatz_and_embedding_trains(
    embedding: str, ansatz: str, shape: tuple[int, ...]
) -> None:
    layer = QuantumLayer(4, 3, 2, embedding, "XZ", ansatz=ansatz)
    assert layer.weight.shape == (3, *shape)
    inputs = torch.randn(8, layer.in_features, requires_grad=True)
    outputs = layer(inputs)
    outputs.square().sum().backward()
    assert outputs.abs().max() <= 1 + 1e-5
    assert inputs.grad.count_nonzero() > 0
    assert layer.weight.grad.count_nonzero() > 0


def test_what_only_some_circuits_have_is_handed_on() -> None:
    layer = QuantumLayer(
        3, 1, 2, "iqp", "Z", "cz", "hardware_efficient", reupload=True, coupling=[[0, 2]]
    )
    assert layer.circuit == Circuit(
        3, 2, "iqp", "Z", "cz", "hardware_efficient", reupload=True, coupling=((0, 2),)
    )
    assert repr(layer).endswith(
        "entangler='cz', ansatz='hardware_efficient', reupload=True, coupling=((0, 2),))"
    )


@pytest.mark.parametrize("embedding", ["amplitude", "angle"])
def test_a_readout_that_is_always_zero_is_refused(embedding: str) -> None:
    with pytest.raises(CircuitError, match=r"'ZY'.*every Y of a real state is 0.*'XZ'"):
        QuantumLayer(3, embedding=embedding, readouts="ZY", ansatz="real_amplitudes")
    values = expectations(
        Circuit(3, 2, embedding, "Y", ansatz="real_amplitudes"),
        torch.randn(4, 1, 8 if embedding == "amplitude" else 3),
        torch.randn(1, 2, 3),
    )
    assert values.abs().max() < 1e-6
    assert QuantumLayer(3, embedding="angle_x", ansatz="real_amplitudes").out_features == 3


def test_the_circuits_are_evaluated_as_the_layer_is_told() -> None:
    layer = QuantumLayer(3, circuits=2)
    exact = layer(torch.ones(4, 16))
    layer.evaluate = lambda *arguments: 0.5 * expectations(*arguments)
    torch.testing.assert_close(layer(torch.ones(4, 16)), 0.5 * exact)


def test_repr_shows_widths_and_circuit() -> None:
    layer = QuantumLayer(4, circuits=2, depth=3, embedding="angle", readouts="ZX", entangler="cz")
    assert repr(layer) == (
        "QuantumLayer(in_features=8, out_features=16, circuits=2, qubits=4, depth=3, "
        "embedding='angle', readouts='ZX', entangler='cz', ansatz='strong')"
    )


def test_copies_and_files_give_the_same_outputs(tmp_path: Path) -> None:
    model, inputs = network(), torch.randn(4, 5)
    expected = model(inputs)
    assert torch.equal(copy.deepcopy(model)(inputs), expected)
    assert torch.equal(pickle.loads(pickle.dumps(model))(inputs), expected)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    other = network()
    other[1].reset_parameters()
    assert not torch.equal(other(inputs), expected)
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert torch.equal(other(inputs), expected)


def test_a_copy_shares_nothing() -> None:
    layer = QuantumLayer(3)
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.weight += 1
    assert not torch.equal(layer.weight, other.weight)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_to_another_dtype(dtype: torch.dtype) -> None:
    model = network().to(dtype)
    outputs = model(torch.randn(4, 5, dtype=dtype))
    outputs.square().sum().backward()
    assert outputs.dtype == dtype
    assert model[1].weight.grad.dtype == dtype
    assert model[1].weight.grad.isfinite().all()


def test_trains_inside_a_network_under_autocast() -> None:
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    inputs = torch.randn(32, 5, generator=torch.Generator().manual_seed(0))
    labels = (inputs[:, 0] > 0).long() + (inputs[:, 1] > 0).long()
    losses = []
    for _ in range(80):
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("width", [15, 17, 8])
def test_a_wrong_width_names_both(width: int) -> None:
    with pytest.raises(CircuitError, match=rf"{width} features.*2 circuits.*16"):
        QuantumLayer(3, circuits=2)(torch.zeros(4, width))


@pytest.mark.parametrize("circuits", [0, -1])
def test_at_least_one_circuit(circuits: int) -> None:
    with pytest.raises(CircuitError, match=f"circuits is {circuits}: give at least 1"):
        QuantumLayer(3, circuits=circuits)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return torch.randn(8, 5, generator=random), torch.randn(8, 3, generator=random)


def train_a_step(rank: int, folder: Path) -> None:
    """One of two processes: the gradient of its half of the batch, averaged with the other's."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    model = DistributedDataParallel(network())
    inputs, targets = (part[rank::2] for part in batch())
    nn.functional.mse_loss(model(inputs), targets).backward()
    torch.save([p.grad for p in model.parameters()], folder / f"{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_give_the_gradient_of_one_on_the_whole_batch(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(train_a_step, (tmp_path,), nprocs=2)
    model = network()
    inputs, targets = batch()
    nn.functional.mse_loss(model(inputs), targets).backward()
    expected = [p.grad for p in model.parameters()]
    for rank in range(2):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt"), expected)
