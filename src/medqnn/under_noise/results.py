"""A run's noise.csv and noise.json: made once, and read back."""

from __future__ import annotations

from typing import Any

import pandas as pd

import medqnn
from medqnn.data.cache import Progress
from medqnn.errors import RunError
from medqnn.layers.evaluated import quantum_layers
from medqnn.training.findings import Findings, Results
from medqnn.training.folder import RunFolder
from medqnn.training.sampling import chosen_rows
from medqnn.training.trained import load_models, load_trained
from medqnn.under_noise.measure import measure
from medqnn.under_noise.settings import DRAWS, EXACT, Devices, in_numbers
from medqnn.under_noise.summary import COLUMNS, summary, table

TABLE, SUMMARY = "noise.csv", "noise.json"
TEXT = ["variant", "device", "mitigation"]
KEPT = Findings(TABLE, SUMMARY, COLUMNS, TEXT, "medqnn noise", ["circuits", "devices", "options"])

CURVE = ["device", "mitigation"]
ACCURACY = ["accuracy", "low", "high"]
DIFFERENCE = ["difference", "difference_low", "difference_high"]
WORDS = {
    "readout": "readout inverted",
    "extrapolated": "extrapolated",
    "both": "both mitigations",
}


def options(devices: Devices, images: int | None, seed: int) -> dict[str, Any]:
    """All that decides a measurement, for JSON."""
    return {
        "medqnn": medqnn.__version__,
        "images": images,
        "seed": seed,
        "shots": list(devices.shots),
        "draws": DRAWS,
        "mitigations": in_numbers(),
        "profiles": {name: one.model_dump(mode="json") for name, one in devices.profiles.items()},
    }


def is_measured(
    folder: RunFolder, devices: Devices, images: int | None = None, seed: int = 0
) -> bool:
    """Whether the run has results of just these options."""
    return KEPT.are_of(folder, options(devices, images, seed))


def measure_run(
    folder: RunFolder,
    devices: Devices,
    images: int | None = None,
    seed: int = 0,
    decoding: Progress | None = None,
    progress: Progress | None = None,
) -> None:
    """Measure a run's networks and write the results, whole or not at all.

    Args:
        folder: A complete run.
        devices: On which.
        images: At most so many test images, evenly over the classes; None for all.
        seed: Of the shots, and of the images that are taken.
        decoding: Wraps the decoding of images.
        progress: Wraps the measuring.

    Raises:
        RunError: If the run is not complete, none of its networks has circuits, its data have
            changed, or it cannot be written to.
    """
    require_circuits(folder)
    trained = load_trained(folder, decoding)
    rows = chosen_rows(trained, images, seed)
    answers = measure(trained, rows, devices, seed, progress)
    found = summary(trained, rows, devices)
    KEPT.write(folder, table(trained, rows, answers), found, options(devices, images, seed))


def require_circuits(folder: RunFolder) -> None:
    """Refuse a run that noise cannot touch.

    Raises:
        RunError: If the run is not complete, or none of its networks has circuits.
    """
    if not any(quantum_layers(model) for model in load_models(folder).values()):
        raise RunError(
            f"no network of {folder.path} has a quantum layer: train one with variants=[hybrid]"
        )


def read_results(folder: RunFolder) -> Results:
    """What `measure_run` wrote: `summary.table` and `summary.summary`.

    Raises:
        RunError: If it is missing or broken.
    """
    return KEPT.read(folder)


def without_device(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of the exact simulation, one a network."""
    return found[(found["device"] == EXACT) & found["shots"].isna()]


def shot_curves(found: pd.DataFrame) -> pd.DataFrame:
    """The rows with shots and their limits, by network, device and mitigation; shots rising."""
    groups = found.groupby(["variant", *CURVE], sort=False)
    curves = [own.sort_values("shots") for _, own in groups if own["shots"].notna().any()]
    return pd.concat(curves)


def no_better(results: Results) -> list[str]:
    """Networks whose exact accuracy does not surely pass that of the commonest answer.

    One that always gives the same answer bears any noise, so theirs says nothing.
    """
    exact = without_device(results.table)
    floor = results.summary["baseline"]
    return [str(name) for name in exact.loc[~(exact["low"] > floor), "variant"]]
