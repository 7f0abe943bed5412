"""A comparison of two models as plain sentences."""

from __future__ import annotations

from typing import Any


def in_words(comparison: dict[str, Any]) -> str:
    """What `evaluate.compare` found, in words.

    A model is called the better only if the interval of the difference in accuracy (where findings
    may occur together: in mean AUROC) leaves zero out. Where McNemar's test (at 1 − level) says
    otherwise, that is said too.
    """
    ranked = comparison["task"] == "multi-label"
    gain = comparison["differences"]["auroc" if ranked else "accuracy"]
    if gain["difference"] is None:
        return "No finding is present on some images and absent on others: nothing to compare."
    difference = (
        f"a difference of {gain['difference']:+.3f}"
        if ranked
        else f"a difference of {100 * gain['difference']:+.1f} percentage points"
    )
    sentences = [f"{_figures(comparison, gain)}, {difference}{_verdict(comparison, gain)}."]
    if not ranked:
        sentences.append(_mcnemar(comparison, gain))
    return " ".join([*sentences, _reach(comparison, gain)])


def _figures(comparison: dict[str, Any], gain: dict[str, Any]) -> str:
    a, b, differences = comparison["a"], comparison["b"], comparison["differences"]
    images = f"{comparison['images']} images"
    if comparison["patients_known"]:
        images += f" of {comparison['patients']} patients"
    if comparison["task"] != "multi-label":
        return f"{a} is right on {gain['a']:.1%} and {b} on {gain['b']:.1%} of {images}"
    scored = [n for n in comparison["classes"] if differences[f"auroc[{n}]"]["a"] is not None]
    return (
        f"{a} has a mean AUROC of {gain['a']:.3f} and {b} of {gain['b']:.3f} over {len(scored)} "
        f"findings on {images}"
    )


def _verdict(comparison: dict[str, Any], gain: dict[str, Any]) -> str:
    if gain["low"] is None:
        return f"; one {_unit(comparison)} alone gives no interval"
    ranked = comparison["task"] == "multi-label"
    low, high = (
        f"{gain[end]:+.3f}" if ranked else f"{100 * gain[end]:+.1f}" for end in ("low", "high")
    )
    interval = f" ({comparison['interval']['level']:.0%} interval {low} to {high}): the interval"
    if not _excludes_zero(gain):
        return f"{interval} includes zero, so these images do not tell the two apart"
    better = comparison["a" if gain["difference"] > 0 else "b"]
    verdict = "ranks the findings better" if ranked else "is the more accurate"
    return f"{interval} excludes zero, so {better} {verdict} here"


def _mcnemar(comparison: dict[str, Any], gain: dict[str, Any]) -> str:
    p = comparison["mcnemar"]["p"]
    text = "< 0.0001" if p < 0.0001 else f"= {p:.2g}"
    test = f"McNemar's exact test, which takes images for independent, gives p {text}"
    significant = p < 1 - comparison["interval"]["level"]
    if gain["low"] is None or _excludes_zero(gain) == significant:
        return f"{test}."
    if comparison["patients_known"]:
        return f"{test}, so test and interval disagree, and the interval is the one to go by."
    return f"{test}, so test and interval disagree: these images do not settle it."


def _reach(comparison: dict[str, Any], gain: dict[str, Any]) -> str:
    """What the figures do not cover."""
    if gain["low"] is None:
        return "This is one seed."
    reach = (
        f"This is one seed; the interval covers the choice of test {_unit(comparison)}s, not of "
        "training seeds."
    )
    if comparison["patients_known"]:
        return reach
    return (
        f"{reach} The data set names no patients, so the interval is too narrow where images "
        "share one."
    )


def _unit(comparison: dict[str, Any]) -> str:
    return "patient" if comparison["patients_known"] else "image"


def _excludes_zero(gain: dict[str, Any]) -> bool:
    return bool(gain["low"] > 0 or gain["high"] < 0)
