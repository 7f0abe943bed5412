"""What a report opens with: what the network is for and not for, its main figures in words."""

from __future__ import annotations

from typing import Any

from medqnn.report.formatting import decimal, interval, percent, whole
from medqnn.report.run_folder import Run, Variant
from medqnn.report.scores import task_of


def section(run: Run) -> dict[str, Any]:
    """What the templates need to open a report or a card.

    Returns:
        facts, data (of them), task ("binary", "multi-class" or "multi-label"), units ("patients" or
        "images"), title, about (of the paper), published, names (of the networks), figures
        (sentences), test (metrics of the first network).
    """
    about = {key: value for key, value in run.about.items() if key != "published" and value}
    return {
        "facts": run.facts,
        "data": run.facts["data"],
        "task": task_of(run.variants[0].metrics),
        "units": "patients" if run.facts["data"]["patients_known"] else "images",
        "title": str(about.pop("title", run.facts["system"])),
        "about": about,
        "published": run.about.get("published") or {},
        "names": [variant.name for variant in run.variants],
        "figures": [in_words(variant) for variant in run.variants],
        "commonest": commonest(run.variants[0].metrics),
        "test": run.variants[0].metrics,
    }


def in_words(variant: Variant) -> str:
    """The main figures of a network, with intervals, as a sentence."""
    metrics, name = variant.metrics, variant.name
    task = task_of(metrics)
    if task == "multi-label":
        return (
            f"{name} reaches a mean AUROC over the findings of {_with_interval(metrics, 'auroc')}: "
            "the chance that an image with a finding gets a higher probability of it than one "
            "without; 0.5 is guessing."
        )
    right = f"{name} gives the right answer on {_with_interval(metrics, 'accuracy')} of the images"
    if task == "multi-class":
        return f"{right}; its mean recall over the classes is " + (
            f"{_with_interval(metrics, 'balanced_accuracy')}."
        )
    first, second = metrics["classes"]
    of_each = [f"{_with_interval(metrics, f'recall[{one}]')} of {one}" for one in (second, first)]
    return f"{right}: {' and '.join(of_each)}."


def _with_interval(metrics: dict[str, Any], key: str) -> str:
    record = metrics["scores"][key]
    text = decimal if key == "auroc" else percent
    spread = interval(record, text)
    level = metrics["interval"]["level"]
    return text(record["estimate"]) + (f" ({level:.0%} interval {spread})" if spread else "")


def commonest(metrics: dict[str, Any]) -> str | None:
    """What always giving the commonest class would reach, as a sentence; None for findings."""
    if task_of(metrics) == "multi-label":
        return None
    counts = {name: metrics["class_report"][name]["support"] for name in metrics["classes"]}
    most = max(counts, key=lambda name: counts[name])
    share = percent(counts[most] / sum(counts.values()))
    return (
        f"Answering {most} to every image would be right on {share} ({whole(counts[most])} of "
        f"{whole(sum(counts.values()))})."
    )
