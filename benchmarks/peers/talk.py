"""The near end of a worker: lines of JSON, each answered within a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import tempfile
from pathlib import Path
from typing import Any

THREADS = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "RAYON")
BENCHMARKS = Path(__file__).parents[1]
IMPORT_SECONDS = 300.0


class SlowError(Exception):
    """A worker did not answer in time."""


class DeadError(Exception):
    """A worker ended before it answered; the message is its last line of errors."""


class Talk:
    """A worker process of one peer; it is started when it is first asked, and after its death.

    Attributes:
        abilities: The peer's precisions, devices and versions, once it was loaded.
    """

    def __init__(self, interpreter: Path, module: str, threads: int) -> None:
        self.command = [str(interpreter), "-m", "peers.worker", module, str(threads)]
        self.variables = {f"{name}_NUM_THREADS": str(threads) for name in THREADS}
        self.variables |= {"JAX_PLATFORMS": "cpu"}
        self.process: subprocess.Popen[bytes] | None = None
        self.abilities: dict[str, Any] = {}

    def load(self) -> dict[str, Any]:
        """Start the worker if there is none, and import the peer.

        Raises:
            SlowError, DeadError: As ``ask``.
        """
        if self.process is None:
            self.abilities = self.ask("load", IMPORT_SECONDS)
        return self.abilities

    def ask(self, do: str, limit: float, **given: Any) -> dict[str, Any]:
        """The worker's answer.

        Raises:
            SlowError: If there is none within ``limit`` seconds; the worker is ended.
            DeadError: If the worker ended by itself.
        """
        process = self.process or self._start()
        near, far = process.stdin, process.stdout
        assert near is not None
        assert far is not None
        with contextlib.suppress(BrokenPipeError):
            near.write(json.dumps({"do": do, **given}).encode() + b"\n")
            near.flush()
        if not select.select([far], [], [], limit)[0]:
            self.close()
            raise SlowError
        line = far.readline()
        if not line:
            reason = f"{self._last_error()} (exit {process.wait()})"
            self.close()
            raise DeadError(reason)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the worker."""
        if self.process is not None:
            self.process.kill()
            with contextlib.suppress(BrokenPipeError):
                self.process.communicate()
            self.process = None
            self.errors.close()

    def _start(self) -> subprocess.Popen[bytes]:
        paths = (str(BENCHMARKS), os.environ.get("PYTHONPATH", ""))
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  # until close
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=os.environ
            | self.variables
            | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)},
        )
        return self.process

    def _last_error(self) -> str:
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"
