# mypy: disallow-untyped-decorators=False
"""The steps of a circuit on a tile of images, and the way back through one, in a Triton kernel."""

import triton
import triton.language as tl

from medqnn.circuits.gpu.embedding import UPLOAD, with_column
from medqnn.circuits.gpu.phases import half_angles, phase_gradients, phases
from medqnn.circuits.gpu.states import column, moved, rotated, rotation_overlap, times


@triton.jit
def row_of(
    integers: tl.tensor, step: tl.tensor, size: tl.constexpr, width: tl.constexpr
) -> tl.tensor:
    """Where a step's row of ``Tables.integers`` begins."""
    return integers + step * (4 * width + 2 * size + 1)


@triton.jit
def _turn(
    turns: tl.tensor,
    data: tl.tensor,
    uploads: tl.tensor,
    qubit: tl.constexpr,
    columns: tl.constexpr,
    embedding: tl.constexpr,
) -> tl.tensor:
    """A rotation's cosine or sine (images or 1, 1): the weights', or in uploads the data's."""
    found = column(turns, columns + qubit)
    if embedding == UPLOAD:
        found = tl.where(uploads, column(data, qubit), found)
    return found


@triton.jit
def run(
    real: tl.tensor,
    weights: tl.tensor,
    steps: tl.tensor,
    reals: tl.tensor,
    integers: tl.tensor,
    data_cos: tl.tensor,
    data_sin: tl.tensor,
    qubits: tl.constexpr,
    columns: tl.constexpr,
    embedding: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor]:
    """All steps on embedded states."""
    size: tl.constexpr = 2**qubits
    width: tl.constexpr = 4 * columns
    imag = tl.zeros_like(real)
    for step in range(steps):
        row = row_of(integers, step, size, width)
        cos, sin = half_angles(weights, reals + step * 3 * width, row, width, real.dtype)
        uploads = tl.load(row + 4 * width + 2 * size) != 0
        c, s = phases(cos, sin, 0, qubits)
        real, imag = times(real, imag, c, s)
        for qubit in tl.static_range(qubits):
            c = _turn(cos, data_cos, uploads, qubit, columns, embedding)
            s = _turn(sin, data_sin, uploads, qubit, columns, embedding)
            real = rotated(real, qubit, c, s)
            imag = rotated(imag, qubit, c, s)
        c, s = phases(cos, sin, 2 * columns, qubits)
        real, imag = times(real, imag, c, s)
        packed = tl.load(row + 4 * width + tl.arange(0, size))
        real = moved(real, packed)
        imag = moved(imag, packed)
    return real, imag


@triton.jit
def undo(
    real: tl.tensor,
    imag: tl.tensor,
    up: tl.tensor,
    across: tl.tensor,
    to_data: tl.tensor,
    cos: tl.tensor,
    sin: tl.tensor,
    packed: tl.tensor,
    uploads: tl.tensor,
    data_cos: tl.tensor,
    data_sin: tl.tensor,
    qubits: tl.constexpr,
    columns: tl.constexpr,
    embedding: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor, tl.tensor, tl.tensor, tl.tensor, tl.tensor]:
    """States and costates before a step, gradients to data, and to half its angles (width,)."""
    real = moved(real, packed)
    imag = moved(imag, packed)
    up = moved(up, packed)
    across = moved(across, packed)
    place = tl.arange(0, 4 * columns)
    to_angles = tl.full((4 * columns,), 0.0, real.dtype)
    to_angles = phase_gradients(up, across, real, imag, to_angles, 2 * columns, qubits)
    c, s = phases(cos, sin, 2 * columns, qubits)
    real, imag = times(real, imag, c, -s)
    up, across = times(up, across, c, -s)
    for qubit in tl.static_range(qubits):
        overlap = rotation_overlap(up, real, qubit) + rotation_overlap(across, imag, qubit)
        total = tl.sum(tl.sum(overlap, 0), 0)
        to_angles = tl.where(place == columns + qubit, total, to_angles)
        if embedding == UPLOAD:
            own = tl.where(uploads, 0.5 * tl.sum(overlap, 1), 0.0)
            to_data += with_column(tl.zeros_like(to_data), qubit, own)
        c = _turn(cos, data_cos, uploads, qubit, columns, embedding)
        s = -_turn(sin, data_sin, uploads, qubit, columns, embedding)
        real = rotated(real, qubit, c, s)
        imag = rotated(imag, qubit, c, s)
        up = rotated(up, qubit, c, s)
        across = rotated(across, qubit, c, s)
    to_angles = phase_gradients(up, across, real, imag, to_angles, 0, qubits)
    c, s = phases(cos, sin, 0, qubits)
    real, imag = times(real, imag, c, -s)
    up, across = times(up, across, c, -s)
    return real, imag, up, across, to_data, to_angles
