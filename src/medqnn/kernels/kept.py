"""Images of kernels' machine code, made in a process of their own and kept on disk.

LLVM holds some 100 MB for as long as a process lasts; a process that runs an image never loads it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile

from medqnn.kernels.contract import Kernel
from medqnn.places import cache_folder

_PROCESSOR = ("vendor_id", "cpu family", "model", "stepping", "flags")
_PATIENCE = 60  # seconds; one is enough


def kept_image(kernel: Kernel, bits: int) -> bytes:
    """``machine.image`` of a kernel, from the cache folder or else made and put there.

    Raises:
        OSError: If no process can be started, or this system does not tell its processor.
        RuntimeError: If the process fails.
    """
    path = cache_folder() / f"{kernel}{bits}.{_hash()}.image"
    with suppress(OSError, ValueError), path.open("rb") as file:
        if os.fstat(file.fileno()).st_uid == os.geteuid():  # code is not taken from other users
            return opened(file.read())
    image = _made(kernel, bits)
    with suppress(OSError):
        _write(path, sealed(image))
    return image


def sealed(image: bytes) -> bytes:
    """With a digest before it."""
    return hashlib.sha256(image).digest() + image


def opened(seal: bytes) -> bytes:
    """The way back.

    Raises:
        ValueError: If something is missing or changed.
    """
    digest, image = seal[:32], seal[32:]
    if hashlib.sha256(image).digest() != digest:
        raise ValueError("not a whole image")
    return image


def _hash() -> str:
    """Of all that decides an image: the code that makes it, LLVM, the processor; and its owner."""
    digest = hashlib.sha256(f"{version('llvmlite')} {os.geteuid()} ".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if not line.strip():  # the first core's end
                break
            if line.startswith(_PROCESSOR):
                digest.update(line.encode())
    return digest.hexdigest()[:16]


def _made(kernel: Kernel, bits: int) -> bytes:
    command = [sys.executable, "-P", "-m", "medqnn.kernels", kernel, str(bits)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_PATIENCE,
        )
        return opened(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise RuntimeError(f"no image of the kernel: {error}") from error


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = NamedTemporaryFile(dir=path.parent, delete=False)  # noqa: SIM115  # closed below
    try:
        with partial:
            partial.write(content)
        os.replace(partial.name, path)
    except OSError:
        os.unlink(partial.name)
        raise
