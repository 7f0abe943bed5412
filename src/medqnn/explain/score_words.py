"""What the scores of explanations mean, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from medqnn.explain.no_network import FLAT, NO_NETWORK, RANDOM, USUAL

ALIKE = 0.5  # |ρ| above which maps of other weights count as much the same
RULING = "average_precision"  # the score against masks that the sentences go by
SCORES = {
    "pointing": "pointing game",
    "energy": "energy inside",
    "average_precision": "average precision",
    "best_dice": "best Dice",
    "deletion": "deletion",
    "deletion_gain": "deletion, over random",
    "insertion": "insertion",
    "insertion_gain": "insertion, over random",
    "sanity_head": "head redrawn",
    "sanity_all": "all redrawn",
    "stability": "under noise",
}  # as tables call them; Jaccard and Dice at a level are tables of their own

Nested = dict[str, dict[str, dict[str, dict[str, Any]]]]  # variant, method, score
Name = tuple[str, str]  # method, variant


def words(found: dict[str, Any]) -> list[str]:
    """The verdicts, each a sentence or two.

    Args:
        found: As `score_summary.summary` gives it.
    """
    every = [_on_the_tumour(found), _of_the_answer(found), _of_what_was_learnt(found)]
    return [text for text in (*every, _without_head(found), *_beside(found)) if text]


def title(method: str) -> str:
    """A method's name in a sentence."""
    return {"grad-cam": "Grad-CAM"}.get(method, method)


def maps_named(names: Iterable[Name]) -> str:
    """Maps by method: "attention of hybrid and dense; Grad-CAM of dense"."""
    by_method: dict[str, list[str]] = {}
    for method, variant in names:
        by_method.setdefault(method, []).append(variant)
    return "; ".join(f"{title(m)} of {_and(variants)}" for m, variants in by_method.items())


def _on_the_tumour(found: dict[str, Any]) -> str:
    if not found["ahead"][FLAT]:
        return ""
    place = USUAL if found["ahead"][USUAL] else FLAT
    ahead = found["ahead"][place]
    blind = found["scores"][NO_NETWORK]
    chance = blind[place][RULING]["estimate"]
    what = "a flat map"
    if place == USUAL:
        what = "a map of where tumours lay in training, the same for every image,"
    return (
        f"On the tumour: {what} ranks tumour pixels with an average precision of {chance:.3f}"
        + (f" (a flat map: {blind[FLAT][RULING]['estimate']:.3f})" if place == USUAL else "")
        + f". Surely better than it: {_or_none(ahead, RULING, _above)}. Surely worse: "
        f"{_or_none(ahead, RULING, _below)}. The others cannot be told from it."
    )


def _of_the_answer(found: dict[str, Any]) -> str:
    scores = found["scores"]
    return (
        "On the answer: blurring pixels in the map's order takes the answer away sooner than in a "
        f"random order, surely, for {_or_none(scores, 'deletion_gain', _above)}; showing them in "
        "that order brings it back sooner, surely, for "
        f"{_or_none(scores, 'insertion_gain', _above)}."
    )


def _of_what_was_learnt(found: dict[str, Any]) -> str:
    same = _chosen(found["scores"], "sanity_all", lambda one: (one["low"] or 0.0) > ALIKE)
    if not same:
        return (
            "On what was learnt: no map surely stays much the same (|ρ| above "
            f"{ALIKE}) when all weights are drawn anew, so all depend on them."
        )
    return (
        f"On what was learnt: with all weights drawn anew, maps surely stay much the same (|ρ| "
        f"above {ALIKE}) for {maps_named(same)}. They fail the sanity check: they show the image "
        "more than what was learnt."
    )


def _without_head(found: dict[str, Any]) -> str:
    same = _chosen(found["scores"], "sanity_head", lambda one: (one["estimate"] or 0.0) > 0.999)
    if not same:
        return ""
    return (
        f"Untouched by the head: {maps_named(same)} stay as they are when quantum layer (or twin) "
        "and classifier are drawn anew. They say where the network looks, not what those make "
        "of it."
    )


def _beside(found: dict[str, Any]) -> list[str]:
    """One sentence a twin."""
    score = RULING if found["ahead"][FLAT] else "deletion_gain"
    texts = []
    for twin, methods in found["differences"].items():
        parts = [
            f"{title(method)} {one['estimate']:+.3f} (p {_p(one['p'])})"
            for method, records in methods.items()
            if (one := records.get(score)) and one["estimate"] is not None
        ]
        unit = "patients" if found["patients_known"] else "images"
        if parts:
            texts.append(
                f"{found['reference']} minus {twin}, {SCORES[score]}: {', '.join(parts)}; "
                f"Wilcoxon's test over {unit}, not corrected for the number of comparisons."
            )
    return texts


def _above(one: dict[str, Any]) -> bool:
    return one["low"] is not None and one["low"] > 0


def _below(one: dict[str, Any]) -> bool:
    return one["high"] is not None and one["high"] < 0


def _chosen(records: Nested, score: str, fits: Callable[[dict[str, Any]], bool]) -> list[Name]:
    """Maps of networks whose score fits, by method."""
    networks = {name: own for name, own in records.items() if name != NO_NETWORK}
    return [
        (method, variant)
        for method in dict.fromkeys(method for own in networks.values() for method in own)
        for variant, own in networks.items()
        if method != RANDOM and score in own.get(method, {}) and fits(own[method][score])
    ]


def _or_none(records: Nested, score: str, fits: Callable[[dict[str, Any]], bool]) -> str:
    return maps_named(_chosen(records, score, fits)) or "none"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.2g}"
