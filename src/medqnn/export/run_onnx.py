"""A run's network as an ONNX file that says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medqnn.export.onnx import Written, write_onnx
from medqnn.export.run import free, network
from medqnn.training.folder import RunFolder
from medqnn.training.run import recipe_of
from medqnn.training.sections import Data

NOISE = 64  # random images that a file is checked with, besides the run's own


def export_onnx(folder: RunFolder, variant: str, out: Path | None = None) -> Written:
    """Write a network as ONNX, by default into RUN/VARIANT/model.onnx, checked by ONNX Runtime.

    It is checked with the run's own sample images, and noise.

    Raises:
        RunError: If the run or its file cannot be read or written, or the check fails.
        CircuitError: If its quantum layer is no constant matrix.
    """
    model, data = network(folder, variant), folder.facts()["data"]
    path = free(out or folder.path / variant / "model.onnx")
    facts = about(folder, variant)
    multilabel = bool(data.get("multilabel"))
    return write_onnx(model, _images(folder), path, facts, multilabel)


def about(folder: RunFolder, variant: str) -> dict[str, Any]:
    """What a network's file says of itself; no paths, no names of patients."""
    facts, recipe = folder.facts(), recipe_of(folder)
    data, spec = facts["data"], recipe.data
    return {
        "medqnn": facts["medqnn"],
        "system": facts["system"],
        "variant": variant,
        "seed": facts["seed"],
        "data": data["name"],
        "synthetic_data": bool(data.get("synthetic")),
        "classes": data["classes"],
        "findings_may_stand_together": bool(data.get("multilabel")),
        "image_size": spec.image_size,
        "channels": int(spec.channels),
        "scaling": spec.scaling,
        "preprocessing": preprocessing(spec),
        "input": "images: float32 (batch, channels, height, width) in [0, 1]",
        "outputs": "probabilities and logits (batch, classes); attention, if there is one, "
        "(batch, 1, height, width) in [0, 1]",
        "intended_use": "Research only: not a medical device, not for clinical use.",
    }


def preprocessing(spec: Data) -> str:
    """How an image becomes the input, in words (see ``data.prepare``)."""
    colours = "RGB, grey repeated" if int(spec.channels) == 3 else "grey, colours by BT.601 luma"
    ranges = {
        "min-max": "the image's own range, all channels together, to 0..255",
        "dtype": "the range of the file's integer type to 0..255",
    }
    return (
        f"{colours}; the shorter side padded evenly with the image's minimum; resized to "
        f"{spec.image_size}×{spec.image_size}, bilinear with antialiasing; "
        f"{ranges[spec.scaling]}, rounded; divided by 255"
    )


def _images(folder: RunFolder) -> Tensor:
    """The run's sample images and noise, float32 (B, C, H, W) in [0, 1]."""
    with np.load(folder.path / "gallery.npz", allow_pickle=False) as gallery:
        pixels = torch.from_numpy(gallery["images"]).float() / 255
    own = pixels[:, None] if pixels.dim() == 3 else pixels.movedim(-1, 1)
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(NOISE, *own.shape[1:], generator=generator)
    return torch.cat((own, noise)).contiguous()
