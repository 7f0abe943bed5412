"""How long an audit takes: each step on a data set, and the search for copies among many images.

The many are images of the same set, each moved, turned a little and stretched at random, so that
they look alike and are no copies; one in a hundred is a mirrored or turned copy of another, darker
or brighter and with a little noise.

    python benchmarks/audit.py PATH --images 100000
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import affine_transform

from medqnn.data.auditing.copies import copies, copies_among
from medqnn.data.auditing.examine import examine
from medqnn.data.auditing.fingerprints import SIDE, fingerprint, no_fingerprints, turned
from medqnn.data.auditing.near_copies import near_copies
from medqnn.data.cache import decode
from medqnn.data.catalogue import open_table

COPY_OF = 100  # one in so many is a planted copy


def timed(figures: dict[str, Any], name: str, step: Callable[[], Any]) -> Any:
    wall, processor = time.perf_counter(), time.process_time()
    result = step()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    figures[name] = {"seconds": round(wall, 1), "processor_seconds": round(processor, 1)}
    print(f"{name}: {wall:.1f} s, {processor:.1f} s of processors", flush=True)
    return result


def moved(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    angle, scale = rng.normal(0, 0.15), rng.uniform(0.85, 1.15, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    middle = np.full(2, SIDE / 2)
    shift = middle - turn @ middle + rng.uniform(-3, 3, 2)
    result: np.ndarray = affine_transform(image.astype(np.float32), turn, shift, order=1)
    return result


def many(images: np.ndarray, count: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    rng = np.random.default_rng(0)
    details, planted = no_fingerprints(count), []
    source = 0, images[0, 0].astype(np.float32)
    for number in range(count):
        if number % COPY_OF == COPY_OF - 1:
            noise = rng.normal(0, 1, (SIDE, SIDE))
            image = turned(source[1], int(rng.integers(8))) * rng.uniform(0.5, 1.2) + noise
            planted.append((source[0], number))
        else:
            image = moved(images[rng.integers(len(images)), 0], rng)
            if number % COPY_OF == 0:
                source = number, image
        details[number] = fingerprint(image)
    return details, planted


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", help="a data set")
    parser.add_argument("--images", type=int, default=20_000, help="of the many")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, Any] = {"path": options.path, "images": options.images}
    table = open_table(options.path)
    seen = timed(figures, f"examine {len(table)} images", lambda: examine(table))
    pairs = timed(figures, "compare them", lambda: copies_among(table, seen))
    images = decode(table, SIDE).images
    timed(figures, "copies among decoded images", lambda: copies(table, images))
    figures["kinds"] = pairs["kind"].value_counts().to_dict()
    details, planted = many(images, options.images)
    found = timed(figures, f"compare {options.images} images", lambda: near_copies(details))
    held = set(zip(found["first"], found["second"], strict=True))
    figures["planted"], figures["found"] = len(planted), sum(pair in held for pair in planted)
    figures["pairs"] = len(found)
    figures["memory_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print({key: figures[key] for key in ("kinds", "planted", "found", "pairs", "memory_gb")})
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
