"""Neural-network modules: the quantum layer, quantum convolution, attention, and their twins."""

from medqnn.layers.attention import ChannelAttention, SpatialAttention
from medqnn.layers.conv_twins import conv_head
from medqnn.layers.quantum import QuantumLayer
from medqnn.layers.quanvolution import QuantumConv2d
from medqnn.layers.residual import ConvNorm, ResidualBlock, TopDown
from medqnn.layers.twins import VARIANTS, MatchedLinear, head

__all__ = [
    "VARIANTS",
    "ChannelAttention",
    "ConvNorm",
    "MatchedLinear",
    "QuantumConv2d",
    "QuantumLayer",
    "ResidualBlock",
    "SpatialAttention",
    "TopDown",
    "conv_head",
    "head",
]
