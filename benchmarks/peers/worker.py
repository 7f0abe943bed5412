"""Runs one peer in its own environment, at the word of ``benchmarks/peers.py``.

One line of JSON on standard input asks, one on standard output answers; arrays go through files.
What a library prints goes to standard error.

    {"do": "load"}                      imports the peer: its precisions and devices, versions
    {"do": "prepare", "dtype": …, …}    builds the step for a problem, runs it once, and keeps it
    {"do": "check", "dtype": …, …}      the same in another precision, not kept
    {"do": "time", "milliseconds": 50}  as many steps as last about so long, one at least

Run: python -m peers.worker MODULE
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import numpy as np

from peers import memory
from peers.problem import LacksError, Problem, Step

MOST_STEPS = 10_000  # a round


class Worker:
    """One peer, and the step that it last prepared."""

    def __init__(self, module: str, threads: int) -> None:
        self.name, self.threads = module, threads
        self.step: Step | None = None
        self.cuda = False
        self.seconds = 1.0  # of one step, as last measured

    def load(self) -> dict[str, Any]:
        """Import the peer, and tell what it can do."""
        self.peer: ModuleType = importlib.import_module(self.name)
        import torch

        torch.set_num_threads(self.threads)
        torch.ones(1, requires_grad=True).sum().backward()  # what PyTorch itself loads late
        versions = {name: metadata.version(name) for name in self.peer.PACKAGES}
        return {"dtypes": self.peer.DTYPES, "devices": self.peer.DEVICES, "versions": versions}

    def prepare(self, **problem: Any) -> dict[str, Any]:
        """Time the first step, with all that is built for it, and the memory up to here."""
        self.step = None
        gc.collect()
        before = memory.restart(problem["device"])
        answer, self.step = self._first(**problem)
        self.timed(0)
        return answer | {"peak_mb": memory.peak(problem["device"]), "before_mb": before}

    def check(self, **problem: Any) -> dict[str, Any]:
        """The results alone."""
        kept, answer = self.cuda, self._first(**problem)[0]
        self.cuda = kept
        return answer

    def timed(self, milliseconds: float) -> dict[str, Any]:
        """Wall and processor milliseconds of a step."""
        if self.step is None:
            raise RuntimeError("nothing was prepared")
        steps = max(1, min(MOST_STEPS, round(milliseconds / 1e3 / self.seconds)))
        clock, processor = time.perf_counter(), time.process_time()
        for _ in range(steps):
            self.step()
        self._wait()
        self.seconds = (time.perf_counter() - clock) / steps
        spent = time.process_time() - processor
        return {"ms": 1e3 * self.seconds, "processor_ms": 1e3 * spent / steps, "steps": steps}

    def _first(
        self, arrays: str, results: str, dtype: str, **form: Any
    ) -> tuple[dict[str, Any], Step]:
        problem = Problem.read(Path(arrays), dtype, **form)
        self.cuda = problem.device == "cuda"
        clock = time.perf_counter()
        step = self.peer.build(problem)
        found = step()
        self._wait()
        first = 1e3 * (time.perf_counter() - clock)
        names = ("values", "inputs", "weights")
        named = {n: _array(a) for n, a in zip(names, found, strict=True) if a is not None}
        np.savez(results, **named)
        return {"first_ms": first}, step

    def _wait(self) -> None:
        if self.cuda:
            import torch

            torch.cuda.synchronize()

    def answer(self, do: str, **given: Any) -> dict[str, Any]:
        """What is asked for; a peer's failure is an answer too."""
        asked = {"load": self.load, "prepare": self.prepare, "check": self.check}
        try:
            return (asked | {"time": self.timed})[do](**given)
        except LacksError as error:
            return {"lacks": str(error)}
        except Exception as error:
            message = str(error).strip().splitlines() or [""]
            return {"failed": f"{type(error).__name__}: {message[0]}"[:200]}


def _array(found: Any) -> np.ndarray:
    detached = found.detach().cpu() if hasattr(found, "detach") else found
    return np.asarray(detached, dtype=np.float64)


def keep_to_cores(count: int) -> None:
    """Let this process use so many of its cores, whatever its libraries think of threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-count:])


def answers() -> TextIO:
    """Standard output for our lines alone; what anything else writes there goes to the errors."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    return own


def main() -> None:
    module, threads = sys.argv[1], int(sys.argv[2])
    keep_to_cores(threads)
    own = answers()
    worker = Worker(module, threads)
    for line in sys.stdin:
        own.write(json.dumps(worker.answer(**json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
