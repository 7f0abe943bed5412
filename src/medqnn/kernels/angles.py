"""Cosine and sine of vectors in machine code, without a library of functions.

In double precision: the nearest multiple of π/2 is taken off, in three parts of which two are exact
up to a million radians, and the rest, at most π/4, goes into Taylor's series. Angles so large that
their own rounding is radians give the cosine and sine of some angle, as they do in any library.
"""

from __future__ import annotations

import math
from fractions import Fraction

from llvmlite import ir

from medqnn.kernels.code import INTEGER, Code, Value

_ROUND = 1.5 * 2.0**52
"""Added to a double it leaves the nearest integer, and this in the lowest bits."""

_QUARTER = Fraction("1.5707963267948966192313216916397514420985846996875529")
"""π/2 to 52 decimals."""

TERMS = {32: 6, 64: 9}
"""Terms of each series for reals of so many bits; what is left out is below rounding."""


def cosine_and_sine(code: Code, angle: Value) -> tuple[Value, Value]:
    """Of a vector of reals; NaN and infinities give NaN."""
    builder, kind = code.builder, ir.VectorType(ir.DoubleType(), code.lanes)
    narrow = angle.value.type != kind
    x = code.wrap(builder.fpext(angle.value, kind)) if narrow else angle
    shifted = x * code.splat(2.0 / math.pi, x) + code.splat(_ROUND, x)
    quarters = shifted - code.splat(_ROUND, x)
    for part in _parts():
        x = code.fused(quarters, code.splat(-part, x), x)
    x = code.clamped(x, 1.0)
    square, terms = x * x, TERMS[8 * code.bytes]
    cos = _series(code, square, [(-1.0) ** i / math.factorial(2 * i) for i in range(terms)])
    sin = x * _series(code, square, [(-1.0) ** i / math.factorial(2 * i + 1) for i in range(terms)])
    cos, sin = _in_quadrant(code, shifted, cos, sin)
    if narrow:
        cos, sin = (code.wrap(builder.fptrunc(v.value, angle.value.type)) for v in (cos, sin))
    return cos, sin


def _parts() -> list[float]:
    """π/2 as a sum of doubles of which the first two have 33 bits each."""
    first = Fraction(math.floor(_QUARTER * 2**32), 2**32)
    second = Fraction(math.floor((_QUARTER - first) * 2**66), 2**66)
    return [float(first), float(second), float(_QUARTER - first - second)]


def _series(code: Code, square: Value, coefficients: list[float]) -> Value:
    total = code.splat(coefficients[-1], square)
    for coefficient in coefficients[-2::-1]:
        total = code.fused(total, square, code.splat(coefficient, square))
    return total


def _in_quadrant(code: Code, shifted: Value, cos: Value, sin: Value) -> tuple[Value, Value]:
    """Turned by the quarters in the lowest bits: odd ones exchange the two, some change signs."""
    builder = code.builder
    integers = ir.VectorType(INTEGER, code.lanes)
    quarters = builder.bitcast(shifted.value, integers)

    def bit(number: ir.Value, place: int) -> ir.Value:
        masked = builder.and_(number, ir.Constant(integers, [1 << place] * code.lanes))
        return builder.icmp_signed("!=", masked, ir.Constant(integers, [0] * code.lanes))

    def signed(number: ir.Value, flag: ir.Value) -> Value:
        return code.wrap(builder.select(flag, builder.fneg(number), number))

    odd, behind = bit(quarters, 0), bit(quarters, 1)
    turned = builder.select(odd, sin.value, cos.value), builder.select(odd, cos.value, sin.value)
    return signed(turned[0], builder.xor(odd, behind)), signed(turned[1], behind)
