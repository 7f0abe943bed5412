"""The run folder: where everything of a run is, and whether it is whole."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

import medqnn
from medqnn.errors import RunError

PACKAGES = ("torch", "lightning", "numpy", "pandas", "scipy", "scikit-learn", "pillow")


@dataclass(frozen=True)
class Folder:
    """A folder that medqnn keeps, whose files are written whole or not at all.

    Attributes:
        path: The folder.
    """

    path: Path

    KIND: ClassVar[str]
    MAKER: ClassVar[str]  # the command that makes one

    def read_json(self, name: str) -> Any:
        """A JSON file of the folder.

        Raises:
            RunError: If it is missing or broken.
        """
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except OSError as error:
            raise RunError(
                f"{self.path} has no {name}: give the folder of a {self.KIND} that "
                f"`{self.MAKER}` made"
            ) from error
        except ValueError as error:
            raise RunError(f"{self.path / name} is not JSON: make the {self.KIND} again") from error

    def write_json(self, name: str, content: Any) -> None:
        """Write a JSON file, whole or not at all."""
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        self.write_text(name, text + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file, whole or not at all, and give its path."""
        self.write(name, lambda path: path.write_text(text, encoding="utf-8"))
        return self.path / name

    def write(self, name: str, writer: Callable[[Path], Any]) -> None:
        """Let ``writer`` write a file beside its place, then move it there.

        Raises:
            RunError: If the disk is full or the folder cannot be written.
        """
        target = self.path / name
        partial = target.with_name(f".{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            writer(partial)
            os.replace(partial, target)
        except OSError as error:
            with suppress(OSError):  # its folder may be what is missing
                partial.unlink()
            raise cannot_write(self.path, error) from error


class RunFolder(Folder):
    """A run's files. ``run.json`` says what it is and whether it is complete."""

    KIND = "run"
    MAKER = "medqnn train"

    def facts(self) -> dict[str, Any]:
        """What ``run.json`` says.

        Raises:
            RunError: If this is no run folder.
        """
        facts = self.read_json("run.json")
        if not (isinstance(facts, dict) and {"status", "variants"} <= facts.keys()):
            raise RunError(f"{self.path / 'run.json'} tells of no run: give a run's folder")
        return facts

    def mark(self, status: str) -> None:
        """Set the status: ``running``, ``interrupted`` or ``complete``."""
        self.write_json("run.json", {**self.facts(), "status": status})

    def require_complete(self) -> dict[str, Any]:
        """The facts of a run that is whole.

        Raises:
            RunError: If it is not.
        """
        facts = self.facts()
        if facts["status"] != "complete":
            raise RunError(
                f"run {self.path} is {facts['status']}, not complete: finish it with "
                f"`medqnn train {self.path}`"
            )
        return facts


def cannot_write(folder: Path, error: OSError) -> RunError:
    """The error of a disk that is full or a folder that is not ours."""
    reason = error.strerror or str(error)
    return RunError(
        f"cannot write to {folder} ({reason}): free space or choose another folder with --out; "
        "what was trained up to the last whole epoch is kept"
    )


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays, compressed, to exactly this path."""
    with path.open("wb") as file:  # an open file keeps NumPy from adding .npz to the name
        np.savez_compressed(file, allow_pickle=False, **arrays)


def environment() -> dict[str, Any]:
    """Versions, machine and threads, which all decide last digits, for a run's facts."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "medqnn": medqnn.__version__,
        "revision": _revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _revision() -> str | None:
    """Git revision of the checkout that medqnn runs from, ``-dirty`` if changed; else None."""
    folder = Path(medqnn.__file__).parent
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
