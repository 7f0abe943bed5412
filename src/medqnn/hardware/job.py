"""A run's test images on a device, part by part: what is done is kept, and need not be done again.

RUN/devices/NAME/ holds parts/VARIANT-NUMBER.npz, then predictions_VARIANT.csv and device.json.
"""

from __future__ import annotations

import hashlib
import json
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import torch
from torch import nn

import medqnn
from medqnn.data.cache import Progress
from medqnn.errors import RunError
from medqnn.evaluation.predictions import write_predictions
from medqnn.hardware.found import FOLDER, SUMMARY
from medqnn.hardware.outcome import COMPARISON, DEVICE, EXACT, outcome
from medqnn.hardware.remote import Remote, Say
from medqnn.hardware.target import Target
from medqnn.layers.evaluated import evaluated_by, quantum_layers
from medqnn.training.assess import of_known_patients
from medqnn.training.batches import Images
from medqnn.training.folder import RunFolder
from medqnn.training.predict import predictions_of
from medqnn.training.sampling import chosen_rows
from medqnn.training.trained import Trained

TOGETHER = 4  # images of a part: so much is lost at most when a line breaks


class Answers(NamedTuple):
    """What a network said of images, by the exact simulation and through the device.

    Attributes:
        exact: float64 (n, K), logits.
        device: float64 (n, K), logits.
        exact_values: float64 (m,), all expectation values of all circuits.
        device_values: float64 (m,), the same from the device.
        circuits: How many circuits were run.
        seconds: Wall time on the device, waiting included.
    """

    exact: np.ndarray
    device: np.ndarray
    exact_values: np.ndarray
    device_values: np.ndarray
    circuits: int
    seconds: float


class Part(NamedTuple):
    """Some images of a network, and what a kept answer must be of."""

    path: str
    model: nn.Module
    rows: np.ndarray
    key: str


def run_on(
    folder: RunFolder,
    trained: Trained,
    target: Target,
    say: Say,
    progress: Progress | None = None,
    resamples: int | None = None,
) -> RunFolder:
    """Evaluate every network of a run that has circuits on a device, and write what was found.

    Args:
        folder: The run.
        trained: What it was made of.
        target: The device.
        say: Told when the device fails and is tried again.
        progress: Wraps the work, called with an iterable and its length.
        resamples: Of the bootstrap, at least 100; None for the recipe's.

    Returns:
        The device's folder in the run.

    Raises:
        RunError: If no network has circuits, the device fails, or nothing can be written.
    """
    models = {name: model for name, model in trained.models.items() if quantum_layers(model)}
    if not models:
        raise RunError(f"no network of {folder.path} has a quantum layer: train its hybrid")
    rows = chosen_rows(trained, target.images, target.seed)
    own = RunFolder(folder.path / FOLDER / target.name)
    parts = np.array_split(rows, -(-len(rows) // TOGETHER))
    remote = Remote(target, say)
    work = [(name, number) for name in models for number in range(len(parts))]
    done: dict[str, list[Answers]] = {name: [] for name in models}
    for name, number in progress(work, len(work)) if progress else work:
        key = _key(models[name], parts[number], target)
        part = Part(f"parts/{name}-{number:04d}.npz", models[name], parts[number], key)
        done[name].append(_answers(own, part, trained, remote))
    resamples = resamples or trained.inputs.recipe.evaluation.resamples
    beside = Beside(folder, own, trained, rows, target.shots, resamples)
    variants = {name: beside.scored(name, _joined(found)) for name, found in done.items()}
    own.write_json(SUMMARY, {"target": target.facts(), "images": len(rows), "variants": variants})
    return own


class Beside(NamedTuple):
    """How answers are scored: the run, what it is kept in, its images, shots and resamples."""

    folder: RunFolder
    own: RunFolder
    trained: Trained
    rows: np.ndarray
    shots: int | None
    resamples: int

    def scored(self, name: str, found: Answers) -> dict[str, Any]:
        """The outcome of a network, whose predictions are written."""
        exact, device = (
            predictions_of(self.trained.inputs, self.rows, torch.from_numpy(logits))
            for logits in (found.exact, found.device)
        )
        self.own.write(f"predictions_{name}.csv", partial(write_predictions, predictions=device))
        values = (found.exact_values, found.device_values)
        seed = self.trained.inputs.recipe.seed
        one = outcome(exact, device, *values, self.shots, self.resamples, seed)
        for which in (EXACT, DEVICE, COMPARISON):
            of_known_patients(self.folder, one[which])
        return one | {"circuits": found.circuits, "seconds": found.seconds}


def _key(model: nn.Module, rows: np.ndarray, target: Target) -> str:
    """What decides the answers of a part: images, weights, device and versions."""
    made = hashlib.sha256(json.dumps([target.facts(), medqnn.__version__]).encode())
    made.update(rows.tobytes())
    for weights in model.state_dict().values():
        made.update(weights.contiguous().numpy().tobytes())
    return made.hexdigest()


def _answers(own: RunFolder, part: Part, trained: Trained, remote: Remote) -> Answers:
    """Those of a part that was done before, or else is done now and kept."""
    if kept := _read(own.path / part.path, part.key):
        return kept
    images = Images(trained.inputs.decoded, trained.inputs.labels)[part.rows.tolist()].images
    remote.clear()
    started = time.perf_counter()
    with torch.no_grad():
        exact = part.model(images).logits
        with evaluated_by(part.model, remote):
            found = part.model(images).logits
    answers = Answers(
        exact.double().numpy(),
        found.double().numpy(),
        np.concatenate(remote.exact),
        np.concatenate(remote.values),
        remote.circuits,
        time.perf_counter() - started,
    )
    own.write(part.path, partial(_save, answers=answers, key=part.key))
    return answers


def _save(path: Path, answers: Answers, key: str) -> None:
    with path.open("wb") as file:
        np.savez(file, key=key, **answers._asdict())


def _read(path: Path, key: str) -> Answers | None:
    """What was kept of just this; None if there is none."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if str(archive["key"]) != key:
                return None
            kept = {name: archive[name] for name in Answers._fields}
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise RunError(
            f"{path} is broken: delete it, and the same command makes it anew"
        ) from error
    kept |= {"circuits": int(kept["circuits"]), "seconds": float(kept["seconds"])}
    return Answers(**kept)


def _joined(parts: list[Answers]) -> Answers:
    return Answers(
        np.concatenate([part.exact for part in parts]),
        np.concatenate([part.device for part in parts]),
        np.concatenate([part.exact_values for part in parts]),
        np.concatenate([part.device_values for part in parts]),
        sum(part.circuits for part in parts),
        sum(part.seconds for part in parts),
    )
