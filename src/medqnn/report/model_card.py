"""A run's model card: what reporting lists ask, answered from the run, blank where it cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medqnn.evaluation.predictions import Predictions
from medqnn.report import devices
from medqnn.report.card_items import LISTS, QUESTIONS, Question, asked, in_short
from medqnn.report.formatting import percent, whole
from medqnn.report.markdown import as_table, content
from medqnn.report.page import page
from medqnn.report.run_folder import Run, Variant, read_run
from medqnn.report.tables import Cell, Row, Table
from medqnn.training import recipe as recipes
from medqnn.training.folder import RunFolder

NAME = "model_card.md"
WITH_CIRCUITS = ("hybrid", "product", "frozen")
"""The variants that have a quantum layer; in the others' place stands something classical."""
OF_CIRCUITS = ("qubits", "circuits", "depth", "entangler", "pooling")
"""Settings of a model that are its quantum layer's."""


def write_card(run: Path) -> Path:
    """Write RUN/model_card.md, whole or not at all.

    Returns:
        Path of the file.

    Raises:
        RunError: If the run is not complete, lacks a file, or cannot be written to.
    """
    return RunFolder(run).write_text(NAME, render(read_run(run)))


def render(run: Run) -> str:
    """The card as text."""
    found = content(run)
    recipe = recipes.load(str(run.folder / "recipe.yaml")).model_dump()
    quantum = [name for name in found["names"] if name in WITH_CIRCUITS]
    return page(
        "model_card.md.j2",
        **found,
        **devices.section(run),
        table=as_table,
        recipe=recipe,
        quantum=quantum,
        structure={key: v for key, v in recipe["model"].items() if key not in OF_CIRCUITS},
        circuits=circuits(quantum, recipe["model"]) if quantum else None,
        errors=[errors(variant) for variant in run.variants],
        asked=lambda topic: in_short(asked(topic)),
        blanks=lambda topic: [blank(q) for q in asked(topic) if q.people],
        index=as_table(index(found), "What is asked, and where it stands"),
    )


def circuits(quantum: Sequence[str], model: Mapping[str, Any]) -> str:
    """What the quantum layer of some variants is like, as a sentence.

    Args:
        quantum: out of `WITH_CIRCUITS`, one at least.
        model: the recipe's section.
    """
    settings = ", ".join(f"{key} {model[key]}" for key in OF_CIRCUITS if key in model)
    apart = {"product": "has no entangling gates", "frozen": "keeps its circuits' first weights"}
    others = [f"{name} {words}" for name, words in apart.items() if name in quantum]
    return "; ".join([f"Quantum layer of {', '.join(quantum)}: {settings}", *others]) + "."


def blank(question: Question) -> str:
    """What people have to fill in, as a sentence."""
    rest = "the rest " if question.run != "no" else ""
    places = in_short([question])
    return f"{question.what} ({places}): {rest}to be filled in by {question.people}."


def index(found: dict[str, Any]) -> Table:
    """Every question with its items, and whether the card answers it.

    Args:
        found: the card's context, whose optional parts are None or empty if not measured.
    """
    rows = []
    for question in QUESTIONS:
        items = {name: [i for n, i in question.places if n == name] for name in LISTS}
        cells = [Cell(", ".join(items[name])) for name in LISTS]
        rows.append(Row(question.what, [*cells, Cell(_state(question, found))]))
    return Table(["Question", *LISTS.values(), "Here"], rows)


def _state(question: Question, found: dict[str, Any]) -> str:
    if question.run == "no":
        return "blank"
    if question.run != "yes" and not found.get(question.run):
        return "not measured"
    return "in part" if question.people else "from the run"


def errors(variant: Variant) -> str:
    """How many test images a network gets wrong, and the pair of classes that it mixes most."""
    predictions = variant.predictions
    if not isinstance(predictions, Predictions):
        share = percent(1 - variant.metrics["scores"]["exact_match"]["estimate"])
        return f"{variant.name}: {share} of the images have at least one finding wrong."
    wrong = int((~predictions.correct).sum())
    sentence = f"{variant.name}: {whole(wrong)} of {whole(len(predictions))} test images are wrong"
    counts = np.array(variant.metrics["confusion"])
    np.fill_diagonal(counts, 0)
    if not counts.any():
        return f"{sentence}."
    true, said = np.unravel_index(counts.argmax(), counts.shape)
    names = predictions.classes
    return f"{sentence}; most often {names[true]} is called {names[said]} ({counts.max()} times)."
