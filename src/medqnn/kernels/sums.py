"""Sums of many numbers in machine code that stay exact to a few roundings, however many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from medqnn.kernels.code import Code, Value, Variable

CHUNK = 16
"""Numbers that are added up in their own precision; such sums are added up in double."""


class LongSum:
    """A sum of vectors over ``in_chunks``."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._near = Variable(code, code.splat(0.0))
        self._far = Variable(code, code.double(code.splat(0.0)))

    def get(self) -> Value:
        """The chunk's sum so far."""
        return self._near.get()

    def set(self, value: Value) -> None:
        """Change it."""
        self._near.set(value)

    def end_chunk(self) -> None:
        """Add it to the whole."""
        self._far.set(self._far.get() + self._code.double(self._near.get()))
        self._near.set(self._code.splat(0.0))

    def whole(self) -> Value:
        """The sum of all chunks."""
        return self._code.rounded(self._far.get())


def in_chunks(code: Code, count: Value, sums: Sequence[LongSum]) -> Iterator[Value]:
    """A loop from 0 to ``count``, and the end of a chunk of the sums now and then."""
    for first in code.range(0, count, CHUNK):
        yield from code.range(first, (first + CHUNK).minimum(count))
        for total in sums:
            total.end_chunk()
