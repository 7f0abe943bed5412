"""A crew on a Ray cluster: the same jobs, on as many machines as it has.

The nodes see the study's folder and the data under the same paths, and have medqnn installed. A
node that dies takes its trainings along; they are started again elsewhere, from their last whole
epoch.
"""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from medqnn.errors import RunError
from medqnn.study.jobs import Job
from medqnn.study.local import Outcome, perform

LOST = "its worker was lost, killed or with its machine"


class RayCrew:
    """Workers of a Ray cluster, one core and a share of a GPU each.

    Args:
        address: Of the cluster: ``auto`` for the one that this machine belongs to, ``host:6379``,
            or ``ray://host:10001``.
        gpus: Share of a GPU that each training takes.

    Raises:
        RunError: If Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str, gpus: float = 0.0) -> None:
        self.ray = _connected(address)
        self.gpus = gpus
        # Ray's own retries would start a job behind the back of `launch`, which counts them.
        self.perform = self.ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(perform)
        self.busy: dict[Any, Job] = {}

    @property
    def free(self) -> bool:
        """Whether the cluster, as large as it is now, has room for another job."""
        has = self.ray.cluster_resources()
        room = has.get("CPU", 0.0)
        if self.gpus:
            room = min(room, has.get("GPU", 0.0) / self.gpus)
        return len(self.busy) < int(room)

    def start(self, path: Path, job: Job) -> None:
        """Send a job of the study at ``path`` to the cluster."""
        self.busy[self.perform.remote(path.absolute(), job)] = job

    def wait(self, seconds: float) -> Iterable[Outcome]:
        """The jobs that end within so many seconds, from the first that does."""
        if not self.busy:  # every node is gone
            raise RunError("the Ray cluster has no core left: start a node, then go on")
        ended, _ = self.ray.wait(list(self.busy), num_returns=1, timeout=seconds)
        for task in ended:
            job = self.busy.pop(task)
            try:
                yield Outcome(job, self.ray.get(task))
            except self.ray.exceptions.RayTaskError as error:  # before the job began
                yield Outcome(job, " ".join(str(error.cause).split()))
            except self.ray.exceptions.RayError:
                yield Outcome(job, LOST, True)

    def close(self) -> None:
        """End every training that this crew started."""
        for task in self.busy:
            self.ray.cancel(task, force=True)
        self.ray.shutdown()


def _connected(address: str) -> Any:
    try:
        import ray
    except ImportError as error:
        raise RunError(
            "--ray needs Ray, which is not installed: `pip install '.[cluster]'` "
            "in a checkout of medqnn"
        ) from error
    try:
        _reach(address)
        with warnings.catch_warnings(action="ignore"):
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(
            f"no Ray cluster at {address} ({reason}): start one with `ray start --head`, or give "
            "its address"
        ) from error
    return ray


def _reach(address: str) -> None:
    """Knock at a host and port first: Ray itself tries for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=10).close()
