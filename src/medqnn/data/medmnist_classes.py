"""Tasks and class names of the twelve official MedMNIST 2D sets, by the names of their files.

From medmnist/info.py of https://github.com/MedMNIST/MedMNIST, version 3.0.2; an index is a label.
Of BloodMNIST's class 3 the list in brackets (myelocytes, metamyelocytes and promyelocytes) is left
out. RetinaMNIST's classes are the grades of diabetic retinopathy.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Task = Literal["binary-class", "multi-class", "multi-label", "ordinal-regression"]


class Official(NamedTuple):
    """What labels mean in an official set."""

    task: Task
    classes: tuple[str, ...]


_ORGANS = Official(
    "multi-class",
    (
        "bladder",
        "femur-left",
        "femur-right",
        "heart",
        "kidney-left",
        "kidney-right",
        "liver",
        "lung-left",
        "lung-right",
        "pancreas",
        "spleen",
    ),
)

OFFICIAL = {
    "pathmnist": Official(
        "multi-class",
        (
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth muscle",
            "normal colon mucosa",
            "cancer-associated stroma",
            "colorectal adenocarcinoma epithelium",
        ),
    ),
    "chestmnist": Official(
        "multi-label",
        (
            "atelectasis",
            "cardiomegaly",
            "effusion",
            "infiltration",
            "mass",
            "nodule",
            "pneumonia",
            "pneumothorax",
            "consolidation",
            "edema",
            "emphysema",
            "fibrosis",
            "pleural",
            "hernia",
        ),
    ),
    "dermamnist": Official(
        "multi-class",
        (
            "actinic keratoses and intraepithelial carcinoma",
            "basal cell carcinoma",
            "benign keratosis-like lesions",
            "dermatofibroma",
            "melanoma",
            "melanocytic nevi",
            "vascular lesions",
        ),
    ),
    "octmnist": Official(
        "multi-class",
        ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    ),
    "pneumoniamnist": Official("binary-class", ("normal", "pneumonia")),
    "retinamnist": Official("ordinal-regression", ("0", "1", "2", "3", "4")),
    "breastmnist": Official("binary-class", ("malignant", "normal, benign")),
    "bloodmnist": Official(
        "multi-class",
        (
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature granulocytes",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ),
    ),
    "tissuemnist": Official(
        "multi-class",
        (
            "Collecting Duct, Connecting Tubule",
            "Distal Convoluted Tubule",
            "Glomerular endothelial cells",
            "Interstitial endothelial cells",
            "Leukocytes",
            "Podocytes",
            "Proximal Tubule Segments",
            "Thick Ascending Limb",
        ),
    ),
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
}
