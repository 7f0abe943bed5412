"""What the scores of explanations mean, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from medqnn.explain.no_network import FLAT, NO_NETWORK, RANDOM, USUAL

ALIKE = 0.5  # |ρ| above which maps of other weights count as much the same
FEWEST = 10  # patients from which an interval is taken at its word; of fewer it is too narrow
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


class _Told(NamedTuple):
    """Maps by what their interval says of a line.

    Attributes:
        above: Whose interval lies above it.
        below: Whose interval lies below it.
        undecided: Whose interval holds it, or who have none.
        few: The records of those with fewer than `FEWEST` patients, whatever their interval.
    """

    above: list[Name]
    below: list[Name]
    undecided: list[Name]
    few: dict[Name, dict[str, Any]]

    def any(self) -> bool:
        """Whether a map has patients enough."""
        return bool(self.above or self.below or self.undecided)


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
    blind = found["scores"][NO_NETWORK]
    chance = blind[place][RULING]["estimate"]
    what = "a flat map"
    if place == USUAL:
        what = "a map of where tumours lay in training, the same for every image,"
    told = _told(found["ahead"][place], RULING, 0.0)
    return _joined(
        f"On the tumour: {what} ranks tumour pixels with an average precision of {chance:.3f}"
        + (f" (a flat map: {blind[FLAT][RULING]['estimate']:.3f})." if place == USUAL else "."),
        f"Surely better than it: {_or_none(told.above)}. Surely worse: {_or_none(told.below)}."
        if told.any()
        else "",
        f"Not to be told from it: {maps_named(told.undecided)}." if told.undecided else "",
        _too_few(told, found, "average precision, minus its"),
    )


def _of_the_answer(found: dict[str, Any]) -> str:
    texts = {
        "deletion_gain": "Blurring pixels in the map's order takes the answer away sooner",
        "insertion_gain": "Showing them in that order brings it back sooner",
    }
    parts = []
    for score, text in texts.items():
        told = _told(found["scores"], score, 0.0)
        if told.any():
            parts.append(f"{text} than a random order, surely, for {_or_none(told.above)}.")
        parts.append(_too_few(told, found, SCORES[score]))
    return f"On the answer: {_uncapital(_joined(*parts))}"


def _of_what_was_learnt(found: dict[str, Any]) -> str:
    told = _told(found["scores"], "sanity_all", ALIKE)
    parts = [
        f"Surely changed (|ρ| below {ALIKE}): {maps_named(told.below)}." if told.below else "",
        f"Surely much the same (|ρ| above {ALIKE}): {maps_named(told.above)}; they fail the sanity "
        "check, showing the image more than what was learnt."
        if told.above
        else "",
        f"These images do not decide: {maps_named(told.undecided)}." if told.undecided else "",
        _too_few(told, found, "mean |ρ|", ".3f"),
    ]
    text = _uncapital(_joined(*parts))
    return text and f"On what was learnt, maps with all weights drawn anew: {text}"


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


def _chosen(records: Nested, score: str, fits: Callable[[dict[str, Any]], bool]) -> list[Name]:
    """Maps of networks whose score fits, by method."""
    networks = {name: own for name, own in records.items() if name != NO_NETWORK}
    return [
        (method, variant)
        for method in dict.fromkeys(method for own in networks.values() for method in own)
        for variant, own in networks.items()
        if method != RANDOM and score in own.get(method, {}) and fits(own[method][score])
    ]


def _told(records: Nested, score: str, line: float) -> _Told:
    """Maps of networks by the side of the line that their interval is on."""
    above, below, undecided, few = (
        _chosen(records, score, lambda one, side=side: _side(one, line) == side)  # type: ignore[misc]
        for side in _Told._fields
    )
    numbers = {(method, variant): records[variant][method][score] for method, variant in few}
    return _Told(above, below, undecided, numbers)


def _side(one: dict[str, Any], line: float) -> str:
    """Which of the fields of `_Told` a score belongs to."""
    if _patients(one) < FEWEST:
        return "few"
    if one["low"] is not None and one["low"] > line:
        return "above"
    return "below" if one["high"] is not None and one["high"] < line else "undecided"


def _too_few(told: _Told, found: dict[str, Any], what: str, form: str = "+.3f") -> str:
    """The plain numbers of maps whose images decide nothing."""
    if not told.few:
        return ""
    counts = [_patients(one) for one in told.few.values()]
    number = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else f"{counts[0]}"
    unit = "patients" if found["patients_known"] else "images"
    means = maps_named(
        (method, f"{variant} {one['estimate']:{form}}")
        for (method, variant), one in told.few.items()
    )
    return f"So few {unit} ({number}) decide nothing; {what}: {means}."


def _patients(one: dict[str, Any]) -> int:
    """Of one score; images in files that did not count patients yet."""
    count: int = one.get("patients", one["images"])
    return count


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:]


def _or_none(names: Sequence[Name]) -> str:
    return maps_named(names) or "none"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.2g}"
