"""Machine code as bytes does what machine code in this process does."""

from __future__ import annotations

import mmap
import struct

import pytest
import torch

from medqnn.kernels import loading
from medqnn.kernels.code import Code, Pointer, Value
from medqnn.kernels.contract import ARGUMENTS
from medqnn.kernels.machine import Machine, image

pytestmark = pytest.mark.skipif(not loading._images_run(), reason="images need Linux on x86-64")


def recorded(**bodies: object) -> Code:
    code = Code(64)
    for name, kinds in ARGUMENTS.items():
        code.record(name, kinds, bodies[name])
    return code


def half_of_all(code: Code, table: Pointer, into: Pointer, *rest: Pointer | Value) -> None:
    """Constants, a loop, and zeros that a compiler would leave to the C library."""
    for i in code.range(0, 1024, code.lanes):
        into.put(i, code.splat(0.0))
    into[0] = into[0] + code.real(0.5) * code.real(3.0)


def three(code: Code, table: Pointer, into: Pointer, *rest: Pointer | Value) -> None:
    into[1] = code.real(3.0)


def test_an_image_runs_wherever_it_lies() -> None:
    code = recorded(forward=half_of_all, backward=three)
    bytes_ = image(code)
    here = {name: Machine(code).function(name) for name in ARGUMENTS}
    first, second = loading.mapped(bytes_), loading.mapped(bytes_)
    for functions in (here, first, second):
        numbers = torch.full((1024,), 7.0, dtype=torch.float64)
        for name, kinds in ARGUMENTS.items():
            functions[name](0, numbers.data_ptr(), *[0] * (len(kinds) - 2))
        assert numbers[:2].tolist() == [1.5, 3.0]
        assert not numbers[2:].any()


def test_an_image_says_where_its_functions_begin() -> None:
    bytes_ = image(recorded(forward=half_of_all, backward=three))
    forward, backward = struct.unpack_from("<2q", bytes_)
    assert 16 <= forward < backward < len(bytes_)
    assert len(bytes_) < mmap.PAGESIZE


def test_what_calls_a_library_is_no_image() -> None:
    def sines(code: Code, table: Pointer, into: Pointer, *rest: Pointer | Value) -> None:
        into.put(0, code._intrinsic("sin", into.vector()))

    with pytest.raises(RuntimeError, match="outside itself"):
        image(recorded(forward=sines, backward=three))
