"""Having the jobs of a study done, whoever does them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pandas as pd
from filelock import FileLock, Timeout

from medqnn.errors import RunError
from medqnn.study.folder import StudyFolder
from medqnn.study.local import Outcome

if TYPE_CHECKING:
    from medqnn.study.jobs import Job

SECONDS = 0.5  # between two looks at the crew
TRIES = 2  # of a job that fails
LOSSES = 5  # of a job's workers before it is given up

Failures = dict[str, str]


class Crew(Protocol):
    """Who does the jobs."""

    @property
    def free(self) -> bool:
        """Whether another job can be started."""

    def start(self, path: Path, job: Job) -> None:
        """Start a job of the study at ``path``."""

    def wait(self, seconds: float) -> Iterable[Outcome]:
        """The jobs that end within so many seconds."""

    def close(self) -> None:
        """End everything."""


@dataclass
class State:
    """How far the jobs are.

    Attributes:
        total: Jobs in all.
        done: Those that are done, in former sessions too.
        running: Those that are being done.
        failures: Why those failed that were given up, by name.
    """

    total: int
    done: int
    running: list[Job] = field(default_factory=list)
    failures: Failures = field(default_factory=dict)


Watch = Callable[[State], None]


def launch(
    study: StudyFolder, jobs: Sequence[Job], crew: Crew, watch: Watch = lambda _: None
) -> Failures:
    """Have every job done that is not done yet.

    A job that fails is tried once more, after the others; one whose worker was lost is started
    again. Every failure is written to ``failures.csv`` of the study.

    Args:
        study: The study.
        jobs: In the order in which they are to be started.
        crew: Who does them.
        watch: Told how far the jobs are, every half second.

    Returns:
        Why those failed that were given up, by name.
    """
    waiting = deque(job for job in jobs if not job.done(study))
    state = State(len(jobs), len(jobs) - len(waiting))
    tries, losses = Counter[str](), Counter[str]()
    while waiting or state.running:
        while waiting and crew.free:
            crew.start(study.path, waiting[0])
            state.running.append(waiting.popleft())
        watch(state)
        for job, fault, lost in crew.wait(SECONDS):
            state.running.remove(job)
            if fault is None:
                state.done += 1
                continue
            (losses if lost else tries)[job.name] += 1
            again = tries[job.name] < TRIES and losses[job.name] < LOSSES
            _note(study, job, fault, again)
            if again:
                waiting.append(job)
            else:
                state.failures[job.name] = fault
    watch(state)
    return state.failures


@contextmanager
def alone(study: StudyFolder) -> Iterator[None]:
    """Keep other processes off a study while it is worked on.

    Raises:
        RunError: If another one works on it.
    """
    try:
        with FileLock(study.path / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise RunError(
            f"another process works on {study.path}: wait for it, or end it first"
        ) from error


def _note(study: StudyFolder, job: Job, fault: str, again: bool) -> None:
    """Add a line to the study's failures."""
    path = study.path / "failures.csv"
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "job": job.name,
        "fault": fault,
        "tried_again": again,
    }
    former = pd.read_csv(path) if path.is_file() else pd.DataFrame()
    table = pd.concat([former, pd.DataFrame([line])])
    study.write(path.name, lambda file: table.to_csv(file, index=False))
