"""Verdicts on a hybrid, made from numbers by rules.

Against one twin, on one score, the first that holds:

1. `no difference`: the two one-sided tests find the two equivalent (p < 0.05), and the 90 %
   interval of the hierarchical bootstrap lies within ±margin. This comes first: a difference that
   is told from zero but is smaller than what matters is no help.
   Where neither of the two is surely better than always giving the commonest answer, being alike
   says nothing: `cannot tell`.
2. `helps`: Holm's p of the corrected t is below 0.05, the 95 % interval of the hierarchical
   bootstrap leaves zero out, and both favour the hybrid. So runs and patients must both say so.
3. `hurts`: the same in favour of the twin.
4. `cannot tell`: anything else. It says how many seeds would be expected to settle it. Where
   the choice of patients keeps the interval too wide, no number of seeds does.

Against the whole set of twins, the first that holds:

1. `hurts`: a classical layer in its place (dense, matched), or no layer at all (none), does better.
2. `no difference`: one of these does as well.
3. `cannot tell`: dense or matched is not told from the hybrid, or neither was run.
4. `quantum part helps`: the classical layers, none, frozen and product were all run and are all
   beaten.
5. `helps`: the classical layers are beaten, but not all that would show what is quantum to be the
   reason. Training the circuit is not what helps where frozen does as well, entanglement not where
   product does as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from medqnn.evaluation.repeated.wording import amount, listed, named, span

HELPS, HURTS, SAME, UNKNOWN = "helps", "hurts", "no difference", "cannot tell"
QUANTUM = "quantum part helps"
ALPHA, Z = 0.05, 1.96
CLASSICAL = ("dense", "matched")
WITHOUT = {"layer": "none", "training": "frozen", "entanglement": "product"}  # part: its twin
SHOWN = {HELPS: True, SAME: False, HURTS: False}


class Evidence(NamedTuple):
    """What is known of hybrid against twin on one score; positive is in the hybrid's favour.

    Attributes:
        gain: mean difference over folds and seeds; NaN if there is none.
        p_holm: of the corrected t, corrected; NaN without a test.
        interval: 95 % of the hierarchical bootstrap, (low, high).
        interval_90: 90 % of the same.
        equivalent: answer of the two one-sided tests.
        margin: the largest difference that does not matter.
        patients_se: standard error that the choice of test patients alone gives.
        folds: with runs of both.
        seeds: a fold, the mean.
        seeds_for_difference: from `power`.
        seeds_for_margin: from `power`.
        units: what the bootstrap draws, in words.
        at_floor: whether neither is surely better than always giving the commonest answer.
    """

    gain: float
    p_holm: float
    interval: tuple[float, float]
    interval_90: tuple[float, float]
    equivalent: bool
    margin: float
    patients_se: float
    folds: int
    seeds: float
    seeds_for_difference: int | None
    seeds_for_margin: int | None
    units: str
    at_floor: bool = False


class Verdict(NamedTuple):
    """A code, why in a sentence or two, and the seeds a fold that would be expected to settle it.

    `seeds_needed` is None where it is settled, or where no number of seeds would do.
    """

    code: str
    sentence: str
    seeds_needed: int | None


class Overall(NamedTuple):
    """A code, why, and of layer, training and entanglement whether each helps.

    A part is True if the twin without it is beaten, False if that does as well or better, None if
    it cannot be told or was not run.
    """

    code: str
    sentence: str
    parts: dict[str, bool | None]


def verdict(evidence: Evidence, twin: str, score: str) -> Verdict:
    """The verdict against one twin, by the rules above.

    Args:
        evidence: the numbers.
        twin: its name, for the sentence.
        score: name of the score, for the sentence.
    """
    code = _code(evidence)
    if np.isnan(evidence.gain):
        return Verdict(code, f"There is no {named(score)} of hybrid and {twin} to compare.", None)
    figures, needed = _figures(evidence, score), None
    if code == SAME and evidence.at_floor:
        code, sentence = UNKNOWN, f"Hybrid and {twin} are alike, but {FLOOR}: {figures}."
    elif code == UNKNOWN:
        needed, after = _advice(evidence)
        sentence = f"Hybrid and {twin} cannot be told apart: {figures}. {after}"
    elif code == SAME:
        within = f"{amount(evidence.margin, score)} in {named(score)}"
        sentence = f"Hybrid and {twin} do not differ by as much as {within}: {figures}."
    else:
        sentence = f"The hybrid {code} against {twin}: {figures}."
    one_split = evidence.folds == 1 and code != UNKNOWN
    caveat = f" This is one split: with other {evidence.units} to train on it may be otherwise."
    return Verdict(code, sentence + (caveat if one_split else ""), needed)


def overall(codes: Mapping[str, str]) -> Overall:
    """The verdict against all twins, from their codes by name; other variants count for nothing."""
    classical = {twin: codes[twin] for twin in CLASSICAL if twin in codes}
    parts = {part: SHOWN.get(codes.get(twin, UNKNOWN)) for part, twin in WITHOUT.items()}
    better, as_well, unclear = (
        [twin for twin, code in classical.items() if code == sought]
        for sought in (HURTS, SAME, UNKNOWN)
    )
    {HURTS: better, SAME: as_well}.get(codes.get("none", UNKNOWN), []).append("none")
    if better:
        code, why = HURTS, f"{_instead(better)} better"
    elif as_well:
        code, why = SAME, f"{_instead(as_well)} as well"
    elif unclear:
        code, why = UNKNOWN, f"{listed(unclear)} cannot be told from it"
    elif not classical:
        code, why = UNKNOWN, "no classical twin was run"
    else:
        code, why = _credit(list(classical), parts)
    return Overall(code, f"{OPENING[code]}: {why}.", parts)


FLOOR = "neither is surely better than always giving the commonest answer"
OPENING = {
    HURTS: "The quantum layer hurts",
    SAME: "The quantum layer makes no difference",
    UNKNOWN: "Whether the quantum layer helps cannot be told",
    HELPS: "The hybrid helps against classical layers, which is not yet the quantum part",
    QUANTUM: "The quantum part helps",
}


def _instead(twins: Sequence[str]) -> str:
    """What does something in the quantum layer's place."""
    layers = [twin for twin in twins if twin != "none"]
    names = [f"{listed(layers)} in its place"] if layers else []
    without = ["the network without it"] if "none" in twins else []
    return f"{listed(names + without)} {'does' if len(twins) == 1 else 'do'}"


def _code(e: Evidence) -> str:
    inside = -e.margin < e.interval_90[0] and e.interval_90[1] < e.margin
    if e.equivalent and inside:
        return SAME
    if e.p_holm < ALPHA and e.gain > 0 and e.interval[0] > 0:
        return HELPS
    if e.p_holm < ALPHA and e.gain < 0 and e.interval[1] < 0:
        return HURTS
    return UNKNOWN


def _figures(e: Evidence, score: str) -> str:
    p = "no test over runs" if np.isnan(e.p_holm) else f"Holm's p {_p(e.p_holm)}"
    better = "better" if e.gain > 0 else "worse"
    gain = f"is {better} by {amount(abs(e.gain), score)}" if e.gain else "is the same"
    return f"{named(score)} {gain} ({_interval(e, score)}; {p})"


def _interval(e: Evidence, score: str) -> str:
    if np.isnan(e.interval[0]):
        return f"no interval over {e.units}"
    drawn = f"folds, seeds and {e.units}" if e.folds > 1 else f"seeds and {e.units}"
    return f"95% interval of the gain over {drawn} {span(*e.interval, score)}"


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.2g}"


def _advice(e: Evidence) -> tuple[int | None, str]:
    """Seeds a fold that would be expected to settle it, and the sentence."""
    if e.seeds <= 1:
        return None, "One seed a fold does not tell how many more it takes: run three or more."
    by_patients = Z * e.patients_se
    ways = [
        e.seeds_for_difference if by_patients < abs(e.gain) else None,
        e.seeds_for_margin if 2 * by_patients < e.margin else None,
    ]
    enough = [seeds for seeds in ways if seeds is not None]
    if not enough:
        return None, f"More seeds would not settle it: it takes more {e.units} or folds."
    needed = max(min(enough), int(e.seeds) + 1)
    more = round((needed - e.seeds) * e.folds)
    return needed, (
        f"About {needed} seeds a fold in place of {e.seeds:g} would be expected to settle it, "
        f"{more} more runs of each."
    )


def _credit(classical: Sequence[str], parts: Mapping[str, bool | None]) -> tuple[str, str]:
    """The classical layers are beaten: by what?"""
    if all(parts.values()):
        return QUANTUM, f"{listed([*classical, *WITHOUT.values()])} are beaten"
    idle, unclear = (
        [f"{part} ({WITHOUT[part]})" for part, helps in parts.items() if helps is sought]
        for sought in (False, None)
    )
    reasons = [f"better than {listed(classical)}"]
    if idle:
        reasons.append(f"as well without {listed(idle)}")
    if unclear:
        reasons.append(f"not known without {listed(unclear)}")
    return HELPS, "; ".join(reasons)
