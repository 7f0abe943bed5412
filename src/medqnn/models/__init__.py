"""The systems, one file each, reading like their papers."""

from medqnn.models.catalogue import SYSTEMS
from medqnn.models.hqcm_ebtc import HQCMEBTC
from medqnn.models.hqcm_ebtc_plus import HQCMEBTCPlus
from medqnn.models.hqcnn_gvco import HQCNNGVCO
from medqnn.models.hqcnn_medmnist import HQCNNMedMNIST
from medqnn.models.hybrid_mri import HybridMRI
from medqnn.models.output import Output

__all__ = [
    "HQCMEBTC",
    "HQCNNGVCO",
    "SYSTEMS",
    "HQCMEBTCPlus",
    "HQCNNMedMNIST",
    "HybridMRI",
    "Output",
]
