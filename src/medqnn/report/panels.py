"""Rows of pictures: test images with every variant's attention, and samples of each class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from medqnn.data.table import SEPARATOR
from medqnn.errors import RunError
from medqnn.report import images
from medqnn.report.formatting import decimal
from medqnn.report.run_folder import Run, Variant
from medqnn.report.tables import region_name
from medqnn.training.assess import attention_maps

SCORED = ("jaccard@0.75", "jaccard@q0.99")  # the indices printed below an attention map


class Panel(NamedTuple):
    """One picture of a row: its data URI, what it shows in words, the lines below it."""

    source: str
    alternative: str
    lines: list[str]


class Case(NamedTuple):
    """A test image: its id, its true class, and its panels."""

    name: str
    label: str
    panels: list[Panel]


def attended(run: Run) -> list[Variant]:
    """The variants that have attention maps."""
    return [variant for variant in run.variants if variant.attention is not None]


def case_columns(run: Run) -> list[str]:
    """Column titles: image, mask, attention of each variant, overlay of each variant."""
    names = [variant.name for variant in attended(run)]
    attention = [f"Attention of {name}" for name in names]
    return ["Image", "Mask", *attention, *(f"Overlay of {name}" for name in names)]


def cases(run: Run) -> Iterator[Case]:
    """Fig. 10 of the HQCM-EBTC paper: image, mask, attention and overlay for each variant."""
    if run.panels is None:
        return
    labels = run.split.set_index("id")["label"]
    kept = zip(*(run.panels[key] for key in ("ids", "images", "masks")), strict=True)
    for name, image, mask in kept:
        label = ", ".join(labels[name].split(SEPARATOR)) if run.multilabel else labels[name]
        yield Case(name, label, _case_panels(attended(run), name, image, mask > 0))


def _case_panels(
    variants: list[Variant], name: str, image: np.ndarray, tumour: np.ndarray
) -> list[Panel]:
    extent = f"{tumour.mean():.1%} of the image" if tumour.any() else "no tumour marked"
    panels = [
        Panel(images.slice_picture(image), f"image {name}", []),
        Panel(images.mask_picture(tumour), f"mask of {name}", [extent]),
    ]
    overlays = []
    for variant in variants:
        attention = attention_map(variant, name, len(image))
        picture = images.attention_picture(attention)
        panels.append(Panel(picture, f"attention of {variant.name}", _scores(variant, name)))
        picture = images.overlay_picture(image, tumour, attention)
        overlays.append(Panel(picture, f"attention of {variant.name} over the image", []))
    return panels + overlays


def attention_map(variant: Variant, name: str, size: int) -> np.ndarray:
    """Attention map of an image as it is scored, float32 (size, size) in [0, 1].

    Raises:
        RunError: if the variant does not have exactly one map of the image.
    """
    attention = variant.attention or {"ids": np.array([]), "maps": np.empty((0, 1, 1))}
    logits = attention["maps"][attention["ids"] == name]
    if len(logits) != 1:
        raise RunError(
            f"{variant.name}/attention.npz has {len(logits)} maps of image {name} where one is "
            "expected: the run is not whole, train it again"
        )
    attention_of_image: np.ndarray = attention_maps(logits, size)[0]
    return attention_of_image


def _scores(variant: Variant, name: str) -> list[str]:
    """The Jaccard indices of one image, and the class that was predicted."""
    predictions, found = variant.predictions, variant.localisation.get(name, {})
    lines = [
        f"J {decimal(found[column])} ({region_name(column)})"
        for column in SCORED
        if column in found
    ]
    for i in np.flatnonzero(predictions.ids == name):
        verdict = "right" if predictions.correct[i] else "wrong"
        lines.append(f"{predictions.answer(int(i))}: {verdict}")
    return lines


def samples(run: Run) -> Iterator[tuple[str, list[Panel]]]:
    """Fig. 6 of the HQCM-EBTC paper: images of each class, the mask outlined."""
    if run.gallery is None:
        return
    labels, slices, masks = (run.gallery[key] for key in ("labels", "images", "masks"))
    for name in run.classes:
        pictures = [
            images.outlined_picture(slices[i], masks[i] > 0) for i in np.flatnonzero(labels == name)
        ]
        yield name, [Panel(picture, f"a sample of {name}", []) for picture in pictures]
