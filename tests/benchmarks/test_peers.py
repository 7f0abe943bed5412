from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from _contenders import Case
from peers import contest, environments, tables
from peers.catalogue import PEERS, Peer
from peers.talk import DeadError, SlowError, Talk

from medqnn.circuits import Circuit

CASE = Case("tiny", Circuit(3, 3, "amplitude", "Y"), circuits=2, batch=2)
TERMS = contest.Terms(rounds=2, milliseconds=1.0, limit=120.0, device="cpu")
REAL = ("peers.medqnn_layer", "peers.pennylane_torch")
ODD = """
import time
from peers import autograd
from peers.medqnn_pytorch import DEVICES, DTYPES, PACKAGES, build as right
from peers.problem import LacksError

def build(problem):
    run, fault = right(problem), next(FAULTS)
    if fault == "sleeps":
        time.sleep(60)
    if fault == "lacks":
        raise LacksError("no such layer")
    if fault == "raises":
        raise ValueError("broken\\nand more")
    print("noise on standard output")
    return lambda: {
        "none": lambda values, x, w: (values, x, w),
        "lies": lambda values, x, w: (values, x, -w),
        "slightly": lambda values, x, w: (values, x + 1e-5, w),
        "weights": lambda values, x, w: (values, None, w),
    }[fault](*run())

FAULTS = iter("lies none slightly lacks raises lies lies weights weights sleeps".split())
"""
FLOOR = Peer("floor", "odd", checked=False)
ODD_PEERS = [*(Peer(name, "odd") for name in ("lies", "float64", "lacks", "raises")), FLOOR]
ODD_PEERS += [Peer("weights", "odd")]


def talk(module: str) -> Talk:
    return Talk(Path(sys.executable), module, threads=1)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    """A worker whose peer has another fault each time that it builds a step."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd.py").write_text(ODD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        worker = talk("odd")
        yield worker
        worker.close()


@pytest.fixture(scope="module")
def rows(odd: Talk) -> dict[str, contest.Row]:
    """One case with two real peers, peers that go wrong, and one that is not there."""
    real = [contest.Entrant(peer, talk(peer.module)) for peer in PEERS if peer.module in REAL]
    entrants = real + [contest.Entrant(peer, odd) for peer in ODD_PEERS]
    entrants.append(contest.Entrant(Peer("absent", "x"), None, "no wheel for this Python"))
    told: list[str] = []
    with ExitStack() as workers:
        for one in filter(None, (entrant.talk for entrant in real)):
            workers.callback(one.close)
        found = contest.contest(CASE, entrants, TERMS, told.append)
    assert told[0] == "tiny: medqnn, first call and check"
    return found


def test_peers_that_agree_are_timed(rows: dict[str, contest.Row]) -> None:
    for name in ("medqnn", "PennyLane + PyTorch", "floor"):
        row = rows[name]
        assert row["status"] == "timed"
        assert row["rounds"] == TERMS.rounds
        assert 0 < row["quartiles_ms"][0] <= row["median_ms"] <= row["quartiles_ms"][1]
        assert row["dtype"] == "float32"
        assert row["peak_mb"] >= row["before_mb"] > 50
    assert rows["medqnn"]["ratio_to_ours"] == 1
    for name in ("medqnn", "PennyLane + PyTorch"):
        assert 1e-9 < rows[name]["deviations"]["float32"] < 1e-5
        assert rows[name]["deviations"]["float64"] < 1e-12
    assert rows["floor"]["deviations"] == {}


def test_peers_that_differ_are_not_timed(rows: dict[str, contest.Row]) -> None:
    assert rows["lies"]["status"] == "differs"
    assert rows["lies"]["deviations"]["float32"] > 0.1
    assert rows["float64"]["status"] == "differs"
    assert "in float64" in rows["float64"]["reason"]
    assert not {"median_ms", "rounds"} & (rows["lies"].keys() | rows["float64"].keys())


def test_what_a_peer_cannot_do_is_a_reason_and_no_crash(rows: dict[str, contest.Row]) -> None:
    told = {name: (row["status"], row.get("reason")) for name, row in rows.items()}
    assert told["lacks"] == ("lacks", "no such layer")
    assert told["raises"] == ("failed", "ValueError: broken")
    assert told["absent"] == ("absent", "no wheel for this Python")
    assert told["weights"] == ("timed", None)
    assert rows["weights"]["weights_only"]


def test_tables_give_figures_or_footnotes(rows: dict[str, contest.Row]) -> None:
    text = tables.markdown({"tiny": rows, "again": rows})
    lines = {line.split(" | ")[0]: line for line in text.split("\n\n")[1].splitlines()}
    ours = tables.figure(rows["medqnn"]["median_ms"])
    assert lines["| medqnn"] == f"| medqnn | {ours} (1×) | {ours} (1×) |"
    assert lines["| lies"] == "| lies | –¹ | –¹ |"
    assert text.endswith("¹ " + text.rsplit("¹ ", 1)[1])
    assert "\n¹ its numbers are off by" in text
    assert "³ no such layer" in text
    assert lines["| weights"].endswith("⁵ |")
    shown = tables.terminal({"tiny": rows})
    assert [one.row_count for one in shown[:3]] == [len(rows)] * 3
    assert shown[3].startswith("¹ its numbers")


def test_a_worker_that_does_not_answer_is_left_behind(
    rows: dict[str, contest.Row], odd: Talk, tmp_path: Path
) -> None:
    sleeper = contest.Entrant(Peer("sleeps", "odd"), odd)
    drawn = zip(("inputs", "weights", "cotangent"), CASE.draw(torch.float64), strict=True)
    np.savez(tmp_path / "arrays.npz", **{name: array.detach().numpy() for name, array in drawn})
    row = contest.qualified(sleeper, CASE, replace(TERMS, limit=0.2), {}, tmp_path)
    assert row["status"] == "slower"
    assert row["reason"] == "no answer within 0.2 s"
    assert odd.process is None


def test_a_peer_that_cannot_be_imported_says_why() -> None:
    broken = talk("no_such_peer")
    assert broken.ask("load", 60.0)["failed"].startswith("ModuleNotFoundError")
    broken.close()


def test_a_worker_that_dies_leaves_its_last_words() -> None:
    dead = talk("peers")
    dead.command = [sys.executable, "-c", "raise SystemExit('out of order')"]
    with pytest.raises(DeadError, match=r"out of order \(exit 1\)"):
        dead.ask("load", 60.0)
    assert dead.process is None


def test_ratios_are_of_the_same_rounds_to_ours() -> None:
    ours, own = (
        [{"ms": ms, "processor_ms": ms / 2} for ms in times]
        for times in ((1.0, 10.0, 2.0), (4.0, 20.0))
    )
    found = contest.summary(own, ours)
    assert found["ratio_to_ours"] == 3
    assert found["median_ms"] == 12
    assert found["processor_ms"] == 2
    assert found["rounds"] == 2
    assert contest.summary(own, [])["ratio_to_ours"] is None


def test_deviation_is_relative_above_one_and_infinite_for_nonsense() -> None:
    expected = np.array([4.0, 0.0])
    assert contest.deviation(np.array([4.0, 0.4]), expected) == pytest.approx(0.1)
    assert contest.deviation(np.array([0.1]), np.array([0.0])) == pytest.approx(0.1)
    assert contest.deviation(np.array([4.0, np.nan]), expected) == np.inf
    assert contest.deviation(np.array([[4.0, 0.0]]), expected) == np.inf


@pytest.mark.parametrize(
    ("error", "status"), [(SlowError(), "slower"), (DeadError("gone"), "failed")]
)
def test_a_turn_that_fails_takes_the_peer_out(error: Exception, status: str) -> None:
    class Failing:
        def ask(self, *given: object, **named: object) -> None:
            raise error

    row = {"status": "timed", "seconds": 0.0}
    contest.turn(Failing(), row, [], TERMS)  # type: ignore[arg-type]
    assert row["status"] == status


def test_a_package_that_cannot_be_had_is_pips_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "torch.txt").write_text("medqnn-has-no-such-peer==1.0\n")
    with pytest.raises(environments.NotInstalledError, match=r"^ERROR: No matching distribution"):
        environments.python("torch", tmp_path)


def test_an_environment_is_made_once_and_sees_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    made: list[str] = []
    monkeypatch.setattr(environments, "install", lambda _, pinned: made.append(pinned.stem))
    for name in ("torch", "other"):
        (tmp_path / f"{name}.txt").touch()
    interpreter = environments.python("other", tmp_path)
    assert environments.python("other", tmp_path) == interpreter
    assert made == ["torch", "other"]
    base = environments.packages(environments.python("torch", tmp_path))
    asked = [interpreter, "-c", "import sys; print(sys.path)"]
    assert repr(str(base)) in subprocess.check_output(asked, text=True)
    (tmp_path / "other.txt").write_text("changed==1\n")
    assert environments.python("other", tmp_path) != interpreter
    assert environments.python(None, tmp_path) == Path(sys.executable)
