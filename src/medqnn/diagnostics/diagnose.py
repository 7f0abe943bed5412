"""All diagnostics of a system's circuit, and of a run's heads, as plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import torch
from torch import Generator

from medqnn.circuits import Circuit
from medqnn.data.cache import Progress
from medqnn.diagnostics.entanglement import entanglement, haar_mean
from medqnn.diagnostics.expressibility import BINS, divergence, fidelities, haar_floor
from medqnn.diagnostics.fisher import effective_dimension, factor, spectrum
from medqnn.diagnostics.gradients import decay, gradient_variance, plateau
from medqnn.diagnostics.heads import Head, cut_out, redrawn
from medqnn.diagnostics.influence import influence
from medqnn.models import SYSTEMS
from medqnn.training.batches import Images
from medqnn.training.folder import RunFolder
from medqnn.training.sections import Recipe
from medqnn.training.trained import Trained, load_trained

ANGLES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "hqcm-ebtc": (0.0, 0.0),  # embeds amplitudes
        "hqcm-ebtc-plus": (0.0, 0.0),
        "hqcnn-medmnist": (-math.pi / 2, math.pi / 2),
        "hybrid-mri": (-math.pi / 2, math.pi / 2),
        "hqcnn-gvco": (0.0, math.pi),
    }
)
"""Range of the angles that each system's network gives its circuit."""

WIDEST = DEEPEST = 8  # of the sweep; a circuit of its own may be wider or deeper
PAIRS = 25  # pairs of states for each sample: cheaper than gradients, and a histogram wants many
IMAGES = 200  # test images that a run's heads are looked at with
DRAWS = 50  # redraws of a head's weights
FISHER_DRAWS = 10  # of these, that the effective dimension averages over
FILE = "diagnostics.json"


def diagnose_system(
    recipe: Recipe, samples: int, seed: int, progress: Progress | None = None
) -> dict[str, Any]:
    """What can be said of a system's circuit before any training.

    Args:
        recipe: Of the system; gives the circuit.
        samples: Draws of weights and inputs for each gradient, at least 2; fidelities and
            entanglement, which cost less, take ``PAIRS`` times as many.
        seed: Of all draws.
        progress: Wraps the work, called with an iterable and its length.

    Returns:
        Values for JSON; see docs/circuit-diagnostics.md.
    """
    circuit, angles = circuit_of(recipe), ANGLES[recipe.system]
    return {
        "system": recipe.system,
        "samples": samples,
        "seed": seed,
        "circuit": asdict(circuit) | {"weights": math.prod(circuit.weight_shape)},
        "inputs": _inputs_in_words(circuit, angles),
        **_gradients(circuit, angles, samples, _generator(seed), progress),
        **_coverage(circuit, angles, samples, _generator(seed)),
    }


def diagnose_run(
    folder: RunFolder, samples: int, seed: int, progress: Progress | None = None
) -> dict[str, Any]:
    """The same of a run's circuit, and its heads beside each other; kept as diagnostics.json.

    Args:
        folder: Of a complete run.
        samples: See ``diagnose_system``.
        seed: Of all draws.
        progress: Wraps the decoding of images and the work.

    Raises:
        RunError: If the run is not complete, its data have changed, or a file cannot be read or
            written.
    """
    trained = load_trained(folder, progress)
    recipe = trained.inputs.recipe
    found = diagnose_system(recipe, samples, seed, progress)
    found["heads"] = _heads(trained, seed, progress)
    folder.write_json(FILE, found)
    return found


def circuit_of(recipe: Recipe) -> Circuit:
    """The circuit of a system's hybrid."""
    with torch.random.fork_rng(devices=[]):
        model = SYSTEMS[recipe.system](**dict(recipe.model))
    return cast(Circuit, model.get_submodule("head").circuit)


def own_cell(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of what ``diagnose_system`` found, the gradients at the circuit's own width and depth."""
    size = [found["circuit"][key] for key in ("qubits", "depth")]
    cells: list[dict[str, Any]] = found["gradients"]
    return next(cell for cell in cells if [cell["qubits"], cell["depth"]] == size)


def _generator(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def _inputs_in_words(circuit: Circuit, angles: tuple[float, float]) -> str:
    if circuit.embedding == "amplitude":
        return "amplitudes: normal numbers behind a ReLU, normalised"
    low, high = map(math.degrees, angles)
    return f"angles: uniform from {low:.0f}° to {high:.0f}°"


def _gradients(
    circuit: Circuit,
    angles: tuple[float, float],
    samples: int,
    generator: Generator,
    progress: Progress | None,
) -> dict[str, Any]:
    """Gradients by width and depth, and how they fall with the width at each depth."""
    widths = range(2, max(WIDEST, circuit.qubits) + 1)
    work = [(q, d) for q in widths for d in _depths(circuit)]
    cells = []
    for qubits, depth in progress(work, len(work)) if progress else work:
        cell = replace(circuit, qubits=qubits, depth=depth)
        found = gradient_variance(cell, angles, samples, generator)
        cells.append({"qubits": qubits, "depth": depth, **found._asdict()})
    fits = []
    for depth in _depths(circuit):
        own = [cell for cell in cells if cell["depth"] == depth]
        fit = decay([c["qubits"] for c in own], [c["variance"] for c in own])
        fits.append({"depth": depth, **fit._asdict()})
    limits = [{"qubits": q, "variance": plateau(q)} for q in widths]
    return {"gradients": cells, "decay": fits, "plateau": limits}


def _coverage(
    circuit: Circuit, angles: tuple[float, float], samples: int, generator: Generator
) -> dict[str, Any]:
    """Expressibility and entanglement by depth, the product circuit's and Haar's beside them."""
    pairs, rows = PAIRS * samples, []
    for depth in _depths(circuit):
        whole = replace(circuit, depth=depth)
        kl = [
            divergence(fidelities(one, angles, pairs, generator), one.dimension)
            for one in (whole, replace(whole, entangler="none"))
        ]
        q = entanglement(whole, angles, pairs, generator)
        row = {"depth": depth, "kl": kl[0], "kl_product": kl[1]}
        rows.append(row | {"q": q.mean, "q_sd": q.sd, "q_product": q.embedding})
    floor = haar_floor(circuit.dimension, pairs, generator)
    haar = {"kl": floor.mean, "kl_sd": floor.sd, "q": haar_mean(circuit.qubits)}
    return {"by_depth": rows, "haar": haar, "pairs": pairs, "bins": BINS}


def _depths(circuit: Circuit) -> range:
    return range(1, max(DEEPEST, circuit.depth) + 1)


def _heads(trained: Trained, seed: int, progress: Progress | None) -> dict[str, Any]:
    """Fisher information and influence of every variant's head on the same test images."""
    inputs = trained.inputs
    rows = inputs.rows("test")
    rows = rows[np.linspace(0, len(rows) - 1, min(IMAGES, len(rows))).astype(int)]
    batch = Images(inputs.decoded, inputs.labels)[rows.tolist()]
    variants, training = {}, len(inputs.rows("train"))
    work = list(trained.models.items())
    for name, model in progress(work, len(work)) if progress else work:
        head = cut_out(model, batch.images, inputs.table.multilabel)
        draws = redrawn(inputs.recipe, name, len(inputs.classes), DRAWS, _generator(seed))
        drawn = list(draws) if head.weights else []
        effect = influence(head, inputs.labels[rows], drawn)
        variants[name] = {
            **_fisher(head, drawn[:FISHER_DRAWS], training),
            "shares": effect.shares and effect.shares._asdict(),
            "trained": effect.trained,
            "redrawn": list(effect.redrawn),
            "bypassed": effect.bypassed,
        }
    return {"images": len(rows), "training_images": training, "draws": DRAWS, "variants": variants}


def _fisher(head: Head, drawn: list[dict[str, torch.Tensor]], images: int) -> dict[str, Any]:
    if not head.weights:
        return {"weights": 0, "fisher": None}
    count = sum(weight.numel() for weight in head.weights.values())
    trained = spectrum(factor(head, head.weights))
    random = [spectrum(factor(head, weights)) for weights in drawn]
    fisher = {
        "rank": trained.rank,
        "trace": trained.trace,
        "shares": trained.shares,
        "needed_90": trained.needed(0.9),
        "effective_dimension": effective_dimension(random, count, images),
    }
    return {"weights": count, "fisher": fisher}
