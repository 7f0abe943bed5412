"""The memory that a thread's calls work in, one after the other."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor

from medqnn.circuits import Circuit, native
from medqnn.circuits.native import method as chosen

from .. import oracle


@pytest.mark.parametrize("kernel", ["states", "matrix"])
def test_what_a_call_leaves_in_the_memory_it_worked_in_reaches_no_later_one(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chosen, "kernel", lambda circuit, images: kernel)
    circuit = Circuit(3, 2)
    inputs, weights, grad = oracle.draw(circuit, circuits=2, batch=5, seed=0)

    def found() -> list[Tensor]:
        values, saved = native.evaluate(circuit, inputs, weights)
        return [values, *native.gradients(circuit, saved, grad, inputs, weights)]

    expected = found()
    nothing = torch.full((70, *inputs.shape[1:]), torch.nan, dtype=inputs.dtype)
    values, saved = native.evaluate(circuit, nothing, weights * torch.nan)
    native.gradients(circuit, saved, torch.full_like(values, torch.nan), nothing, weights)
    assert values.isnan().all()
    assert all(map(torch.equal, found(), expected))


def test_much_memory_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, weights, _ = oracle.draw(Circuit(3, 2), circuits=2, batch=5, seed=0)
    monkeypatch.setattr(chosen, "_own", threading.local())
    monkeypatch.setattr(chosen, "MOST_KEPT", 100)
    native.evaluate(Circuit(3, 2), inputs, weights)
    assert not hasattr(chosen._own, "scratch")
    monkeypatch.undo()
    native.evaluate(Circuit(3, 2), inputs, weights)
    kept = chosen._own.scratch.data_ptr()
    native.evaluate(Circuit(2, 1), inputs[..., :4], weights[:, :1, :2])
    assert chosen._own.scratch.data_ptr() == kept
