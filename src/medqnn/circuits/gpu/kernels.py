# mypy: disallow-untyped-decorators=False
"""A circuit on a tile of images in one Triton kernel, and its gradients in another.

A program is one warp and holds the states of a tile, (images, N), in its registers from the
embedding to the readout. Backward runs the tile once more and walks back from its last states
(Jones and Gacon 2020), so that nothing is kept between the two. What a program finds for the
weights it stores for itself: no program waits for another, and every run gives the same bits.
"""

import triton
import triton.language as tl

from medqnn.circuits.gpu.embedding import (
    AMPLITUDE,
    ANGLE,
    amplitudes_vjp,
    embedded,
    half_data,
    numbers_of,
    product_vjp,
    put_numbers,
)
from medqnn.circuits.gpu.phases import half_angles
from medqnn.circuits.gpu.readouts import costate, measure
from medqnn.circuits.gpu.walk import row_of, run, undo

_STRIDES = [f"{of}_{axis}" for of in ("x", "y", "dx") for axis in ("image", "circuit", "number")]
_NUMBERS = ["circuits", "images", "steps", "weight_count", *_STRIDES, "slots"]
_POINTERS = ["weights", "reals", "integers", "x", "y", "dx", "found"]
"""Arguments that make no code of their own where they are 1 or divisible by 16."""


@triton.jit
def _tile(
    circuits: tl.tensor, images: tl.tensor, tile: tl.constexpr
) -> tuple[tl.tensor, tl.tensor, tl.tensor]:
    """This program's circuit, its images (tile,), and which of them there are."""
    program = tl.program_id(0)
    image = (program // circuits).to(tl.int64) * tile + tl.arange(0, tile)
    return (program % circuits).to(tl.int64), image, image < images


@triton.jit(do_not_specialize=_NUMBERS[:10], do_not_specialize_on_alignment=_POINTERS[:5])
def forward(
    circuits: tl.tensor,
    images: tl.tensor,
    steps: tl.tensor,
    weight_count: tl.tensor,
    weights: tl.tensor,
    reals: tl.tensor,
    integers: tl.tensor,
    x: tl.tensor,
    x_image: tl.tensor,
    x_circuit: tl.tensor,
    x_number: tl.tensor,
    y: tl.tensor,
    y_image: tl.tensor,
    y_circuit: tl.tensor,
    y_number: tl.tensor,
    tile: tl.constexpr,
    qubits: tl.constexpr,
    columns: tl.constexpr,
    embedding: tl.constexpr,
    every: tl.constexpr,
    row_x: tl.constexpr,
    row_y: tl.constexpr,
    row_z: tl.constexpr,
) -> None:
    """Values y from inputs x, each with its strides, and weights (circuits, weight_count)."""
    dtype: tl.constexpr = reals.dtype.element_ty
    circuit, image, inside = _tile(circuits, images, tile)
    x += circuit * x_circuit + image * x_image
    y += circuit * y_circuit + image * y_image
    weights += circuit * weight_count
    data_cos, data_sin = half_data(x, x_number, inside, qubits, columns, embedding, dtype)
    start = embedded(x, x_number, inside, data_cos, data_sin, qubits, embedding)
    real, imag = run(
        start, weights, steps, reals, integers, data_cos, data_sin, qubits, columns, embedding
    )
    measure(real, imag, y, y_number, inside, qubits, every, row_x, row_y, row_z)


@triton.jit(do_not_specialize=_NUMBERS, do_not_specialize_on_alignment=_POINTERS)
def backward(
    circuits: tl.tensor,
    images: tl.tensor,
    steps: tl.tensor,
    weight_count: tl.tensor,
    weights: tl.tensor,
    reals: tl.tensor,
    integers: tl.tensor,
    x: tl.tensor,
    x_image: tl.tensor,
    x_circuit: tl.tensor,
    x_number: tl.tensor,
    y: tl.tensor,
    y_image: tl.tensor,
    y_circuit: tl.tensor,
    y_number: tl.tensor,
    dx: tl.tensor,
    dx_image: tl.tensor,
    dx_circuit: tl.tensor,
    dx_number: tl.tensor,
    found: tl.tensor,
    slots: tl.tensor,
    tile: tl.constexpr,
    qubits: tl.constexpr,
    columns: tl.constexpr,
    embedding: tl.constexpr,
    every: tl.constexpr,
    row_x: tl.constexpr,
    row_y: tl.constexpr,
    row_z: tl.constexpr,
) -> None:
    """Gradients dx to x, and ``found``, to the weights by program, from those y to the values."""
    dtype: tl.constexpr = reals.dtype.element_ty
    size: tl.constexpr = 2**qubits
    width: tl.constexpr = 4 * columns
    circuit, image, inside = _tile(circuits, images, tile)
    x += circuit * x_circuit + image * x_image
    y += circuit * y_circuit + image * y_image
    dx += circuit * dx_circuit + image * dx_image
    weights += circuit * weight_count
    found += tl.program_id(0).to(tl.int64) * slots
    data_cos, data_sin = half_data(x, x_number, inside, qubits, columns, embedding, dtype)
    start = embedded(x, x_number, inside, data_cos, data_sin, qubits, embedding)
    real, imag = run(
        start, weights, steps, reals, integers, data_cos, data_sin, qubits, columns, embedding
    )
    up, across = costate(real, imag, y, y_number, inside, qubits, every, row_x, row_y, row_z)
    to_data = tl.full((tile, columns), 0.0, dtype)
    place = tl.arange(0, width)
    for done in range(steps):
        step = steps - 1 - done
        row = row_of(integers, step, size, width)
        own = reals + step * 3 * width
        cos, sin = half_angles(weights, own, row, width, dtype)
        packed = tl.load(row + 4 * width + size + tl.arange(0, size))
        uploads = tl.load(row + 4 * width + 2 * size) != 0
        real, imag, up, across, to_data, to_angles = undo(
            real, imag, up, across, to_data, cos, sin, packed, uploads, data_cos, data_sin,
            qubits, columns, embedding,
        )  # fmt: skip
        for term in tl.static_range(2):
            slot = tl.load(row + (2 + term) * width + place)
            slope = tl.load(own + (1 + term) * width + place)
            tl.store(found + slot, slope * to_angles, mask=slot >= 0)
    if embedding == AMPLITUDE:
        numbers = numbers_of(x, x_number, inside, size, size, dtype)
        put_numbers(dx, dx_number, inside, size, amplitudes_vjp(up, numbers))
    elif embedding == ANGLE:
        put_numbers(dx, dx_number, inside, qubits, product_vjp(up, real, columns, qubits))
    else:
        put_numbers(dx, dx_number, inside, qubits, to_data)
