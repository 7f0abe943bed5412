"""Rows of pictures: test images with every variant's map, and samples of each class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from medqnn.data.table import SEPARATOR
from medqnn.errors import RunError
from medqnn.evaluation.predictions import Predictions
from medqnn.explain.cases import CONFIDENCE, Cases, pair, read_cases
from medqnn.report import images
from medqnn.report.formatting import decimal, percent
from medqnn.report.run_folder import Run, Variant
from medqnn.report.tables import region_name
from medqnn.training.assess import attention_maps
from medqnn.training.folder import RunFolder

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


class Group(NamedTuple):
    """Test images shown for the same reason: its name, the titles of the columns, the rows."""

    title: str
    columns: list[str]
    cases: list[Case]


def section(run: Run) -> dict[str, Any]:
    """Fig. 10 of the HQCM-EBTC paper: image, mask, map and overlay for each variant.

    Shown are the images that `medqnn explain` chose, else those chosen before training.

    Returns:
        attended (names of the variants with attention); panels: groups, errors (a group, or None),
        all_errors (how many there are), network and twin, region (the part of the map by whose
        Jaccard index images were chosen; None if by confidence), chosen (by `medqnn explain`),
        grad_cam (whether maps are Grad-CAM's), outlined (whether masks are shown). panels is None
        if there is nothing to show.

    Raises:
        RunError: if a file is broken or lacks a map.
    """
    names = [variant.name for variant in attended(run)]
    chosen = read_cases(RunFolder(run.folder))
    kept = chosen or _chosen_before(run)
    variants = [
        v for v in run.variants if v.attention is not None or (kept and v.name in kept.maps)
    ]
    if kept is None or not variants:
        return {"attended": names, "panels": None}
    network, twin = pair([variant.name for variant in variants])
    both = [variant for variant in variants if variant.name in (network, twin)]
    return {
        "attended": names,
        "panels": {
            "groups": [_group(run, kept, name, variants) for name in kept.groups],
            "errors": _group(run, kept, "errors", both) if kept.errors else None,
            "all_errors": kept.all_errors,
            "network": network,
            "twin": twin,
            "region": None if kept.measure == CONFIDENCE else region_name(kept.measure),
            "chosen": chosen is not None,
            "grad_cam": bool(kept.maps),
            "outlined": bool(kept.masks.any()),
        },
    }


def attended(run: Run) -> list[Variant]:
    """The variants that have attention maps."""
    return [variant for variant in run.variants if variant.attention is not None]


def _chosen_before(run: Run) -> Cases | None:
    """The images that a run keeps before it is trained, in one group without a name."""
    if run.panels is None:
        return None
    ids, slices, masks = (run.panels[part] for part in ("ids", "images", "masks"))
    return Cases("", CONFIDENCE, {"": ids.tolist()}, [], 0, ids, slices, masks, {})


def _group(run: Run, kept: Cases, title: str, variants: Sequence[Variant]) -> Group:
    """The cases of a group, or the errors, whose many pictures are small."""
    of_errors = title == "errors"
    rows = {name: row for row, name in enumerate(kept.ids.tolist())}
    labels = run.split.set_index("id")["label"]
    cases = []
    for name in kept.errors if of_errors else kept.groups[title]:
        label = ", ".join(labels[name].split(SEPARATOR)) if run.multilabel else labels[name]
        cases.append(Case(name, label, list(_panels(kept, rows[name], variants, of_errors))))
    return Group(title, _columns(kept, variants), cases)


def _columns(kept: Cases, variants: Sequence[Variant]) -> list[str]:
    """Titles: image, mask if any is shown, map of each variant, overlay of each variant."""
    masks = ["Mask"] if kept.masks.any() else []
    maps = [f"{_method(kept, variant)} of {variant.name}" for variant in variants]
    return ["Image", *masks, *maps, *(f"Overlay of {variant.name}" for variant in variants)]


def _method(kept: Cases, variant: Variant) -> str:
    return "Grad-CAM" if variant.name in kept.maps else "Attention"


def _panels(kept: Cases, row: int, variants: Sequence[Variant], small: bool) -> Iterator[Panel]:
    """The pictures of one image, in the order of `_columns`."""
    name, image, tumour = str(kept.ids[row]), kept.images[row], kept.masks[row] > 0
    yield Panel(images.slice_picture(image, small), f"image {name}", [])
    if kept.masks.any():
        extent = f"{tumour.mean():.1%} of the image" if tumour.any() else "no tumour marked"
        yield Panel(images.mask_picture(tumour, small), f"mask of {name}", [extent])
    maps = [_map(kept, variant, row) for variant in variants]
    for variant, own in zip(variants, maps, strict=True):
        shown = f"{_method(kept, variant)} of {variant.name}"
        lines = _lines(variant, name, kept.measure)
        yield Panel(images.attention_picture(own, small), shown, lines)
    for variant, own in zip(variants, maps, strict=True):
        shown = f"{_method(kept, variant)} of {variant.name} over the image"
        yield Panel(images.overlay_picture(image, tumour, own, small), shown, [])


def _map(kept: Cases, variant: Variant, row: int) -> np.ndarray:
    """Grad-CAM or attention of a kept image, float32 (H, W) in [0, 1]."""
    if variant.name in kept.maps:
        relevance: np.ndarray = kept.maps[variant.name][row].astype(np.float32)
        return relevance
    return attention_map(variant, str(kept.ids[row]), kept.masks.shape[-1])


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


def _lines(variant: Variant, name: str, measure: str) -> list[str]:
    """The Jaccard indices of one image, and the answer with its probability."""
    predictions, found = variant.predictions, variant.localisation.get(name, {})
    lines = [
        f"J {decimal(found[column])} ({region_name(column)})"
        for column in dict.fromkeys((*SCORED, measure))
        if column in found
    ]
    for i in np.flatnonzero(predictions.ids == name).tolist():
        verdict = "right" if predictions.correct[i] else "wrong"
        likeliest = percent(predictions.probabilities[i].max())
        if isinstance(predictions, Predictions):
            lines.append(f"{predictions.answer(i)} ({likeliest}): {verdict}")
        else:
            finding = predictions.classes[predictions.probabilities[i].argmax()]
            lines += [f"{predictions.answer(i)}: {verdict}", f"likeliest: {finding} ({likeliest})"]
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
