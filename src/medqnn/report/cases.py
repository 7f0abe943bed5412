"""The report's section on the images that the hybrid gets wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from medqnn.evaluation.failures import failures, shared_errors
from medqnn.evaluation.predictions import Predictions
from medqnn.explain.cases import FILE, pair
from medqnn.report.formatting import percent
from medqnn.report.images import outlined_picture
from medqnn.report.panels import Panel
from medqnn.report.run_folder import Run, Variant

KEPT = ("ids", "images", "masks")


def section(run: Run) -> dict[str, Any]:
    """What the template needs; ``failed`` is None for findings, and for older runs.

    Of a run that was explained all errors are among the panels, so none is shown here again.
    """
    network, twin = _pair(run.variants)
    predictions = network.predictions
    if network.failures is None or not isinstance(predictions, Predictions):
        return {"failed": None}
    shared, explained = None, (run.folder / FILE).is_file()
    if twin is not None and isinstance(twin.predictions, Predictions):
        shared = shared_errors(predictions, twin.predictions)
    return {
        "failed": {
            "network": network.name,
            "twin": twin and twin.name,
            "errors": int((~predictions.correct).sum()),
            "images": len(predictions),
            "shared": shared,
            "explained": explained,
            "panels": [] if explained else _panels(network, predictions, twin),
            "outlined": bool(network.failures["masks"].any()),
        }
    }


def _pair(variants: list[Variant]) -> tuple[Variant, Variant | None]:
    """The network whose errors are told, and the one that they are held against."""
    by_name = {variant.name: variant for variant in variants}
    network, twin = pair(list(by_name))
    return by_name[network], by_name[twin] if twin else None


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
