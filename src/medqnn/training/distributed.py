"""One training in several processes, on one machine or more, as torchrun starts them.

Every function here is what it says without torchrun too: the one process is the first, and all.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from medqnn.errors import MedqnnError, RunError

PATIENCE = timedelta(days=1)  # the first process may decode or score for hours; a lost one is told
LOST = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "remote process")

T = TypeVar("T")


class FailedElsewhereError(Exception):
    """Another process failed and says why; this one ends without a word."""


@contextmanager
def processes() -> Iterator[None]:
    """Join the processes that torchrun started, if it did; of their errors, one process tells.

    Raises:
        RunError: If they cannot train together, or one is lost.
        SystemExit: In any but the first, if it failed elsewhere.
    """
    if not dist.is_available() or not dist.is_torchelastic_launched() or _launched() == 1:
        yield
        return
    try:
        _join()
        yield
    except FailedElsewhereError:
        with suppress(RuntimeError):  # torchrun ends all with the first that ends: let that speak
            dist.barrier()
        sys.exit(2)
    except RuntimeError as error:
        if not any(words in str(error) for words in LOST):
            raise
        if rank():
            sys.exit(2)
        raise RunError(
            "another process of this training ended: see what it printed, then go on with the run "
            "by `medqnn train RUN_FOLDER`"
        ) from error
    dist.destroy_process_group()


def count() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0, the first."""
    return dist.get_rank() if count() > 1 else 0


def on_gpus() -> bool:
    """Whether several processes train, each on a GPU of its own."""
    return count() > 1 and "nccl" in dist.get_backend_config()


def placement() -> dict[str, Any]:
    """Where a Lightning trainer runs: in this process, or in all, each with the whole model."""
    if count() == 1:
        return {"accelerator": "auto", "devices": 1}
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    return {
        "accelerator": "cuda" if on_gpus() else "cpu",
        "devices": here,
        "num_nodes": count() // here,
        "strategy": "ddp",
    }


def first(work: Callable[[], T]) -> T:
    """Let the first process do it while the others wait; its result is everyone's.

    Args:
        work: Talks to no other process. Its result is pickled.

    Raises:
        FailedElsewhereError: In the others, if the first failed with whatever error.
    """
    if count() == 1:
        return work()
    answer: list[Any] = [None, False]
    if rank() == 0:
        try:
            answer = [work(), True]
        except BaseException:
            with suppress(RuntimeError):  # where the others are lost, this error matters more
                dist.broadcast_object_list(answer)
            raise
    dist.broadcast_object_list(answer)
    if not answer[1]:
        raise FailedElsewhereError
    result: T = answer[0]
    return result


def together(work: Callable[[], T]) -> T:
    """Do it in every process; what the user must mend in one of them fails in all.

    Raises:
        MedqnnError: In the first process: its own, or a RunError that quotes another's.
        FailedElsewhereError: In the others.
    """
    if count() == 1:
        return work()
    results, failures = [], []
    try:
        results.append(work())
    except MedqnnError as error:
        failures.append(error)
    told = [f"on {socket.gethostname()}: {error}" for error in failures]
    reasons: list[list[str]] = [[] for _ in range(count())]
    dist.all_gather_object(reasons, told)
    if rank() == 0 and failures:
        raise failures[0]
    for number, reason in enumerate(reasons):
        if reason and rank() == 0:
            raise RunError(f"process {number} {reason[0]}")
        if reason:
            raise FailedElsewhereError
    return results[0]


def in_turn(work: Callable[[], T]) -> T:
    """Do it in the first process, then in the others, which find what it has cached.

    Raises:
        MedqnnError: See ``together``.
        FailedElsewhereError: See ``together``.
    """
    done: list[T] = []
    first(lambda: done.append(work()))
    return together(lambda: done[0] if done else work())


def anywhere(flag: bool) -> bool:
    """Whether it is so in any process."""
    return flag if count() == 1 else bool(gathered(torch.tensor([flag])).any())


def share(size: int) -> slice:
    """This process's part of a batch of so many images; parts differ by one image at most."""
    each, more = divmod(size, count())
    start = rank() * each + min(rank(), more)
    return slice(start, start + each + (rank() < more))


def place(size: int) -> tuple[int, int]:
    """Where this process's part of a batch, of so many images, begins; and the batch's size."""
    if count() == 1:
        return 0, size
    sizes = gathered(torch.tensor([size])).flatten()
    return int(sizes[: rank()].sum()), int(sizes.sum())


def of_all(mean: Tensor, mass: Tensor) -> Tensor:
    """A mean over this process's images, scaled so as to average to the mean over all images.

    DDP averages gradients over the processes, whose parts of a batch do not weigh the same.

    Args:
        mean: Σ w l / Σ w of this process's images, a scalar.
        mass: Σ w, a scalar, float.

    Returns:
        n mean mass / (mass in all n processes); 0 where that is 0.
    """
    if count() == 1:
        return mean
    total = mass.clone()
    dist.all_reduce(total)
    return mean * (count() * mass / total.clamp_min(torch.finfo(total.dtype).tiny))


def gathered(tensor: Tensor) -> Tensor:
    """Every process's tensor, all of one shape, stacked in order; (n, ...), without gradient."""
    parts = [torch.empty_like(tensor) for _ in range(count())]
    dist.all_gather(parts, tensor)
    return torch.stack(parts)


def _launched() -> int:
    return int(os.environ["WORLD_SIZE"])


def _join() -> None:
    """Make one group of all processes, once it is known that all have a GPU or none has."""
    store, number, processes = next(dist.rendezvous("env://", timeout=PATIENCE))
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    gpus = min(here, torch.cuda.device_count())
    store.set(f"medqnn/{number}", f"{here} processes with {gpus} GPUs")
    machines = {store.get(f"medqnn/{other}").decode() for other in range(processes)}
    alike = len(machines) == 1 and gpus in (0, here)
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if alike and gpus else None
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if device else "gloo",
        store=dist.PrefixStore("medqnn", store),
        rank=number,
        world_size=processes,
        timeout=PATIENCE,
        device_id=device,
    )
    if not alike:
        first(lambda: _refuse(sorted(machines)))


def _refuse(machines: list[str]) -> None:
    raise RunError(
        f"torchrun started {' here and '.join(machines)} there: give each machine the same "
        "--nproc-per-node, and each process a GPU or none (CUDA_VISIBLE_DEVICES= hides them)"
    )
