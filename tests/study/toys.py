"""Jobs that train nothing, for the crews."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from medqnn.errors import RunError
from medqnn.study.folder import StudyFolder


@dataclass(frozen=True)
class Toy:
    """Notes each attempt in a file; fails or is killed in the first so many."""

    name: str
    fails: int = 0
    killed: int = 0
    seconds: float = 0.0

    def done(self, study: StudyFolder) -> bool:
        return (study.path / f"{self.name}.done").exists()

    def do(self, study: StudyFolder) -> None:
        attempts = self.history(study)
        with attempts.open("a") as file:
            file.write(f"{os.getpid()}\n")
        number = len(attempts.read_text().splitlines())
        time.sleep(self.seconds)
        if number <= self.killed:
            os.kill(os.getpid(), signal.SIGKILL)
        if number <= self.fails:
            raise RunError(f"attempt {number}")
        (study.path / f"{self.name}.done").touch()

    def steps(self, study: StudyFolder) -> int:
        return 1

    def history(self, study: StudyFolder) -> Path:
        return study.path / f"{self.name}.attempts"


@dataclass(frozen=True)
class Broken(Toy):
    """Fails as only a defect would."""

    def do(self, study: StudyFolder) -> None:
        raise ZeroDivisionError("two\nlines")


def attempts(study: StudyFolder, job: Toy) -> list[str]:
    """The process of each attempt."""
    return job.history(study).read_text().splitlines()
