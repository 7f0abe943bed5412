"""Gate folding: the same circuit made longer, so that a device's noise grows by a known factor."""

from __future__ import annotations

from medqnn.circuits.ansatze import Layer, Upload
from medqnn.errors import CircuitError


def fold(layers: list[Layer | Upload], factor: int) -> list[Layer | Upload]:
    """Each layer L as L (L† L)^k, so that its gates act ``factor`` = 2k + 1 times.

    Without noise the circuit is the same. An embedding between the layers is not folded
    (Giurgica-Tiron et al. 2020, the folding of layers).

    Args:
        layers: From ``ansatze.layers``.
        factor: An odd number of 1 or more.

    Returns:
        The longer circuit, linear in the same weights. A layer whose rotations are all zero has
        gates between qubits alone.

    Raises:
        CircuitError: If the factor is not such a number.
    """
    if factor < 1 or factor % 2 == 0:
        raise CircuitError(f"circuits are folded {factor} times: give an odd number of 1 or more")
    folded: list[Layer | Upload] = []
    for layer in layers:
        folded.append(layer)
        if isinstance(layer, Layer):
            folded += [*_inverse(layer), layer] * (factor // 2)
    return folded


def _inverse(layer: Layer) -> list[Layer]:
    """The gates in reverse order, then the rotations turned back."""
    back = -layer.rotations.flip(-1)
    gates = Layer(back.new_zeros(back.shape), layer.gate, layer.pairs[::-1])
    return [gates, Layer(back, "none", [], layer.axis)]
