"""Tables of training under noise for docs/results.md, from docs/results/noise.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from medqnn.evaluation.repeated.corrected_t import CorrectedT, corrected_t
from medqnn.layers.twins import HYBRID
from medqnn.study.leaderboard import as_markdown

PLAIN, EXACT, NONE, BOTH = "plain", "exact", "none", "both"
NETWORK = ["system", "variant", "trained"]
WAYS = {
    NONE: "as it is",
    "readout": "readout inverted",
    "extrapolated": "extrapolated",
    BOTH: "both",
}


class Way(NamedTuple):
    """A network and where its circuits run; without shots unless told."""

    variant: str
    trained: str
    device: str
    mitigation: str = NONE
    shots: float | None = None


Question = Callable[[str], tuple[Way, Way]]
"""What is compared with what on a device."""

QUESTIONS: dict[str, Question] = {
    "noise": lambda device: (Way(HYBRID, PLAIN, device), Way(HYBRID, PLAIN, EXACT)),
    "trained for it": lambda device: (Way(HYBRID, device, device), Way(HYBRID, PLAIN, device)),
    "mitigated": lambda device: (Way(HYBRID, PLAIN, device, BOTH), Way(HYBRID, PLAIN, device)),
    "mitigated, 64 shots": lambda device: (
        Way(HYBRID, PLAIN, device, BOTH, 64),
        Way(HYBRID, PLAIN, device, NONE, 64),
    ),
    "beside the dense twin": lambda device: (
        Way(HYBRID, PLAIN, device),
        Way("dense", PLAIN, EXACT),
    ),
}


class UnderNoise:
    """What the page says of networks on noisy devices, from the kept table alone.

    Args:
        path: As `noisy_training.py` writes it: a row a network, seed and setting.
    """

    def __init__(self, path: Path) -> None:
        self.rows = pd.read_csv(path)
        self.systems = list(self.rows["system"].unique())
        self.devices = [name for name in self.rows["device"].unique() if name != EXACT]
        self.seeds = self.rows["seed"].nunique()

    def networks(self) -> str:
        """Accuracy and AUROC of every network, exactly and on the devices, in Markdown."""
        lines = []
        for system, variant, trained in self.rows[NETWORK].drop_duplicates().to_numpy():
            own = Way(variant, trained, EXACT)
            line = {"network": f"{system}: {variant}", "trained": trained}
            line["exact"] = self._spread(system, own)
            for device in self.devices:
                for mitigation, title in ((NONE, device), (BOTH, f"{device}, mitigated")):
                    there = own._replace(device=device, mitigation=mitigation)
                    line[title] = self._spread(system, there) if variant == HYBRID else "–"
            lines.append(line)
        return as_markdown(pd.DataFrame(lines))

    def by_shots(self, system: str) -> str:
        """Mean accuracy of a system's hybrid by shots, in Markdown."""
        places = [(PLAIN, EXACT, NONE)]
        for device in self.devices:
            places += [(way, device, how) for way in (PLAIN, device) for how in (NONE, BOTH)]
        counts = sorted(self.rows["shots"].dropna().unique())
        lines = []
        for trained, device, mitigation in places:
            line = {"trained": trained, "device": "no noise" if device == EXACT else device}
            line["mitigation"] = "" if mitigation == NONE else mitigation
            for count in (*counts, None):
                own = self._seeds(system, Way(HYBRID, trained, device, mitigation, count))
                line["∞" if count is None else f"{count:,.0f}"] = f"{own.mean():.3f}"
            lines.append(line)
        return as_markdown(pd.DataFrame(lines))

    def deviations(self) -> str:
        """How far the circuits' values are off, by mitigation, in Markdown."""
        plain = self.rows.query("variant == @HYBRID and trained == @PLAIN and shots.isna()")
        on = plain[plain["device"] != EXACT]
        wide = on.pivot_table("deviation", ["system", "device"], "mitigation", sort=False)
        text = wide[list(WAYS)].rename(columns=WAYS).map("{:.4f}".format).reset_index()
        return as_markdown(text)

    def effects(self) -> str:
        """Every question's difference of accuracy and of AUROC, in points, in Markdown."""
        lines = [
            {
                "question": question,
                "system": system,
                "device": device,
                "accuracy": _points(self.effect(question, system, device, "accuracy")),
                "AUROC": _points(self.effect(question, system, device, "auroc")),
            }
            for question, system, device in self._asked()
        ]
        return as_markdown(pd.DataFrame(lines))

    def range(self, question: str) -> str:
        """Least and greatest mean difference of a question, in points."""
        means = [100 * one.mean for one in self._found(question)]
        return f"{min(means):+.2f} to {max(means):+.2f}"

    def tally(self, question: str) -> str:
        """The range, and how many intervals leave zero out, in words."""
        found = self._found(question)
        above, below = sum(one.low > 0 for one in found), sum(one.high < 0 for one in found)
        return (
            f"{self.range(question)} points; of {len(found)} intervals {above} lie above zero and "
            f"{below} below"
        )

    def effect(self, question: str, system: str, device: str, score: str) -> CorrectedT:
        """A question's mean difference over pairs of one seed, with its t interval."""
        return self._paired(system, *QUESTIONS[question](device), score)

    def cost(self, system: str, trained: str, device: str) -> str:
        """Accuracy of the hybrid that was trained for one device, on another, minus exact."""
        there, exact = (Way(HYBRID, trained, place) for place in (device, EXACT))
        return f"{_points(self._paired(system, there, exact, 'accuracy'))} points"

    def floor(self, system: str) -> str:
        """Accuracy of always giving the commonest answer, and the test images."""
        first = self.rows[self.rows["system"] == system].iloc[0]
        return f"{100 * first['commonest']:.1f} % of {first['images']:.0f} test images"

    def _found(self, question: str) -> list[CorrectedT]:
        return [
            self.effect(*asked, score)
            for asked in self._asked()
            if asked[0] == question
            for score in ("accuracy", "auroc")
        ]

    def _asked(self) -> Iterator[tuple[str, str, str]]:
        for question in QUESTIONS:
            for system in self.systems:
                for device in self.devices:
                    yield question, system, device

    def _paired(self, system: str, one: Way, other: Way, score: str) -> CorrectedT:
        pairs = self._seeds(system, one, score) - self._seeds(system, other, score)
        return corrected_t(pairs.to_numpy()[None], test_over_train=1.0)

    def _seeds(self, system: str, way: Way, score: str = "accuracy") -> pd.Series:
        """A score by seed."""
        rows, circuits = self.rows[self.rows["system"] == system], way.variant == HYBRID
        device, mitigation = (way.device, way.mitigation) if circuits else (EXACT, NONE)
        own = rows[
            (rows["variant"] == way.variant)
            & (rows["trained"] == way.trained)
            & (rows["device"] == device)
            & (rows["mitigation"] == mitigation)
            & (rows["shots"].isna() if way.shots is None else rows["shots"] == way.shots)
        ]
        return own.set_index("seed")[score].sort_index()

    def _spread(self, system: str, way: Way) -> str:
        accuracy, auroc = (self._seeds(system, way, score) for score in ("accuracy", "auroc"))
        spread = f" ± {accuracy.std():.3f}" if self.seeds > 1 else ""
        return f"{accuracy.mean():.3f}{spread}, {auroc.mean():.3f}"


def _points(found: CorrectedT) -> str:
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(
        *(100 * end for end in (found.mean, found.low, found.high))
    )
