"""On a GPU, where there is one"""

from __future__ import annotations

import pytest
import torch

from medqnn.circuits import Circuit, gpu, statevector

from .. import oracle

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
CIRCUITS = [
    Circuit(1, 1, "angle", "Z"),
    Circuit(4, 3, "angle", "XYZ", "cz", "ry_rz_strong", pooling=True, reupload=True),
    Circuit(5, 2),
    Circuit(6, 2, "angle_z", "XZ", ansatz="hardware_efficient"),
    Circuit(8, 2, "amplitude", "Z"),
    Circuit(9, 1, "angle_x", "Y"),
]


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_the_cpus(circuit: Circuit, dtype: torch.dtype) -> None:
    if circuit.dimension * dtype.itemsize > 4 * 2**gpu.MAX_QUBITS:
        pytest.skip("too wide for this dtype")
    inputs, weights, grad = oracle.draw(circuit, circuits=3, batch=200, seed=0)
    values, kept = statevector.evaluate(circuit, inputs, weights)
    theirs = values, *statevector.gradients(circuit, kept, grad, inputs, weights)
    inputs, weights, grad = (tensor.to("cuda", dtype) for tensor in (inputs, weights, grad))
    assert gpu.serves(circuit, inputs, weights)
    values, saved = gpu.evaluate(circuit, inputs, weights)
    ours = values, *gpu.gradients(circuit, saved, grad, inputs, weights)
    again = gpu.gradients(circuit, saved, grad, inputs, weights)
    assert all(map(torch.equal, ours[1:], again))
    tolerance = {torch.float32: 1e-4, torch.float64: 1e-10}[dtype]
    for one, other in zip(ours, theirs, strict=True):
        scale = other.abs().max().clamp_min(1.0).item()
        torch.testing.assert_close(one.cpu().double(), other, atol=tolerance * scale, rtol=0.0)
