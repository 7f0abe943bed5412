"""Machine code from Python functions: what they do with these values is recorded as LLVM's code.

A kernel is a Python function over ``Value`` and ``Pointer``; it runs once, while it is recorded.
``for i in code.range(n)`` records a loop whose body is written once. Python's own loops unroll.
Vectors are explicit, 64 bytes each, so speed does not hang on what a compiler makes of a loop; a
processor with shorter ones uses several. Multiplications followed by an addition are fused where
the processor can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import binding, ir

from medqnn.kernels.contract import VECTOR_BITS

INTEGER = ir.IntType(64)
_INT32 = ir.IntType(32)


class Value:
    """A number under record: an int64, a real, or a vector of reals."""

    def __init__(self, code: Code, value: ir.Value) -> None:
        self.code, self.value = code, value

    def __add__(self, other: Value | int) -> Value:
        return self._combined("add", other)

    def __sub__(self, other: Value | int) -> Value:
        return self._combined("sub", other)

    def __mul__(self, other: Value | int) -> Value:
        return self._combined("mul", other)

    def __rshift__(self, other: Value | int) -> Value:
        return self.code.wrap(self.code.builder.lshr(self.value, self.code.integer(other).value))

    def __lshift__(self, other: Value | int) -> Value:
        return self.code.wrap(self.code.builder.shl(self.value, self.code.integer(other).value))

    def __and__(self, other: Value | int) -> Value:
        return self.code.wrap(self.code.builder.and_(self.value, self.code.integer(other).value))

    def __rmul__(self, other: int) -> Value:
        return self * other

    def __neg__(self) -> Value:
        return self.code.wrap(self.code.builder.fneg(self.value))

    def _combined(self, operation: str, other: Value | int) -> Value:
        if self.value.type == INTEGER:
            other, name = self.code.integer(other), operation
        else:
            assert isinstance(other, Value)
            name = "f" + operation
        return self.code.wrap(getattr(self.code.builder, name)(self.value, other.value))

    def minimum(self, other: Value) -> Value:
        """The lesser of two integers."""
        builder = self.code.builder
        less = builder.icmp_signed("<", self.value, other.value)
        return self.code.wrap(builder.select(less, self.value, other.value))


class Pointer:
    """The address of numbers of one type in memory."""

    def __init__(self, code: Code, address: ir.Value, kind: ir.Type) -> None:
        self.code, self.address, self.kind = code, address, kind

    def __add__(self, index: Value | int) -> Pointer:
        step = [self.code.integer(index).value]
        moved = self.code.builder.gep(self.address, step, source_etype=self.kind)
        return Pointer(self.code, moved, self.kind)

    def __getitem__(self, index: Value | int) -> Value:
        return self.code.wrap(self.code.builder.load((self + index).address, typ=self.kind))

    def __setitem__(self, index: Value | int, value: Value) -> None:
        self.code.builder.store(value.value, (self + index).address)

    def vector(self, index: Value | int = 0) -> Value:
        """The vector that begins here."""
        code = self.code
        address = (self + index).address
        return code.wrap(code.builder.load(address, typ=code.vector_type, align=code.bytes))

    def put(self, index: Value | int, vector: Value) -> None:
        """Store a vector."""
        self.code.builder.store(vector.value, (self + index).address, align=self.code.bytes)


class Variable:
    """A number that changes, as in a sum over a loop."""

    def __init__(self, code: Code, initial: Value) -> None:
        self._code, self._type = code, initial.value.type
        with code.builder.goto_entry_block():
            self._slot = code.builder.alloca(self._type)
        self.set(initial)

    def get(self) -> Value:
        """Its value now."""
        return self._code.wrap(self._code.builder.load(self._slot, typ=self._type))

    def set(self, value: Value) -> None:
        """Change it."""
        self._code.builder.store(value.value, self._slot)


class Code:
    """Functions under record, for reals of 32 or 64 bits."""

    builder: ir.IRBuilder

    def __init__(self, bits: int) -> None:
        self.bytes = bits // 8
        self.lanes = VECTOR_BITS // bits
        # sums that fit into registers: 32 of 64 bytes, or else 16 of 32 bytes, 32 of 16 bytes
        self.block = 8 if binding.get_host_cpu_features().get("avx512f", False) else 4
        self.real_type = ir.FloatType() if bits == 32 else ir.DoubleType()
        self.vector_type = ir.VectorType(self.real_type, self.lanes)
        self._pointees = {"p": self.real_type, "i": INTEGER}
        self.module = ir.Module("medqnn")

    def record(self, name: str, kinds: str, body: Callable[..., None]) -> None:
        """Record a function; a letter an argument: ``n`` int64, ``p`` reals, ``i`` int64s."""
        pointer = ir.PointerType()
        types = [INTEGER if kind == "n" else pointer for kind in kinds]
        function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), types), name)
        function.attributes.add("nounwind")
        set.add(function.attributes, '"no-builtins"')  # loops are not to become calls of memset
        self.builder = ir.IRBuilder(function.append_basic_block())
        arguments = [
            self.wrap(given) if kind == "n" else Pointer(self, given, self._pointees[kind])
            for kind, given in zip(kinds, function.args, strict=True)
        ]
        body(self, *arguments)
        self.builder.ret_void()

    def arguments(self) -> dict[str, int]:
        """The recorded functions, and how many arguments each has."""
        return {f.name: len(f.args) for f in self.module.functions if f.blocks}

    def wrap(self, value: ir.Value) -> Value:
        """A value of LLVM's as one of ours."""
        return Value(self, value)

    def integer(self, number: Value | int) -> Value:
        """An int64."""
        return number if isinstance(number, Value) else self.wrap(ir.Constant(INTEGER, number))

    def real(self, number: float) -> Value:
        """A constant."""
        return self.wrap(ir.Constant(self.real_type, number))

    def pointer(self, address: Value, kind: str) -> Pointer:
        """An address held as an int64, of what the letter says: see ``record``."""
        made = self.builder.inttoptr(address.value, ir.PointerType())
        return Pointer(self, made, self._pointees[kind])

    def read(self, table: Pointer, kinds: str) -> list[Any]:
        """What stands in a table of int64s, numbers and addresses, as ``record`` names them."""
        return [
            table[place] if kind == "n" else self.pointer(table[place], kind)
            for place, kind in enumerate(kinds)
        ]

    def doubles(self, place: Pointer) -> Pointer:
        """The same memory as reals of 64 bits."""
        return Pointer(self, place.address, ir.DoubleType())

    def double(self, number: Value) -> Value:
        """A real, or a vector of them, in 64 bits."""
        return self._in_bits(number, ir.DoubleType(), self.builder.fpext)

    def rounded(self, number: Value) -> Value:
        """The way back."""
        return self._in_bits(number, self.real_type, self.builder.fptrunc)

    def _in_bits(self, number: Value, real: ir.Type, convert: Callable[..., ir.Value]) -> Value:
        kind = number.value.type
        vector = isinstance(kind, ir.VectorType)
        wanted = ir.VectorType(real, kind.count) if vector else real
        return number if kind == wanted else self.wrap(convert(number.value, wanted))

    def splat(self, number: Value | float, like: Value | None = None) -> Value:
        """The same real in every lane of a vector, of another's type if one is given."""
        kind = like.value.type if like else self.vector_type
        if not isinstance(number, Value):
            return self.wrap(ir.Constant(kind, [number] * kind.count))
        anything = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(anything, number.value, ir.Constant(_INT32, 0))
        lanes = ir.Constant(ir.VectorType(_INT32, kind.count), [0] * kind.count)
        return self.wrap(self.builder.shuffle_vector(first, anything, lanes))

    def range(
        self, start: Value | int, stop: Value | int, step: Value | int = 1
    ) -> Iterator[Value]:
        """A loop over int64s; what the body of the ``for`` does is done each time."""
        builder = self.builder
        first, end = self.integer(start).value, self.integer(stop).value
        before, body, after = builder.block, *(builder.append_basic_block() for _ in range(2))
        builder.cbranch(builder.icmp_signed("<", first, end), body, after)
        builder.position_at_end(body)
        index = builder.phi(INTEGER)
        index.add_incoming(first, before)
        yield self.wrap(index)
        following = builder.add(index, self.integer(step).value)
        index.add_incoming(following, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, end), body, after)
        builder.position_at_end(after)

    @contextmanager
    def either(self, flag: Value) -> Iterator[tuple[Any, Any]]:
        """Two ways: the first is taken if the flag is not 0, else the second."""
        zero = ir.Constant(INTEGER, 0)
        with self.builder.if_else(self.builder.icmp_signed("!=", flag.value, zero)) as ways:
            yield ways

    def fused(self, a: Value, b: Value, c: Value) -> Value:
        """a·b + c."""
        return self._intrinsic("fmuladd", a, b, c)

    def clamped(self, vector: Value, most: float) -> Value:
        """Between -most and most in each lane; NaN stays NaN."""
        for sign, bound in ((">", most), ("<", -most)):
            limit = self.splat(bound, vector).value
            outside = self.builder.fcmp_ordered(sign, vector.value, limit)
            vector = self.wrap(self.builder.select(outside, limit, vector.value))
        return vector

    def inverse_root(self, vector: Value, least: float) -> Value:
        """1 / √max(v, least) in each lane; NaN stays NaN."""
        floor = self.splat(least).value
        below = self.builder.fcmp_ordered("<", vector.value, floor)
        kept = self.wrap(self.builder.select(below, floor, vector.value))
        root = self._intrinsic("sqrt", kept)
        return self.wrap(self.builder.fdiv(self.splat(1.0).value, root.value))

    def total(self, vector: Value) -> Value:
        """Sum over the lanes, halves first."""
        lanes, value = self.lanes, vector.value
        while lanes > 1:
            anything = ir.Constant(value.type, ir.Undefined)
            low, high = (
                ir.Constant(
                    ir.VectorType(_INT32, lanes // 2), list(range(first, first + lanes // 2))
                )
                for first in (0, lanes // 2)
            )
            halves = [self.builder.shuffle_vector(value, anything, half) for half in (low, high)]
            value, lanes = self.builder.fadd(*halves), lanes // 2
        return self.wrap(self.builder.extract_element(value, ir.Constant(_INT32, 0)))

    def _intrinsic(self, name: str, *arguments: Value) -> Value:
        kind = arguments[0].value.type
        suffix = f"v{kind.count}f{32 if kind.element == ir.FloatType() else 64}"
        signature = ir.FunctionType(kind, [kind] * len(arguments))
        function = self.module.declare_intrinsic(f"llvm.{name}.{suffix}", (), signature)
        return self.wrap(self.builder.call(function, [argument.value for argument in arguments]))
