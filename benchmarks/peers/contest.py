"""One case: every peer is checked against PennyLane, then they take turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from _contenders import Case, pennylane_torch

from peers.catalogue import OURS, Peer
from peers.talk import DeadError, SlowError, Talk

TOLERANCE = {"float64": 1e-6, "float32": 2e-4}
Row = dict[str, Any]


@dataclass
class Entrant:
    """A peer and its worker, or why there is none."""

    peer: Peer
    talk: Talk | None
    reason: str = ""

    @property
    def abilities(self) -> dict[str, Any]:
        """What the worker told of its peer, if it was ever started."""
        return self.talk.abilities if self.talk else {}

    def load(self, device: str) -> Row:
        """Start the worker if there is none, and import the peer; a row's first entries."""
        if self.talk is None:
            return {"status": "absent", "reason": self.reason}
        abilities = self.talk.load()
        if "failed" in abilities:
            return {"status": "failed", "reason": abilities["failed"]}
        if device not in abilities["devices"]:
            return {"status": "lacks", "reason": f"not on {device} here"}
        return {"status": "timed", "deviations": {}}

    def ask(self, do: str, limit: float, **given: Any) -> dict[str, Any]:
        """The worker's answer."""
        assert self.talk is not None
        return self.talk.ask(do, limit, **given)


@dataclass(frozen=True)
class Terms:
    """How long the peers take turns, on what, and how many seconds each has.

    The limit is for the first call with one more step, for the check in another precision, and for
    the first of these with all turns.
    """

    rounds: int
    milliseconds: float
    limit: float
    device: str


def truth(case: Case) -> dict[str, np.ndarray]:
    """Values and gradients by PennyLane's ``default.qubit`` in float64."""
    inputs, weights, cotangent = case.draw(torch.float64)
    values = pennylane_torch(case)(inputs, weights)
    to_inputs, to_weights = torch.autograd.grad(values, (inputs, weights), cotangent)
    found = {"values": values, "inputs": to_inputs, "weights": to_weights}
    return {name: tensor.detach().numpy() for name, tensor in found.items()}


def contest(
    case: Case, entrants: list[Entrant], terms: Terms, tell: Callable[[str], None]
) -> dict[str, Row]:
    """A row for each peer: ``status``, and its figures or the reason that there are none."""
    expected = truth(case)
    rows: dict[str, Row] = {}
    times: dict[str, list[dict[str, float]]] = {}
    with TemporaryDirectory() as folder:
        names = ("inputs", "weights", "cotangent")
        drawn = zip(names, case.draw(torch.float64), strict=True)
        arrays = {name: tensor.detach().numpy() for name, tensor in drawn}
        np.savez(Path(folder) / "arrays.npz", **arrays)
        for entrant in entrants:
            tell(f"{case.name}: {entrant.peer.name}, first call and check")
            rows[entrant.peer.name] = qualified(entrant, case, terms, expected, Path(folder))
    ready = [one for one in entrants if rows[one.peer.name]["status"] == "timed"]
    tell(f"{case.name}: taking turns")
    for _ in range(terms.rounds):
        for entrant in ready:
            row, own = rows[entrant.peer.name], times.setdefault(entrant.peer.name, [])
            if row["status"] == "timed" and (not own or row["seconds"] < terms.limit):
                turn(entrant, row, own, terms)
    for name, own in times.items():
        if own:
            rows[name] |= summary(own, times.get(OURS, []))
    return rows


def qualified(
    entrant: Entrant, case: Case, terms: Terms, expected: dict[str, np.ndarray], folder: Path
) -> Row:
    """First call, memory and deviation from the truth, in each precision that the peer has."""
    form = {
        "arrays": str(folder / "arrays.npz"),
        "results": str(folder / "results.npz"),
        "qubits": case.circuit.qubits,
        "embedding": case.circuit.embedding,
        "pauli": case.circuit.readouts,
        "device": terms.device,
    }
    row: Row = {}
    try:
        row = entrant.load(terms.device)
        dtypes = entrant.abilities["dtypes"] if row["status"] == "timed" else []
        for number, dtype in enumerate(dtypes):
            begin = time.perf_counter()
            do = "check" if number else "prepare"
            answer = entrant.ask(do, terms.limit, dtype=dtype, **form)
            row.setdefault("seconds", time.perf_counter() - begin)
            if not judged(row, answer, dtype, folder, expected if entrant.peer.checked else {}):
                break
    except (SlowError, DeadError) as error:
        failed(row, error, terms)
    return row


def judged(
    row: Row, answer: dict[str, Any], dtype: str, folder: Path, expected: dict[str, np.ndarray]
) -> bool:
    """Write an answer into the row; whether the peer is still in."""
    for status in ("lacks", "failed"):
        if status in answer:
            row |= {"status": status, "reason": answer[status]}
            return False
    row.setdefault("dtype", dtype)
    for name in ("first_ms", "peak_mb", "before_mb"):
        row.setdefault(name, answer.get(name))
    if not expected:
        return True
    with np.load(folder / "results.npz") as found:
        row["weights_only"] = "inputs" not in found
        off = max(deviation(found[name], expected[name]) for name in found.files)
    row["deviations"][dtype] = off
    if not off <= TOLERANCE[dtype]:
        row |= {"status": "differs", "reason": f"its numbers are off by {off:.1e} in {dtype}"}
        return False
    return True


def deviation(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest, relative to the largest entry where that is above 1."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def turn(entrant: Entrant, row: Row, own: list[dict[str, float]], terms: Terms) -> None:
    begin = time.perf_counter()
    try:
        answer = entrant.ask("time", terms.limit, milliseconds=terms.milliseconds)
        if "failed" in answer:
            row |= {"status": "failed", "reason": answer["failed"]}
        else:
            own.append(answer)
    except (SlowError, DeadError) as error:
        failed(row, error, terms)
    row["seconds"] += time.perf_counter() - begin


def failed(row: Row, error: Exception, terms: Terms) -> None:
    if isinstance(error, SlowError):
        row |= {"status": "slower", "reason": f"no answer within {terms.limit:g} s"}
    else:
        row |= {"status": "failed", "reason": str(error)}


def summary(own: list[dict[str, float]], ours: list[dict[str, float]]) -> Row:
    """Over the rounds: wall time's median and quartiles, the processor's least, ratio to ours."""
    wall = [one["ms"] for one in own]
    ratios = [a["ms"] / b["ms"] for a, b in zip(own, ours, strict=False)]
    return {
        "median_ms": statistics.median(wall),
        "quartiles_ms": statistics.quantiles(wall, n=4)[::2] if len(wall) > 1 else [*wall, *wall],
        "processor_ms": min(one["processor_ms"] for one in own),
        "rounds": len(own),
        "ratio_to_ours": statistics.median(ratios) if ratios else None,
    }
