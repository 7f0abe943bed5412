"""A virtual environment for each file of pinned requirements, made once and kept.

PyTorch takes the better part of a gigabyte and every peer's step starts from its tensors, so it has
an environment of its own, which the others see through a ``.pth`` file. Packages are installed
exactly as pinned, without what they say they need: one peer asks for TensorFlow and a Qiskit of
2023, another for a package named ``python``.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
BASE = "torch"


class NotInstalledError(Exception):
    """An environment could not be made; the message is pip's reason."""


def python(name: str | None, folder: Path) -> Path:
    """The interpreter of an environment below ``folder``, which is made if it is not there yet.

    None is the environment that runs this. An environment's folder is named after its requirements'
    fingerprint, so changed ones make a new environment.

    Raises:
        NotInstalledError: If a package cannot be had here.
    """
    if name is None:
        return Path(sys.executable)
    base = [] if name == BASE else [python(BASE, folder)]
    pinned = REQUIREMENTS / f"{name}.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    mark = hashlib.sha256(pinned.read_bytes() + version.encode()).hexdigest()[:8]
    home = folder / f"{name}-{mark}"
    interpreter = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (home / "ready").exists():
        venv.create(home, clear=True, symlinks=sys.platform != "win32")
        for other in base:
            (packages(interpreter) / "torch.pth").write_text(f"{packages(other)}\n")
        install(interpreter, pinned)
        (home / "ready").touch()
    return interpreter


def packages(interpreter: Path) -> Path:
    """Where an environment keeps its packages."""
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    command = [interpreter, "-c", asked]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def install(interpreter: Path, pinned: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", interpreter, "--disable-pip-version-check"]
    command = [*pip, "install", "--quiet", "--no-deps", "-r", pinned]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalledError((reasons or done.stderr.splitlines() or ["pip failed"])[-1])
