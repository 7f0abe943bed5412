"""Image panels as PNG in data URIs, at twice the size at which they are shown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import torch
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion
from torch.nn import functional

from medqnn.report.formatting import decimal
from medqnn.report.run_folder import Run, Variant
from medqnn.report.tables import region_name

SIDE = 256  # pixels; shown at 128
MAPS = mpl.colormaps["viridis"]  # grows in lightness, so it reads in grey too
OPACITY = 0.65  # of a fully attended pixel in an overlay
SCORED = ("jaccard@0.75", "jaccard@q0.99")  # the indices printed below an attention map


class Panel(NamedTuple):
    """One image of a row: its data URI, what it shows in words, the lines below it."""

    source: str
    alternative: str
    lines: list[str]


class Case(NamedTuple):
    """A row of the six columns: title, true class, and its panels."""

    title: str
    label: str
    panels: list[Panel]


def attended(run: Run) -> list[Variant]:
    """The variants that have attention maps."""
    return [variant for variant in run.variants if variant.attention is not None]


def case_columns(run: Run) -> list[str]:
    """Column titles: image, mask, attention of each variant, overlay of each variant."""
    names = [variant.name for variant in attended(run)]
    attention, overlay = ([f"{what} of {name}" for name in names] for what in WHAT)
    return ["Image", "Mask", *attention, *overlay]


WHAT = ("Attention", "Overlay")


def cases(run: Run) -> Iterator[Case]:
    """Fig. 10 of the HQCM-EBTC paper: image, mask, attention and overlay for each variant."""
    if run.panels is None:
        return
    variants = attended(run)
    for name, image, mask in zip(*(run.panels[k] for k in ("ids", "images", "masks")), strict=True):
        tumour = mask > 0
        maps = [upsampled(variant, str(name), image.shape) for variant in variants]
        yield Case(
            str(name),
            _true_class(run, str(name)),
            [
                Panel(_grey(image), f"image {name}", []),
                Panel(_grey(255 * tumour), f"mask of {name}", _mask_lines(tumour)),
                *(_attention(v, str(name), m) for v, m in zip(variants, maps, strict=True)),
                *(_overlay(v, image, tumour, m) for v, m in zip(variants, maps, strict=True)),
            ],
        )


def samples(run: Run) -> Iterator[tuple[str, list[Panel]]]:
    """Fig. 6 of the HQCM-EBTC paper: images of each class, the mask outlined."""
    if run.gallery is None:
        return
    labels, images, masks = (run.gallery[key] for key in ("labels", "images", "masks"))
    for name in run.classes:
        yield (
            name,
            [
                Panel(_png(_outlined(_colour(images[i]), masks[i] > 0)), f"a sample of {name}", [])
                for i in np.flatnonzero(labels == name)
            ],
        )


def upsampled(variant: Variant, name: str, shape: Sequence[int]) -> np.ndarray:
    """Attention map of an image, float32 (H, W) in [0, 1].

    The logits are interpolated bilinearly and the sigmoid comes last, as when maps are scored.
    """
    attention = variant.attention or {}
    logits = attention["maps"][attention["ids"] == name].astype(np.float32)
    resized = functional.interpolate(
        torch.from_numpy(logits)[:, None], tuple(shape), mode="bilinear", align_corners=False
    )
    values: np.ndarray = resized.sigmoid().numpy()[0, 0]
    return values


def _attention(variant: Variant, name: str, values: np.ndarray) -> Panel:
    picture = _png(_resized(np.uint8(255 * MAPS(values)[..., :3]), Image.Resampling.BICUBIC))
    return Panel(picture, f"attention of {variant.name}", _scores(variant, name))


def _overlay(variant: Variant, image: np.ndarray, tumour: np.ndarray, values: np.ndarray) -> Panel:
    opacity = OPACITY * values[..., None]
    mixed = (1 - opacity) * image[..., None] + opacity * 255 * MAPS(values)[..., :3]
    return Panel(
        _png(_outlined(_resized(np.uint8(mixed), Image.Resampling.BICUBIC), tumour)),
        f"attention of {variant.name} over the image",
        [],
    )


def _scores(variant: Variant, name: str) -> list[str]:
    """The Jaccard indices of one image, and the class that was predicted."""
    predictions, table = variant.predictions, variant.localisation
    lines = []
    if table is not None and name in table.index:
        lines += [
            f"J {decimal(table.at[name, column])} ({region_name(column)})"
            for column in SCORED
            if column in table
        ]
    for i in np.flatnonzero(predictions.ids == name):
        verdict = "right" if predictions.correct[i] else "wrong"
        lines.append(f"says {predictions.classes[predictions.predicted[i]]}: {verdict}")
    return lines


def _true_class(run: Run, name: str) -> str:
    return ", ".join(run.split.loc[run.split["id"] == name, "label"])


def _mask_lines(tumour: np.ndarray) -> list[str]:
    return [f"{tumour.mean():.1%} of the image"] if tumour.any() else ["no tumour marked"]


def _grey(image: np.ndarray) -> str:
    return _png(_resized(np.uint8(image), Image.Resampling.BICUBIC))


def _colour(image: np.ndarray) -> np.ndarray:
    return _resized(np.repeat(np.uint8(image)[..., None], 3, axis=2), Image.Resampling.BICUBIC)


def _outlined(picture: np.ndarray, tumour: np.ndarray) -> np.ndarray:
    """The tumour's edge as a white line between two black ones: visible on any ground."""
    inside = _resized(np.uint8(255 * tumour), Image.Resampling.BICUBIC) > 127
    white = inside & ~binary_erosion(inside, iterations=2)
    black = binary_dilation(white, iterations=1) & ~white
    result = picture.copy()
    result[black], result[white] = 0, 255
    return result


def _resized(image: np.ndarray, how: Image.Resampling) -> np.ndarray:
    """The longer side becomes `SIDE` pixels."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (round(width * scale), round(height * scale))
    return np.asarray(Image.fromarray(image).resize(size, how))


def _png(picture: np.ndarray) -> str:
    image = Image.fromarray(picture)
    if picture.ndim == 3:  # 256 colours are enough for a map and a third of the size
        image = image.quantize(256, dither=Image.Dither.NONE)
    buffer = BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
