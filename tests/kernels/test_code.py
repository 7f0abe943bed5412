"""Recorded functions do what the Python that recorded them says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from medqnn.kernels.angles import cosine_and_sine
from medqnn.kernels.code import Code, Pointer, Value, Variable
from medqnn.kernels.machine import Machine
from medqnn.kernels.tile import product

DTYPES = {torch.float32: 32, torch.float64: 64}


def run(kinds: str, body: object, *arguments: Tensor | int) -> None:
    """Record a function of reals as wide as the first argument's, and call it."""
    code = Code(DTYPES[arguments[0].dtype])
    code.record("body", kinds, body)
    given = [a.data_ptr() if isinstance(a, Tensor) else a for a in arguments]
    Machine(code).function("body")(*given)


def turned(code: Code, angles: Pointer, cosines: Pointer, sines: Pointer, count: Value) -> None:
    for i in code.range(0, count, code.lanes):
        cos, sin = cosine_and_sine(code, angles.vector(i))
        cosines.put(i, cos)
        sines.put(i, sin)


def cosines_and_sines(angles: Tensor) -> tuple[Tensor, Tensor]:
    cosines, sines = torch.empty_like(angles), torch.empty_like(angles)
    run("pppn", turned, angles, cosines, sines, len(angles))
    return cosines, sines


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("most", [1e-6, 1.0, 10.0, 1e3, 1e6])
def test_cosine_and_sine_are_numpys_to_rounding(dtype: torch.dtype, most: float) -> None:
    angles = most * torch.linspace(-1, 1, 4096, dtype=torch.float64).to(dtype)
    for ours, function in zip(cosines_and_sines(angles), (np.cos, np.sin), strict=True):
        exact = torch.from_numpy(function(angles.double().numpy()))
        assert (ours.double() - exact).abs().max() <= 2.0 * torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_cosine_and_sine_at_every_quarter_turn(dtype: torch.dtype) -> None:
    quarters = torch.arange(-32, 32, dtype=torch.float64)
    beside = torch.tensor([-0.1, 0.1], dtype=torch.float64)
    angles = (quarters[:, None] * math.pi / 2 + beside).flatten().to(dtype)
    cosines, sines = cosines_and_sines(angles)
    tolerance = 2.0 * torch.finfo(dtype).eps
    torch.testing.assert_close(cosines, angles.cos(), atol=tolerance, rtol=0.0)
    torch.testing.assert_close(sines, angles.sin(), atol=tolerance, rtol=0.0)


def test_cosine_and_sine_of_extremes() -> None:
    zero = torch.zeros(8, dtype=torch.float64)
    cosines, sines = cosines_and_sines(zero)
    assert torch.equal(cosines, zero + 1)
    assert torch.equal(sines, zero)
    strange = zero + torch.tensor(
        [math.nan, math.inf, -math.inf, 1e18, -1e18, 1e300, 1e100, 3.0], dtype=torch.float64
    )
    found = cosines_and_sines(strange)
    for values in found:
        assert values[:3].isnan().all()
        assert (values[3:].abs() <= 1.0).all()
    assert torch.allclose(found[0][3:] ** 2 + found[1][3:] ** 2, zero[3:] + 1, atol=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("add", [False, True])
def test_a_product_is_numpys(dtype: torch.dtype, add: bool) -> None:
    rows, terms, columns = 16, 5, 32
    random = torch.Generator().manual_seed(0)
    left, right, into = (
        torch.randn(shape, generator=random, dtype=dtype)
        for shape in ((terms, rows), (terms, columns), (rows, columns))
    )
    expected = left.T @ right + into * add

    def body(code: Code, a: Pointer, b: Pointer, c: Pointer, *sizes: Value) -> None:
        product(code, (a, 1, sizes[0]), (b, sizes[2]), (c, sizes[2]), sizes, add)

    run("pppnnn", body, left, right, into, rows, terms, columns)
    torch.testing.assert_close(into, expected)


def test_loops_sums_and_ways() -> None:
    def body(code: Code, into: Pointer, count: Value, flag: Value) -> None:
        total = Variable(code, code.real(0.0))
        for i in code.range(0, count, 3):
            for j in code.range(i, count):
                into[j] = into[j] + code.real(1.0)
            total.set(total.get() - code.real(2.0))
        with code.either(flag) as (yes, no):
            with yes:
                into[count] = total.get()
            with no:
                into[count] = -total.get()

    for count, flag in ((0, 1), (1, 0), (7, 1)):
        found = torch.zeros(count + 1)
        run("pnn", body, found, count, flag)
        starts = range(0, count, 3)
        counted = [float(sum(start <= j for start in starts)) for j in range(count)]
        assert found.tolist() == [*counted, (-2.0 if flag else 2.0) * len(starts)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_totals_and_inverse_roots(dtype: torch.dtype) -> None:
    lanes = 64 // dtype.itemsize
    numbers = torch.arange(lanes, dtype=dtype) - 2.0
    numbers[3] = torch.nan

    def body(code: Code, source: Pointer, into: Pointer, sums: Pointer) -> None:
        into.put(0, code.inverse_root(source.vector(), 1.0))
        sums[0] = code.total(code.splat(source[5]) + code.splat(1.0))

    roots, sums = torch.empty(lanes, dtype=dtype), torch.empty(1, dtype=dtype)
    run("ppp", body, numbers, roots, sums)
    torch.testing.assert_close(roots, numbers.clamp_min(1.0).rsqrt(), equal_nan=True)
    assert sums.item() == 4.0 * lanes
