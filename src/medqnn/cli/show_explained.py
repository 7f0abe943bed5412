"""How the scores of explanations look in a terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from medqnn.cli.show import console, number
from medqnn.explain.no_network import NO_NETWORK, RANDOM
from medqnn.explain.score_words import title, words
from medqnn.explain.scores import Scores

UNNAMED = "–"  # in the column of networks: a map that none made
ON_MASKS = {  # heads broken so that 80 columns hold them
    "pointing": "pointing",
    "energy": "energy\ninside",
    "average_precision": "avg.\nprec.",
    "best_dice": "best\nDice",
    "jaccard@q0.99": "Jaccard\ntop 1%",
}
WITHOUT_MASKS = {
    "deletion_gain": "deletion\nover\nrandom",
    "insertion_gain": "insertion\nover\nrandom",
    "sanity_head": "|ρ| head\nredrawn",
    "sanity_all": "|ρ| all\nredrawn",
    "stability": "ρ under\nnoise",
}


def show_explained(results: Scores) -> None:
    """Tables of the main scores, and what they mean in words."""
    found = results.summary
    if found["located"]:
        of = f"up to {found['located']} test images with a tumour"
        console.print(_scores(found, ON_MASKS, f"Maps against tumour masks, {of}"))
    of = f"{found['images']} test images, the last three {found['checked']}"
    console.print(_scores(found, WITHOUT_MASKS, f"Maps and the network, {of}"))
    for text in words(found):
        console.print(text)
    console.print(
        "The report has every score with its interval; docs/explanation.md says how to read them."
    )


def _scores(found: dict[str, Any], heads: dict[str, str], heading: str) -> Table:
    """A row a map, a column a score."""
    table = Table(title=heading)
    table.add_column("map")
    table.add_column("network")
    shown = [name for name in heads if any(name in own for _, _, own in _maps(found))]
    for name in shown:
        table.add_column(heads[name], justify="right")
    last, blind = None, False
    for method, variant, own in _maps(found):
        if any(name in own for name in shown):
            if last not in (None, method) and (variant != UNNAMED or not blind):
                table.add_section()
            cells = (number(own[name]["estimate"]) if name in own else "–" for name in shown)
            table.add_row("" if method == last else title(method), variant, *cells)
            last, blind = method, variant == UNNAMED
    return table


def _maps(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, network and scores, method by method; maps of no network last."""
    scores = found["scores"]
    networks = {name: own for name, own in scores.items() if name != NO_NETWORK}
    for method in dict.fromkeys(method for own in networks.values() for method in own):
        for variant, own in networks.items():
            if method in own and method != RANDOM:
                yield method, variant, own[method]
    for method, own in scores.get(NO_NETWORK, {}).items():
        yield method, UNNAMED, own
