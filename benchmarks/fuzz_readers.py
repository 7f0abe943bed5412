"""Whether the DICOM and NIfTI readers stand damaged files.

Takes real files, makes thousands of mutants of them (flipped bits, bytes replaced by 0, 255 or at
random, 16- and 32-bit fields set to extremes, pieces deleted, inserted or cut off; half of them in
the header), and reads each in full. DICOM files are mutated as they are and in every transfer
syntax that can be written here; NIfTI files as they are and as small NIfTI 1 and 2 volumes,
compressed after the mutation. Children of this process read them, under a limit of memory and time.

A mutant may be read or refused by a `DataError` of one line. Everything else is a defect: another
exception, a crash, a hang, or memory beyond the limit. Linux only.

Run: nice python benchmarks/fuzz_readers.py FILE … [--mutants 2000] [--seed 0] [--keep FOLDER]
     [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from _fuzz_seeds import Seed, dicom_seeds, nifti_seeds
from rich.console import Console
from rich.table import Table

from medqnn.data.scans.dicom_header import read_header
from medqnn.data.scans.dicom_pixels import read_dicom_image
from medqnn.data.scans.nifti import read_nifti_folder
from medqnn.data.scans.nifti_volume import PLANES
from medqnn.errors import DataError

SECONDS = 20  # for one mutant
MEBIBYTES = 2048  # beside what the process holds at its start
BATCH = 200  # mutants for one child
OUTCOMES = ("read", "refused", "exception", "crash", "hang", "memory")


def mutate(content: bytes, draw: random.Random) -> bytes:
    """Damage a file's content."""
    mutant = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        length = len(mutant)
        if not length:
            break
        end = draw.choice((min(length, 400), min(length, 4000), length, length))
        place = draw.randrange(end)
        size = draw.choice((1, 2, 4, 8, 64, 1024))
        kind = draw.randrange(7)
        if kind == 0:
            mutant[place] ^= 1 << draw.randrange(8)
        elif kind == 1:
            mutant[place] = draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))
        elif kind == 2:
            width = draw.choice((2, 4, 8))
            extreme = draw.choice((0, 1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width) - 1))
            mutant[place : place + width] = extreme.to_bytes(width, "little")
        elif kind == 3:
            del mutant[place : place + size]
        elif kind == 4:
            mutant[place:place] = draw.randbytes(size)
        elif kind == 5:
            mutant[place : place + size] = draw.randbytes(size)
        elif draw.random() < 0.3:  # seldom: a short file hides all later mutations
            del mutant[place:]
    return bytes(mutant)


def read_dicom(path: Path, draw: random.Random) -> None:
    """Read the header and every frame."""
    header = read_header(str(path))
    for number in range(len(header.frames) if header else 0):
        window = draw.choice(("file", "percentile"))
        read_dicom_image(pd.Series({"source": str(path), "frame": number + 1}), window)


def read_nifti(path: Path, draw: random.Random) -> None:
    """Read every slice along an axis."""
    (path.parent / "labels.csv").write_text(f"file,label\n{path.name},tumor\n")
    table = read_nifti_folder(path.parent, plane=draw.choice(tuple(PLANES)))
    for number in range(len(table)):
        table.read(table.rows.iloc[number])


READERS = {"DICOM": (dicom_seeds, read_dicom), "NIfTI": (nifti_seeds, read_nifti)}


def outcome(read: Callable[[Path, random.Random], None], path: Path, draw: random.Random) -> str:
    """Read a mutant: "read", "refused", "memory", or the traceback of another exception."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read(path, draw)
        result = "read"
    except DataError as error:
        result = "refused"
        cause: BaseException | None = error
        while cause := cause.__cause__ or cause.__context__:
            if isinstance(cause, MemoryError) or "MemoryError" in str(cause):
                result = "memory"
        if "\n" in str(error):
            result = f"a message of several lines: {error}"
    except MemoryError:
        result = "memory"
    except BaseException:  # everything else is what is looked for
        result = traceback.format_exc()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return "memory" if grown > MEBIBYTES / 2 * 1024 else result


def child(kind: str, seeds: list[Seed], first: int, last: int, seed: int) -> int:
    """Read mutants in a child; give the end of a pipe that tells how each went."""
    out, into = os.pipe()
    if os.fork():
        os.close(into)
        return out
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the child
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEBIBYTES * 2**20,) * 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            path = write_mutant(seeds, number, seed, Path(folder))
            os.write(into, json.dumps({"begun": number}).encode() + b"\n")
            signal.alarm(SECONDS)
            result = outcome(READERS[kind][1], path, random.Random(number))
            signal.alarm(0)
            os.write(into, json.dumps({"done": number, "result": result}).encode() + b"\n")
            path.unlink()
    os._exit(0)


def write_mutant(seeds: list[Seed], number: int, seed: int | None, folder: Path) -> Path:
    """Write the mutant of this number, or without a seed the undamaged file."""
    source, pack = seeds[number % len(seeds)]
    content = source.read_bytes()
    if seed is not None:
        content = mutate(content, random.Random(f"{seed} {number}"))
    content = pack(content)
    suffix = ".nii.gz" if content[:2] == b"\x1f\x8b" or source.suffix == ".gz" else source.suffix
    path = folder / f"{number}{suffix}"
    path.write_bytes(content)
    return path


def check_seeds(kind: str, seeds: list[Seed]) -> None:
    """Read every seed as it is: mutants of an unreadable one would prove nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(len(seeds)):
            path = write_mutant(seeds, number, None, Path(folder))
            READERS[kind][1](path, random.Random(0))
            path.unlink()


def fuzz(kind: str, seeds: list[Seed], mutants: int, seed: int) -> dict[int, str]:
    """Read mutants, each in a child of at most `BATCH`; how each went, by number."""
    results: dict[int, str] = {}
    while len(results) < mutants:
        first = len(results)
        begun = None
        with os.fdopen(child(kind, seeds, first, min(first + BATCH, mutants), seed)) as pipe:
            for line in map(json.loads, pipe):
                begun = line.get("begun", begun)
                if "done" in line:
                    results[line["done"]] = line["result"]
                    begun = None
        _, status = os.wait()
        if begun is not None:
            ended = os.waitstatus_to_exitcode(status)
            results[begun] = "hang" if ended == -signal.SIGALRM else f"crash: {ended}"
        elif status:
            raise RuntimeError(f"a child ended with status {status} between two mutants")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="DICOM and NIfTI files")
    parser.add_argument("--mutants", type=int, default=2000, help="of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the mutants that show a defect")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("MEDQNN_SALT", "a salt for the fuzzer")
    warnings.simplefilter("ignore")
    console, report, defects = Console(), {}, 0
    table = Table("format", "seeds", "mutants", *OUTCOMES, "s")
    for kind, (make_seeds, _) in READERS.items():
        of_kind = [p for p in options.files if (".nii" in p.name) == (kind == "NIfTI")]
        if not of_kind:
            continue
        with tempfile.TemporaryDirectory() as folder:
            seeds = [seed for path in of_kind for seed in make_seeds(path, Path(folder))]
            check_seeds(kind, seeds)
            start = time.perf_counter()
            results = fuzz(kind, seeds, options.mutants, options.seed)
            seconds = time.perf_counter() - start
            for number, result in results.items():
                if result not in ("read", "refused"):
                    defects += 1
                    console.print(f"{kind} mutant {number} of {seeds[number % len(seeds)][0]}:")
                    console.print(result, markup=False, highlight=False)
                    if options.keep:
                        options.keep.mkdir(parents=True, exist_ok=True)
                        write_mutant(seeds, number, options.seed, options.keep)
        kinds = Counter(map(name_outcome, results.values()))
        counts = {name: kinds[name] for name in OUTCOMES}
        report[kind] = {"seeds": len(seeds), "mutants": len(results), **counts, "s": seconds}
        table.add_row(kind, *(f"{number:,.0f}" for number in report[kind].values()))
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(1 if defects else 0)


def name_outcome(result: str) -> str:
    """Which of the outcomes a result is."""
    first = result.split(":")[0]
    return first if first in OUTCOMES else "exception"


if __name__ == "__main__":
    main()
