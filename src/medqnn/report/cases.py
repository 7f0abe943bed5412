"""The report's section on the images that the hybrid gets wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from medqnn.evaluation.failures import failures, shared_errors
from medqnn.evaluation.predictions import Predictions
from medqnn.layers.twins import HYBRID
from medqnn.report.formatting import percent
from medqnn.report.images import outlined_picture
from medqnn.report.panels import Panel
from medqnn.report.run_folder import Run, Variant

KEPT = ("ids", "images", "masks")


def section(run: Run) -> dict[str, Any]:
    """What the template needs; ``failed`` is None for findings, and for older runs."""
    network, twin = _pair(run.variants)
    predictions = network.predictions
    if network.failures is None or not isinstance(predictions, Predictions):
        return {"failed": None}
    shared = None
    if twin is not None and isinstance(twin.predictions, Predictions):
        shared = shared_errors(predictions, twin.predictions)
    return {
        "failed": {
            "network": network.name,
            "twin": twin and twin.name,
            "errors": int((~predictions.correct).sum()),
            "images": len(predictions),
            "shared": shared,
            "panels": _panels(network, predictions, twin),
            "outlined": bool(network.failures["masks"].any()),
        }
    }


def _pair(variants: list[Variant]) -> tuple[Variant, Variant | None]:
    """The hybrid, or the first network without one, and the first of the others."""
    network = next((variant for variant in variants if variant.name == HYBRID), variants[0])
    return network, next((variant for variant in variants if variant is not network), None)


def _panels(network: Variant, predictions: Predictions, twin: Variant | None) -> list[Panel]:
    """The pictures kept, the most confident error first."""
    kept = network.failures or {}
    pictures = {
        name: outlined_picture(image, mask > 0)
        for name, image, mask in zip(*(kept[key] for key in KEPT), strict=True)
    }
    return [
        Panel(
            pictures[row["id"]],
            f"image {row['id']}, a {row['label']} called {row['predicted']}",
            [
                str(row["id"]),
                f"true: {row['label']}",
                f"{network.name}: {row['predicted']} ({percent(row['confidence'])})",
                *([f"{twin.name}: {_answer(twin, row['id'])}"] if twin else []),
            ],
        )
        for row in failures(predictions).to_dict("records")
        if row["id"] in pictures
    ]


def _answer(twin: Variant, name: str) -> str:
    """A twin's answer on an image."""
    row = int(np.flatnonzero(twin.predictions.ids == name)[0])
    said = twin.predictions.answer(row)
    return f"{said} (right)" if twin.predictions.correct[row] else said
