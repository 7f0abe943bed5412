"""What may stand where the quantum convolution stands; see ``twins``."""

from __future__ import annotations

from types import MappingProxyType

from torch import nn

from medqnn.layers.quanvolution import QuantumConv2d
from medqnn.layers.twins import VARIANTS, build


class MatchedConv2d(nn.Sequential):
    """A low-rank convolution with as many weights as the circuits, or hardly fewer, then tanh.

    Each circuit with P weights, q pixels and o outputs has its counterpart: P // (q + o) filters
    over its input channel, then a 1×1 convolution to o channels, neither with bias. Where P is too
    few even for one filter, the pixels are averaged instead.

    Args:
        layer: The quantum convolution to match.
    """

    def __init__(self, layer: QuantumConv2d) -> None:
        circuits, outputs = len(layer.weight), layer.circuit.outputs
        filters = layer.weight[0].numel() // (layer.circuit.qubits + outputs)
        channels, hidden = layer.in_channels, circuits * max(1, filters)
        geometry = (layer.kernel_size, layer.stride, layer.padding)
        down = nn.Conv2d(channels, hidden, *geometry, groups=channels, bias=False)
        up = nn.Conv2d(hidden, layer.out_channels, 1, groups=circuits, bias=False)
        for part in (down, up):
            nn.init.normal_(part.weight, std=part.weight[0].numel() ** -0.5)
        if filters == 0:
            nn.init.constant_(down.weight, 1.0 / layer.circuit.qubits)
            down.requires_grad_(False)
        super().__init__(down, up, nn.Tanh())


def _dense(layer: QuantumConv2d) -> nn.Module:
    geometry = (layer.kernel_size, layer.stride, layer.padding)
    return nn.Sequential(nn.Conv2d(layer.in_channels, layer.out_channels, *geometry), nn.Tanh())


BUILDERS = MappingProxyType({**VARIANTS, "dense": _dense, "matched": MatchedConv2d})


def conv_head(variant: str, layer: QuantumConv2d) -> nn.Module:
    """The module of a variant in the quantum convolution's place.

    All variants but ``none`` give the layer's output shape; ``none`` leaves its input as it is.
    ``dense`` is ``nn.Conv2d`` of the same widths and geometry, over all channels at once, then
    tanh. The random state is left as found, as with ``head``.

    Raises:
        RecipeError: If there is no such variant.
    """
    return build(BUILDERS, variant, layer)
