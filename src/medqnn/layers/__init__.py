"""Neural-network modules: the quantum layer, attention, and the quantum layer's twins."""

from medqnn.layers.attention import ChannelAttention, SpatialAttention
from medqnn.layers.quantum import QuantumLayer
from medqnn.layers.twins import VARIANTS, MatchedLinear, head

__all__ = [
    "VARIANTS",
    "ChannelAttention",
    "MatchedLinear",
    "QuantumLayer",
    "SpatialAttention",
    "head",
]
