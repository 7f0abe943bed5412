"""The report's section on devices that the run's circuits were executed on, if they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from medqnn.hardware.found import read_found
from medqnn.hardware.outcome import DEVICE, EXACT
from medqnn.report.formatting import interval, percent, seconds, whole
from medqnn.report.run_folder import Run
from medqnn.report.scores import scores
from medqnn.report.tables import Cell, Row, Table

HEADS = [
    "Network and device",
    "Score",
    "On the device",
    "Exact simulation",
    "Same answer",
    "Values off by",
    "Circuits",
    "Seconds",
]
TOLD = ("backend", "noise_model")
"""Options of a device that a report names; others may be secrets."""


def section(run: Run) -> dict[str, Any]:
    """What the template shows under "device_table": None if ``medqnn evaluate --device`` never ran.

    Raises:
        RunError: If what it left is broken.
    """
    rows = [row for found in read_found(run.folder) for row in _rows(found)]
    return {"device_table": Table(HEADS, rows) if rows else None}


def named(target: dict[str, Any]) -> str:
    """A device and how it was asked, from ``target.Target.facts``."""
    options = [f"{key}={target['options'][key]}" for key in TOLD if key in target["options"]]
    shots = f"{whole(target['shots'])} shots" if target["shots"] else "no shots"
    return f"{' '.join([target['device'], *options])}, {shots}"


def _rows(found: dict[str, Any]) -> Iterator[Row]:
    for name, one in found["variants"].items():
        score = scores(one[EXACT])[0]
        both = (one[which]["scores"][score.key] for which in (DEVICE, EXACT))
        values = one["values"]
        expected = values["by_shots"]
        by_shots = "" if expected is None else f"{expected:.4f} by shots alone"
        cells = [
            Cell(score.title),
            *(Cell(score.text(own["estimate"]), interval(own, score.text)) for own in both),
            Cell(percent(one["agreement"]), f"of {whole(found['images'])} images"),
            Cell(f"{values['mean']:.4f}", by_shots),
            Cell(whole(one["circuits"])),
            Cell(seconds(one["seconds"])),
        ]
        yield Row(f"{name} on {named(found['target'])}", cells)
