"""A crew of processes on this machine, one training each on one thread.

One thread a training uses the cores best, and gives the same bits whatever the number of workers.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from medqnn.errors import MedqnnError
from medqnn.study.folder import StudyFolder

if TYPE_CHECKING:  # a worker starts sooner without what trains
    from medqnn.study.jobs import Job


class Outcome(NamedTuple):
    """How a job ended.

    Attributes:
        job: Which.
        fault: Why it failed; None if it did not.
        lost: Whether its worker was lost, killed or with its machine, rather than the job failing.
    """

    job: Job
    fault: str | None
    lost: bool = False


class LocalCrew:
    """Worker processes; each is a pool of its own, so that a killed one takes no other along.

    Args:
        workers: How many.
    """

    def __init__(self, workers: int) -> None:
        self.idle = [_pool() for _ in range(workers)]
        self.busy: dict[Future[str | None], tuple[Job, ProcessPoolExecutor]] = {}

    @property
    def free(self) -> bool:
        """Whether another job can be started."""
        return bool(self.idle)

    def start(self, path: Path, job: Job) -> None:
        """Give a job of the study at ``path`` to an idle worker."""
        pool = self.idle.pop()
        try:
            future = pool.submit(perform, path, job)
        except BrokenProcessPool:  # killed while it was idle
            pool = _pool()
            future = pool.submit(perform, path, job)
        self.busy[future] = (job, pool)

    def wait(self, seconds: float) -> Iterable[Outcome]:
        """The jobs that end within so many seconds, from the first that does."""
        ended, _ = wait(self.busy, seconds, FIRST_COMPLETED)
        for future in ended:
            job, pool = self.busy.pop(future)
            try:
                outcome = Outcome(job, future.result())
            except BrokenProcessPool:
                outcome = Outcome(job, "its process was killed, perhaps for want of memory", True)
                pool = _pool()
            self.idle.append(pool)
            yield outcome

    def close(self) -> None:
        """End every worker, at once; a training loses what it did since its last whole epoch."""
        for pool in [*self.idle, *(pool for _, pool in self.busy.values())]:
            for process in list((pool._processes or {}).values()):
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)


def perform(path: Path, job: Job) -> str | None:
    """Do a job in this process; what runs in every worker.

    Returns:
        Why it failed, or None: an exception itself need not survive the way to another process.
    """
    torch.set_num_threads(1)
    try:
        job.do(StudyFolder(path))
    except MedqnnError as error:
        return str(error)
    except Exception as error:  # a defect of ours is reported as well, and the others go on
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return None


def _pool() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads broken
    return ProcessPoolExecutor(1, mp_context=context, initializer=_settle)


def _settle() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it."""
    os.setpgrp()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
