"""The published systems by name."""

from __future__ import annotations

from types import MappingProxyType

from torch import nn

from medqnn.models.hqcm_ebtc import HQCMEBTC
from medqnn.models.hqcnn_gvco import HQCNNGVCO
from medqnn.models.hqcnn_medmnist import HQCNNMedMNIST
from medqnn.models.hybrid_mri import HybridMRI

SYSTEMS: MappingProxyType[str, type[nn.Module]] = MappingProxyType(
    {
        "hqcm-ebtc": HQCMEBTC,
        "hqcnn-medmnist": HQCNNMedMNIST,
        "hybrid-mri": HybridMRI,
        "hqcnn-gvco": HQCNNGVCO,
    }
)
"""Model class of each system, all of which return ``Output``. A constructor's arguments are the
recipe's ``model`` section; ``classes``, ``image_size``, ``channels`` and ``variant`` come from the
rest of the recipe. The part that a twin replaces is the submodule ``head``."""
