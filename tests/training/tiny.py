"""Runs and data sets small enough to train in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.recipe import Recipe, load

MEDQNN = str(Path(sys.executable).with_name("medqnn"))
PHANTOM = "phantom:96"
SETS = (
    "data.image_size=32",
    "model.widths=[8,8,8]",
    "training.epochs=2",
    "training.batch_size=32",
    "evaluation.resamples=100",
)
SMALL = (*SETS, "data.image_size=16", "variants=[hybrid]")
"""For `write_folder`'s images, in one variant."""


def options(*sets: str) -> list[str]:
    """Overrides as the command line takes them."""
    return [word for value in sets for word in ("--set", value)]


def command(*words: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    """Run the real ``medqnn`` in a process of its own."""
    return subprocess.run(
        [MEDQNN, *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        **kwargs,
    )


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run of ``medqnn train`` on the phantom, hybrid and dense; only to be read."""
    path = tmp_path_factory.getbasetemp() / "tiny-run"
    if not path.exists():
        done = command("train", "hqcm-ebtc", "--data", PHANTOM, "--out", str(path), *options(*SETS))
        assert done.returncode == 0, done.stderr
        path.with_suffix(".out").write_text(done.stdout)
        path.with_suffix(".err").write_text(done.stderr)
    return path


def tiny_recipe(*overrides: str) -> Recipe:
    return load("hqcm-ebtc", (*SMALL, *overrides))


def small_inputs(folder: Path, *overrides: str) -> Inputs:
    return load_inputs(tiny_recipe(*overrides), str(folder))


def write_folder(
    root: Path,
    classes: tuple[str, ...] = ("glioma", "healthy"),
    patients: int = 8,
    images: int = 2,
    annotate: bool = True,
) -> Path:
    """A folder of 16×16 images with index.csv: so many patients a class, images a patient.

    A class is told by the quarter that a bright square lies in; all but healthy have it masked.
    The last image of each patient has no mask annotation, nor has any without ``annotate``.
    """
    root.mkdir(parents=True)
    random = np.random.default_rng(0)
    rows = []
    for label, name in enumerate(classes):
        for number in range(patients * images):
            square = np.zeros((16, 16), dtype=bool)
            square[8 * (label // 2) :, 8 * (label % 2) :][:6, :6] = True
            pixels = np.where(square, 200, random.integers(0, 100, (16, 16)))
            image = f"{name}-{number}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(root / image)
            mask = ""
            if annotate and number % images < max(images - 1, 1):
                mask = f"{name}-{number}-mask.png"
                Image.fromarray(square & (name != "healthy")).save(root / mask)
            rows.append((image, mask, name, f"{name}-{number // images}"))
    write_index(root, pd.DataFrame(rows, columns=["image", "mask", "label", "patient"]))
    return root


def read_index(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "index.csv", dtype=str, keep_default_na=False)


def write_index(root: Path, index: pd.DataFrame) -> None:
    index.to_csv(root / "index.csv", index=False)


def write_medmnist(
    path: Path, classes: int = 4, channels: int = 1, findings: int = 0, size: int = 28
) -> Path:
    """A file in MedMNIST's format: each class, or finding, brightens a stripe of its own."""
    random = np.random.default_rng(0)
    stripes = findings or classes
    arrays = {}
    for part, count in (("train", 48), ("val", 16), ("test", 24)):
        if findings:
            labels = random.integers(0, 2, (count, findings), dtype=np.uint8)
            labels[:findings] = np.eye(findings, dtype=np.uint8)
            shown = labels
        else:
            labels = (np.arange(count) % classes)[:, None].astype(np.uint8)
            shown = labels == np.arange(classes)
        bright = np.repeat(shown, size // stripes + 1, axis=1)[:, :size, None] * 120
        noise = random.integers(0, 100, (count, size, size, *[3] * (channels == 3)))
        images = noise + (bright[..., None] if channels == 3 else bright)
        arrays |= {f"{part}_images": images.astype(np.uint8), f"{part}_labels": labels}
    np.savez(path, **arrays)
    return path
