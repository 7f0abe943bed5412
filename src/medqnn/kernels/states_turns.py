"""The rotations of a tile of images in machine code: by the weights, or each by its own data.

Where the data are uploaded again and again, a layer rotates qubit j by x_j, in each lane its own.
"""

from __future__ import annotations

from typing import NamedTuple

from medqnn.kernels.angles import cosine_and_sine
from medqnn.kernels.code import Code, Pointer, Value, Variable
from medqnn.kernels.memory import Batch, Constants, Steps
from medqnn.kernels.rows import clear, rotate


class Turns(NamedTuple):
    """A vector for each layer and qubit, (L + 2, q, lanes), one after another."""

    cosines: Pointer  # of θ/2
    sines: Pointer
    grads: Pointer  # to θ/2, of one tile

    def at(self, code: Code, known: Constants, layer: Value, qubit: Value) -> list[Pointer]:
        """Places of one rotation."""
        place = (layer * known.qubits + qubit) * code.lanes
        return [table + place for table in self]

    def by_weights(self, code: Code, known: Constants, steps: Steps) -> None:
        """Record all rotations, and gradients of zero."""
        for place in code.range(0, (known.layers + 2) * known.qubits):
            for table, numbers in zip(self, (steps.cosines, steps.sines), strict=False):
                table.put(place * code.lanes, code.splat(numbers[place * 3 + 1]))
            self.grads.put(place * code.lanes, code.splat(0.0))

    def by_data(self, code: Code, known: Constants, inputs: Batch, count: Value) -> None:
        """Record the rotations of the layers that upload a tile; 0 behind the last image."""
        spare = self.cosines  # layer 0 does not rotate
        clear(code, spare, code.lanes)
        for qubit in code.range(0, known.qubits):
            inputs.gather(code, qubit, spare, count)
            cos, sin = cosine_and_sine(code, code.splat(0.5) * spare.vector())
            for upload in code.range(0, known.uploads):
                cosine, sine, _ = self.at(code, known, known.uploading[upload], qubit)
                cosine.put(0, cos)
                sine.put(0, sin)

    def data_vjp(self, code: Code, known: Constants, into: Batch, count: Value) -> None:
        """Record the gradients to a tile's inputs."""
        spare = self.cosines
        for qubit in code.range(0, known.qubits):
            total = Variable(code, code.splat(0.0))
            for upload in code.range(0, known.uploads):
                *_, grad = self.at(code, known, known.uploading[upload], qubit)
                total.set(total.get() + grad.vector())
            spare.put(0, code.splat(0.5) * total.get())
            into.scatter(code, qubit, spare, count)

    def apply(self, code: Code, known: Constants, layer: Value, rows: Pointer, back: bool) -> None:
        """Record K_l · rows in place, or K_lᵀ · rows."""

        def turn(qubit: Value) -> tuple[Value, Value]:
            cosine, sine, _ = self.at(code, known, layer, qubit)
            return cosine.vector(), -sine.vector() if back else sine.vector()

        rotate(code, known, turn, rows)

    def to_angles(self, code: Code, known: Constants, angles: Pointer) -> None:
        """Record += a tile's gradients to half the angles, in double: sums over lanes."""
        for place in code.range(0, (known.layers + 2) * known.qubits):
            total = code.total(self.grads.vector(place * code.lanes))
            angles[place * 3 + 1] = angles[place * 3 + 1] + code.double(total)
