"""The published systems by name."""

from __future__ import annotations

from types import MappingProxyType

from torch import nn

from medqnn.models.hqcm_ebtc import HQCMEBTC

SYSTEMS: MappingProxyType[str, type[nn.Module]] = MappingProxyType({"hqcm-ebtc": HQCMEBTC})
"""Model class of each system. Its constructor's arguments are the recipe's ``model`` section;
``classes``, ``image_size``, ``channels`` and ``variant`` come from the rest of the recipe."""
