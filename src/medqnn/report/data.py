"""The report's sections on the data: how they were split, searched for copies, how they look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medqnn.report import figures, panels, tables
from medqnn.report.formatting import whole
from medqnn.report.run_folder import Run
from medqnn.training.leak import LEAST_SIDE


def section(run: Run) -> dict[str, Any]:
    """What the template needs."""
    return {
        **facts(run),
        "distribution": figures.class_distribution(run.by_class()),
        "samples": list(panels.samples(run)),
        "outlined": run.gallery is not None and bool(run.gallery["masks"].any()),
    }


def facts(run: Run) -> dict[str, Any]:
    """What is said of the split in words and a table, without pictures."""
    parts = run.split.groupby("patient")["part"].nunique()
    return {
        "split": tables.split_table(run),
        "findings": findings(run.facts["data"]),
        "validated": bool((run.split["part"] == "val").any()),
        "patients_in_several_parts": int((parts > 1).sum()),
    }


def findings(data: dict[str, Any]) -> list[str]:
    """What the checks before training found, one sentence each.

    Args:
        data: of run.json; older runs lack some facts.
    """
    sentences = [_search(data)]
    if data.get("split_file"):
        sentences.append(f"The split comes from the file {Path(data['split_file']).name}.")
    if data.get("skipped"):
        sentences.append(
            f"{whole(data['skipped'])} images could not be used and were left out before the "
            "split; skipped.csv names each with the reason."
        )
    elif "skipped" in data:
        sentences.append("All images of the source could be read.")
    return sentences


def _search(data: dict[str, Any]) -> str:
    """What the search for copies across the split found."""
    if data["synthetic"]:
        return "No copies were searched for: a program made each image by itself."
    if "leak" not in data:
        return "The run is older than the search for copies across the split."
    if data["leak"]:
        return (
            f"The search for copies across the split found a leak: {data['leak']}. Training went "
            "on because the user allowed it."
        )
    small = data["image_size"] < LEAST_SIDE
    return "The images were searched for copies across the split: none was found." + (
        f" At {data['image_size']} pixels that means identical images alone; copies that were "
        "altered are not told from look-alikes."
        if small
        else ""
    )
