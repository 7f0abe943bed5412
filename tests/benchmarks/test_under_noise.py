from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import _under_noise as under
import results

from medqnn.under_noise.settings import MITIGATIONS, SHOTS

PATH = results.TABLES / "noise.csv"
ROWS = pd.read_csv(PATH)
NOISE = under.UnderNoise(PATH)


def scores(score: str, shots: int | None = None, **wanted: str) -> list[float]:
    """By seed, from the table itself."""
    own = ROWS[ROWS["shots"].isna() if shots is None else ROWS["shots"] == shots]
    for column, value in wanted.items():
        own = own[own[column] == value]
    assert list(own["seed"]) == list(range(NOISE.seeds))
    return own[score].tolist()


def test_every_network_of_every_seed_has_every_setting() -> None:
    each = ROWS.groupby(["system", "trained", "variant", "seed"]).size().unstack()
    here = len(SHOTS) + 1 + len(NOISE.devices) * (len(MITIGATIONS) + 2 * len(SHOTS))
    assert each.shape == (8, 5)
    assert set(each.xs("hybrid", level="variant").to_numpy().flat) == {here}
    assert set(each.xs("dense", level="variant").to_numpy().flat) == {1}
    assert not ROWS.duplicated([*under.NETWORK, "seed", "device", "mitigation", "shots"]).any()


@pytest.mark.parametrize("score", ["accuracy", "auroc"])
@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("noise", {"device": "ibm-eagle"}, {"device": "exact"}),
        ("trained for it", {"trained": "ibm-eagle"}, {}),
        ("mitigated", {"mitigation": "both"}, {}),
        ("mitigated, 64 shots", {"mitigation": "both", "shots": 64}, {"shots": 64}),
        ("beside the dense twin", {}, {"variant": "dense", "device": "exact"}),
    ],
)
def test_effects_are_those_of_a_paired_t_test(
    question: str, one: dict, other: dict, score: str
) -> None:
    system = "hqcm-ebtc, head"
    usual = {"system": system, "variant": "hybrid", "trained": "plain"}
    usual |= {"device": "ibm-eagle", "mitigation": "none"}
    a, b = (scores(score, **usual | changed) for changed in (one, other))
    found = NOISE.effect(question, system, "ibm-eagle", score)
    low, high = stats.ttest_rel(a, b).confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.mean == pytest.approx(sum(a) / len(a) - sum(b) / len(b))


def test_a_tally_counts_the_intervals_that_leave_zero_out() -> None:
    ends = [
        NOISE.effect("mitigated", system, device, score)
        for system in NOISE.systems
        for device in NOISE.devices
        for score in ("accuracy", "auroc")
    ]
    above, below = sum(one.low > 0 for one in ends), sum(one.high < 0 for one in ends)
    words = f"of {len(ends)} intervals {above} lie above zero and {below} below"
    assert NOISE.tally("mitigated").endswith(words)


def test_tables_show_means_over_seeds() -> None:
    own = {"system": "hqcm-ebtc, head", "variant": "hybrid", "trained": "ionq-aria"}
    there = own | {"device": "ionq-aria", "mitigation": "both"}
    accuracy, auroc = (pd.Series(scores(name, **there)) for name in ("accuracy", "auroc"))
    cell = f"{accuracy.mean():.3f} ± {accuracy.std():.3f}, {auroc.mean():.3f} |"
    line = next(
        text
        for text in NOISE.networks().splitlines()
        if text.startswith("| hqcm-ebtc, head: hybrid | ionq-aria |")
    )
    assert line.endswith(cell)
    drawn = [pd.Series(scores("accuracy", count, **there)).mean() for count in SHOTS]
    cells = [f"{value:.3f}" for value in (*drawn, accuracy.mean())]
    expected = f"| ionq-aria | ionq-aria | both | {' | '.join(cells)} |"
    assert expected in NOISE.by_shots("hqcm-ebtc, head").splitlines()
    off = scores("deviation", **there | {"trained": "plain"})
    text = next(one for one in NOISE.deviations().splitlines() if "head | ionq-aria" in one)
    assert text.endswith(f"{sum(off) / len(off):.4f} |")


def test_what_a_wrong_device_costs() -> None:
    own = {"system": "hqcnn-medmnist", "variant": "hybrid", "trained": "ionq-aria"}
    there = scores("accuracy", **own, device="ibm-eagle", mitigation="none")
    exact = scores("accuracy", **own, device="exact")
    low, high = stats.ttest_rel(there, exact).confidence_interval()
    mean = sum(there) / len(there) - sum(exact) / len(exact)
    expected = f"{100 * mean:+.2f} ({100 * low:+.2f} to {100 * high:+.2f}) points"
    assert NOISE.cost("hqcnn-medmnist", "ionq-aria", "ibm-eagle") == expected
