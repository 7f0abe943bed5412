"""What the tests run in a process of its own, where Triton interprets its kernels on the CPU.

Triton decides at its first import whether it interprets, for a whole process.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medqnn.circuits import Circuit, gpu
from medqnn.circuits.gpu import launch, method


def prepare() -> None:
    """What the process does first."""
    os.environ["TRITON_INTERPRET"] = "1"
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", DeprecationWarning)  # as in pyproject.toml
    np.seterr(invalid="ignore", over="ignore")
    _patch_once()


def _patch_once() -> None:
    """Triton patches its language at every call of a function: once is enough, and twice as fast.

    Nothing else runs in this process that would want it back.
    """
    from triton.runtime import interpreter

    patch, done = interpreter._patch_lang, {}

    def once(fn: Any) -> SimpleNamespace:
        if id(fn.__globals__) not in done:
            done[id(fn.__globals__)] = patch(fn)
        return SimpleNamespace(restore=lambda: None)

    interpreter._patch_lang = once


def outcome(
    circuit: Circuit, inputs: Tensor, weights: Tensor, grad: Tensor, numbers: int = 16
) -> tuple[Tensor, ...]:
    """Values, and the gradients to inputs and weights, with so many amplitudes a tile."""
    launch.TILE_NUMBERS = dict.fromkeys(launch.TILE_NUMBERS, numbers)
    values, saved = gpu.evaluate(circuit, inputs, weights)
    return values, *gpu.gradients(circuit, saved, grad, inputs, weights)


def laid_out(
    layout: Callable[[Tensor], Tensor], circuit: Circuit, *arguments: Tensor
) -> tuple[Tensor, ...]:
    """``outcome`` of tensors in another layout, which they would lose on their way here."""
    return outcome(circuit, *map(layout, arguments))


def starts(circuit: Circuit, fault: str = "") -> bool:
    """Whether a first call would find the kernels fit, perhaps with a fault in one of them."""
    launch.TILE_NUMBERS = dict.fromkeys(launch.TILE_NUMBERS, 8)
    inputs, weights = torch.rand(1, 1, circuit.inputs), torch.rand(1, *circuit.weight_shape)
    if not fault:
        return method._start(circuit, inputs, weights)
    sound = getattr(launch, fault)

    def broken(form: launch.Form, *rest: Any) -> Any:
        return sound(form._replace(row_x=form.row_z, row_z=form.row_x), *rest)

    setattr(launch, fault, broken)
    try:
        return method._start(circuit, inputs, weights)
    finally:
        setattr(launch, fault, sound)
