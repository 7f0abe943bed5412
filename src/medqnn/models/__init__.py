"""The published systems, one file each, reading like their papers."""

from medqnn.models.catalogue import SYSTEMS
from medqnn.models.hqcm_ebtc import HQCMEBTC, Explained

__all__ = ["HQCMEBTC", "SYSTEMS", "Explained"]
