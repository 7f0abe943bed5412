"""The systems by name: the published ones, and one of ours."""

from __future__ import annotations

from types import MappingProxyType

from torch import nn

from medqnn.models.hqcm_ebtc import HQCMEBTC
from medqnn.models.hqcm_ebtc_plus import HQCMEBTCPlus
from medqnn.models.hqcnn_gvco import HQCNNGVCO
from medqnn.models.hqcnn_medmnist import HQCNNMedMNIST
from medqnn.models.hybrid_mri import HybridMRI

SYSTEMS: MappingProxyType[str, type[nn.Module]] = MappingProxyType(
    {
        "hqcm-ebtc": HQCMEBTC,
        "hqcm-ebtc-plus": HQCMEBTCPlus,
        "hqcnn-medmnist": HQCNNMedMNIST,
        "hybrid-mri": HybridMRI,
        "hqcnn-gvco": HQCNNGVCO,
    }
)
"""Model class of each system, all of which return ``Output``. A constructor's arguments are the
recipe's ``model`` section; ``classes``, ``image_size``, ``channels`` and ``variant`` come from the
rest of the recipe. The part that a twin replaces is the submodule ``head``, whose output the
submodule ``classifier`` reads; ``last_maps`` is the module that makes the last feature map, and
``to_map``, somewhere in a model with attention, the one that makes its logits."""
