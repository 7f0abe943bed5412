"""A page on single images: each network's answer, what it rests on, how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from medqnn.data.table import SEPARATOR
from medqnn.explain.explanation import Answer, Quantum
from medqnn.explain.new_images import NewImage
from medqnn.explain.quantum import circuit_of
from medqnn.layers import QuantumConv2d, QuantumLayer
from medqnn.report import images
from medqnn.report.circuit_drawing import circuit_drawing
from medqnn.report.formatting import decimal, interval, percent, signed, whole
from medqnn.report.page import page
from medqnn.report.panels import Panel
from medqnn.report.quantum_figures import embedded_states, share_bars
from medqnn.training.folder import RunFolder
from medqnn.training.run import recipe_of

DRAWN = 0.99  # quantile of integrated gradients that has the strongest colour
FEW = 20  # test images: what a share of fewer says is not worth much
METHODS = {
    "attention": "Attention",
    "grad-cam": "Grad-CAM",
    "integrated gradients": "Integrated gradients",
    "occlusion": "Occlusion",
}


class Explained(NamedTuple):
    """Images with what each network makes of them.

    Attributes:
        cases: Each image and the answers, of the same networks in the same order.
        source: Where the images are from, in words.
        synthetic: Whether a program made them.
    """

    cases: Sequence[tuple[NewImage, list[Answer]]]
    source: str
    synthetic: bool = False


def write_page(
    folder: RunFolder, networks: Mapping[str, nn.Module], explained: Explained, path: Path
) -> None:
    """Write the page, whole or not at all.

    Args:
        folder: The complete run that the networks are of.
        networks: By name; the first that has a circuit is drawn.
        explained: What the page shows.
        path: Where to write.

    Raises:
        RunError: If the run lacks a file, or the page cannot be written there.
    """
    text = render(folder, networks, explained)
    RunFolder(path.parent).write_text(path.name, text)


def render(folder: RunFolder, networks: Mapping[str, nn.Module], explained: Explained) -> str:
    """The page as text."""
    facts = folder.require_complete()
    metrics = {name: folder.read_json(f"{name}/metrics.json") for name in networks}
    classes, methods = list(facts["data"]["classes"]), explained.cases[0][1][0].maps
    return page(
        "explanation.html.j2",
        facts=facts,
        data=facts["data"],
        run=folder.path.absolute().name,
        about=recipe_of(folder).about.title,
        source=explained.source,
        synthetic=explained.synthetic,
        several=bool(facts["data"].get("multilabel")),
        names=list(networks),
        level=next(iter(metrics.values()))["interval"]["level"],
        methods=[METHODS[name] for name in methods],
        tested=[_tested(name, scored) for name, scored in metrics.items()],
        cases=[_case(*case, classes, metrics) for case in explained.cases],
        drawn=_drawn(networks),
    )


def _tested(name: str, metrics: dict[str, Any]) -> str:
    """What the run's test images say of a network's answers and probabilities, as a sentence."""
    scores = metrics["scores"]
    if "accuracy" not in scores:
        auroc = scores["auroc"]
        return f"{name}: mean AUROC over the findings {_number(auroc, decimal)}."
    right, error = _number(scores["accuracy"], percent), _number(scores["ece"], percent)
    return (
        f"{name}: right on {right}; its probability of the answer is off by {error} on average "
        "(expected calibration error)."
    )


def _number(record: dict[str, Any], text: Any) -> str:
    spread = interval(record, text)
    return text(record["estimate"]) + (f" ({spread})" if spread else "")


def _case(
    image: NewImage, answers: list[Answer], classes: list[str], metrics: dict[str, Any]
) -> dict[str, Any]:
    """One image as the template shows it."""
    pixels = np.moveaxis(image.pixels, 0, -1) if len(image.pixels) == 3 else image.pixels[0]
    tumour = np.zeros(pixels.shape[:2], dtype=bool) if image.mask is None else image.mask
    height, width = tumour.shape
    lines = [f"{width}×{height} pixels"]
    if image.label is not None:
        lines.insert(0, "said to be " + ", ".join(image.label.split(SEPARATOR)))
    return {
        "name": image.name,
        "picture": Panel(images.outlined_picture(pixels, tumour), "the image", lines),
        "outlined": bool(tumour.any()),
        "bars": [
            (name, [(percent(one.probabilities[k]), one.probabilities[k]) for one in answers])
            for k, name in enumerate(classes)
        ],
        "answers": [_answer(one, classes[one.target], metrics[one.variant]) for one in answers],
        "maps": [
            (one.variant, classes[one.target], list(_maps(one, pixels, tumour))) for one in answers
        ],
        "quantum": [
            _quantum(one.variant, one.quantum, classes[one.target])
            | {"seen": _seen(one.quantum, pixels, tumour)}
            for one in answers
            if one.quantum
        ],
    }


def _answer(answer: Answer, name: str, metrics: dict[str, Any]) -> str:
    """A network's answer, and how often it was right when it was as sure, as a sentence."""
    sure = float(answer.probabilities[answer.target])
    if "reliability" not in metrics:
        return f"{answer.variant}: the likeliest finding is {name}, at {percent(sure)}."
    words = f"{answer.variant} answers {name}, {percent(sure)} sure."
    bins = metrics["reliability"]
    own = next((one for one in bins if one["low"] < sure <= one["high"]), bins[0])
    range_ = f"{own['low']:.0%} to {own['high']:.0%}"
    if not own["count"]:
        return f"{words} It was as sure ({range_}) of no test image."
    few = ", too few to go by" if own["count"] < FEW else ""
    return (
        f"{words} Of the test images of which it was as sure ({range_}) it was right on "
        f"{own['accuracy']:.0%} ({whole(own['count'])} images{few})."
    )


def _maps(answer: Answer, pixels: np.ndarray, tumour: np.ndarray) -> list[Panel]:
    panels = []
    for method, found in answer.maps.items():
        top = np.quantile(found, DRAWN) if method == "integrated gradients" else 1.0
        shown = np.clip(found / top, 0, 1) if top > 0 else found  # few pixels have most of it
        picture = images.overlay_picture(pixels, tumour, shown)
        words = f"{METHODS[method]} of {answer.variant} over the image"
        nothing = [] if found.any() else ["nothing speaks for the answer"]
        panels.append(Panel(picture, words, [METHODS[method], *nothing]))
    return panels


def _quantum(variant: str, quantum: Quantum, name: str) -> dict[str, Any]:
    """What the template shows of a network's quantum layer."""
    return {
        "variant": variant,
        "answer": name,
        "words": quantum_words(quantum, name),
        "bars": share_bars(quantum.readouts, quantum.shares),
        "states": embedded_states(quantum.embedded, quantum.amplitude),
        "amplitude": quantum.amplitude,
    }


def _seen(quantum: Quantum, pixels: np.ndarray, tumour: np.ndarray) -> Panel:
    """Grad-CAM of the expectation value with the largest share."""
    name = str(quantum.readouts[quantum.strongest])
    share = signed(float(quantum.shares[quantum.strongest]))
    nothing = [] if quantum.seen.any() else ["no place raises it"]
    picture = images.overlay_picture(pixels, tumour, quantum.seen)
    return Panel(picture, f"what raises {name}, over the image", [name, f"share {share}", *nothing])


def quantum_words(quantum: Quantum, name: str) -> str:
    """Which circuit and readout speak most for an answer and against it, in words."""
    total = float(quantum.shares.sum())
    words = (
        f"Of the logit of {name}, {signed(total + quantum.at_zero)}, the circuits give "
        f"{signed(total)}; {signed(quantum.at_zero)} it would be without them. "
    )
    if len(quantum.by_circuit) > 1:
        words += f"{_ends(list(quantum.by_circuit), list(quantum.by_circuit.values()))} "
    return words + _ends([str(one) for one in quantum.readouts], list(quantum.shares))


def _ends(names: list[str], shares: Sequence[float]) -> str:
    """The largest share for, and the largest against."""
    most, least = int(np.argmax(shares)), int(np.argmin(shares))
    found = []
    if shares[most] > 0:
        found.append(f"{names[most]} speaks most for it ({signed(shares[most])})")
    if shares[least] < 0:
        found.append(f"{names[least]} most against it ({signed(shares[least])})")
    words = ", ".join(found) or f"{names[most]} says nothing"
    return words[0].upper() + words[1:] + "."


def _drawn(networks: Mapping[str, nn.Module]) -> dict[str, Any] | None:
    """The circuits of the first network that has any."""
    for name, network in networks.items():
        head = network.get_submodule("head")
        if isinstance(head, QuantumLayer | QuantumConv2d):
            return {
                "variant": name,
                "circuit": head.circuit,
                "weights": head.weight.numel(),
                "slides": isinstance(head, QuantumConv2d),
                "plots": [
                    (f"Circuit {number}", circuit_drawing(head.circuit, layers))
                    for number, layers in enumerate(circuit_of(head), start=1)
                ],
            }
    return None
