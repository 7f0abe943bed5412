"""Images of kernels' machine code, made in a process of their own and kept on disk.

LLVM holds some 100 MB for as long as a process lasts; a process that runs an image never loads it.
An image is sealed with all that decides it, so that none is run which another medqnn made, or an
older one, or the same for another processor.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile

from medqnn.kernels.contract import Kernel
from medqnn.places import cache_folder

MARK = b"\nmedqnn's image:"
"""What stands before an image on the standard output, where other packages may write too."""

_PROCESSOR = ("vendor_id", "cpu family", "model", "stepping", "flags")
_CPUINFO = Path("/proc/cpuinfo")
_PATIENCE = 60  # seconds; one is enough
_MOST_BYTES = 2**20  # of an image; 20 KB are usual
_ENOUGH = 2**14  # letters about a core
_CHILD = "import sys; sys.path[:] = sys.argv[3:]; import medqnn.kernels.making"


def kept_image(kernel: Kernel, bits: int) -> bytes:
    """``machine.image`` of a kernel, from the cache folder or else made and put there.

    Raises:
        OSError: If no process can be started, or this system does not tell its processor.
        RuntimeError: If the process fails, or there is no home for a cache folder.
    """
    path = cache_folder() / f"{kernel}{bits}.{_identity()[:16]}.image"
    with suppress(OSError, ValueError):
        return opened(_read(path))
    seal = _made(kernel, bits)
    with suppress(OSError):
        _write(path, seal)
    return opened(seal)


def sealed(image: bytes) -> bytes:
    """With a digest before it, of the image and of all that decides it."""
    return hashlib.sha256(_identity().encode() + image).digest() + image


def opened(seal: bytes) -> bytes:
    """The way back.

    Raises:
        ValueError: If something is missing or changed, or decided by something else.
    """
    image = seal[32:]
    if seal != sealed(image):
        raise ValueError("not a whole image, or not of this medqnn and processor")
    return image


def _sources(folder: Path) -> str:
    """Hash of the code in a folder; empty if there is none, as in an archive."""
    sources = [path.read_bytes() for path in sorted(folder.glob("*.py"))]
    return hashlib.sha256(b"\0".join(sources)).hexdigest() if sources else ""


_OWN_SOURCES = _sources(Path(__file__).parent)  # as they are when this process loads them


def _identity() -> str:
    """Of what decides an image, the code that makes it, LLVM and the processor; and of its owner.

    Raises:
        OSError: If the code or the processor cannot be told.
    """
    with _CPUINFO.open(encoding="utf-8", errors="replace") as stream:
        first_core = stream.read(_ENOUGH).partition("\n\n")[0]
    processor = [line for line in first_core.splitlines() if line.startswith(_PROCESSOR)]
    if not _OWN_SOURCES or not any(line.startswith("flags") for line in processor):
        raise OSError("cannot tell the code, or the processor, that an image would be for")
    decided = (_OWN_SOURCES, version("llvmlite"), str(os.geteuid()), *processor)
    return hashlib.sha256("\n".join(decided).encode()).hexdigest()


def _made(kernel: Kernel, bits: int) -> bytes:
    """A sealed image of another process's making, from the packages that this one finds."""
    paths = [path for path in sys.path if isinstance(path, str)]
    command = [sys.executable, "-P", "-c", _CHILD, kernel, str(bits), *paths]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_PATIENCE,
        )
        seal = done.stdout.partition(MARK)[2]
        opened(seal)
    except (subprocess.SubprocessError, ValueError) as error:
        raise RuntimeError(f"no image of the kernel: {error}") from error
    return seal


def _read(path: Path) -> bytes:
    """A file that this user made, for code is not taken from others."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as stream:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid():
            raise ValueError("not this user's file")
        return stream.read(_MOST_BYTES)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = NamedTemporaryFile(dir=path.parent, delete=False)  # noqa: SIM115  # closed below
    try:
        with partial:
            partial.write(content)
        os.replace(partial.name, path)
    except BaseException:  # Ctrl-C too
        os.unlink(partial.name)
        raise
