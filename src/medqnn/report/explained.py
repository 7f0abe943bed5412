"""The report's section on what the explanations are worth, if they were scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.figure import Figure

from medqnn.explain.no_network import NO_NETWORK, RANDOM
from medqnn.explain.score_words import SCORES, title, words
from medqnn.explain.scores import SUMMARY, read_scores
from medqnn.report.figures import GREY, as_svg
from medqnn.report.formatting import UNDEFINED, decimal, interval, p_value, signed, whole
from medqnn.report.roc import LOOKS
from medqnn.report.run_folder import Run
from medqnn.report.tables import Cell, Row, Table, region_name
from medqnn.training.folder import RunFolder

ON_MASKS = ("pointing", "energy", "average_precision", "best_dice")
WITHOUT_MASKS = {
    "Deletion": ("deletion", "deletion_gain"),
    "Insertion": ("insertion", "insertion_gain"),
    "Alike with weights redrawn": ("sanity_head", "sanity_all"),
    "": ("stability",),
}
HEADS = {
    "deletion": "Area",
    "deletion_gain": "Below random",
    "insertion": "Area",
    "insertion_gain": "Above random",
    "sanity_head": "Head",
    "sanity_all": "All",
    "stability": "Alike under noise",
}
COMPARED = (*ON_MASKS, "deletion_gain", "insertion_gain", "sanity_all", "stability")


def section(run: Run) -> dict[str, Any]:
    """What the template needs; ``explained`` is None where the run was not scored.

    Returns:
        explained: summary; words (sentences); pointing, levels (of Jaccard and of Dice) and located
        (whether there are masks); faithful; differences (by twin); deletion and insertion (plots).

    Raises:
        RunError: If the files are broken.
    """
    if not (run.folder / SUMMARY).is_file():
        return {"explained": None}
    found = read_scores(RunFolder(run.folder)).summary
    located = found["located"] > 0
    return {
        "explained": {
            "summary": found,
            "words": words(found),
            "located": located,
            "pointing": pointing_table(found) if located else None,
            "levels": [level_table(found, kind) for kind in ("jaccard", "dice")] if located else [],
            "faithful": faithful_table(found),
            "differences": difference_table(found) if found["differences"] else None,
            "deletion": list(_plots(found, "deletion")),
            "insertion": list(_plots(found, "insertion")),
        }
    }


def pointing_table(found: dict[str, Any]) -> Table:
    """How every map lies on the mask, whatever the level; maps of no network last."""
    rows = [
        Row(name, [*_cells(scores, ON_MASKS), Cell(whole(scores["energy"]["images"]))])
        for name, scores in _maps(found)
        if "energy" in scores
    ]
    heads = [_capital(SCORES[score]) for score in ON_MASKS]
    return Table(["Map", *heads, "Images"], rows)


def level_table(found: dict[str, Any], kind: str) -> Table:
    """Jaccard or Dice index of every map at every level.

    Args:
        found: The summary.
        kind: "jaccard" or "dice".
    """
    maps = [(name, scores) for name, scores in _maps(found) if "energy" in scores]
    columns = [name for name in maps[0][1] if name.startswith(f"{kind}@")]
    rows = [Row(name, _cells(scores, columns)) for name, scores in maps]
    regions = [region_name(name.replace("dice@", "jaccard@")) for name in columns]
    return Table(["Map", *regions], rows)


def faithful_table(found: dict[str, Any]) -> Table:
    """Deletion, insertion, sanity and stability of every network's maps."""
    columns = [score for scores in WITHOUT_MASKS.values() for score in scores]
    rows = [
        Row(name, _cells(scores, columns)) for name, scores in _maps(found) if "deletion" in scores
    ]
    groups = [("", 1), *((name, len(scores)) for name, scores in WITHOUT_MASKS.items())]
    return Table(["Map", *(HEADS[score] for score in columns)], rows, groups)


def difference_table(found: dict[str, Any]) -> Table:
    """Reference minus each twin, by method and score, with the p value by patient."""
    twins = found["differences"]
    methods = dict.fromkeys(method for own in twins.values() for method in own)
    rows = []
    for method in methods:
        for score in COMPARED:
            records = [own.get(method, {}).get(score) for own in twins.values()]
            if any(records):
                cells = [cell for record in records for cell in _difference_cells(record)]
                rows.append(Row(f"{_capital(title(method))}: {SCORES[score]}", cells))
    unit = "patients" if found["patients_known"] else "images"
    columns = ["Map and score", *(["Difference", f"p over {unit}"] * len(twins))]
    pairs = [(f"{found['reference']} − {name}", 2) for name in twins]
    return Table(columns, rows, [("", 1), *pairs])


def _difference_cells(record: dict[str, Any] | None) -> list[Cell]:
    if record is None:
        return [Cell(UNDEFINED), Cell(UNDEFINED)]
    difference = Cell(signed(record["estimate"]), interval(record, signed))
    return [difference, Cell(p_value(record["p"]), f"n = {whole(record['patients'])}")]


def _maps(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and scores of every map, method by method, those of no network last."""
    scores = found["scores"]
    networks = {name: own for name, own in scores.items() if name != NO_NETWORK}
    for method in dict.fromkeys(method for own in networks.values() for method in own):
        for variant, own in networks.items():
            if method in own:
                what = "Random order" if method == RANDOM else _capital(title(method))
                yield f"{what}, {variant}", own[method]
    for method, own in scores.get(NO_NETWORK, {}).items():
        yield f"{_capital(method)}, {NO_NETWORK}", own


def _cells(scores: dict[str, Any], columns: Sequence[str]) -> list[Cell]:
    records = (scores.get(column) for column in columns)
    return [
        Cell(decimal(one["estimate"]), interval(one)) if one else Cell(UNDEFINED) for one in records
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plots(found: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """Name and plot of each method."""
    curves = found["curves"]
    for method in dict.fromkeys(method for own in curves.values() for method in own):
        if method != RANDOM:
            own = {name: of[method][kind] for name, of in curves.items() if method in of}
            chance = {name: curves[name][RANDOM][kind] for name in own}
            yield _capital(title(method)), curve_plot(found["shares"], own, chance, kind)


@as_svg
def curve_plot(
    shares: Sequence[float],
    curves: dict[str, Sequence[float]],
    chance: dict[str, Sequence[float]],
    kind: str,
) -> Figure:
    """Mean probability of the explained class as pixels are taken in the order of a map.

    Args:
        shares: of the pixels, at each point.
        curves: of each network, at most six.
        chance: of each of them with the pixels in a random order.
        kind: "deletion" or "insertion".
    """
    figure = Figure((2.9, 2.9), layout="constrained")
    axes = figure.subplots()
    percents = [100 * share for share in shares]
    for (name, curve), (colour, style) in zip(curves.items(), LOOKS, strict=False):
        axes.plot(percents, chance[name], color=colour, linestyle=style, linewidth=0.7, alpha=0.6)
        axes.plot(percents, curve, color=colour, linestyle=style, linewidth=2, label=name)
    axes.axhline(0, color=GREY, linewidth=0.5)
    axes.set(ylim=(-0.02, 1.02), xlim=(0, 100), ylabel="Probability of the answer")
    axes.set_xlabel("Pixels blurred, %" if kind == "deletion" else "Pixels shown, %")
    axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=9)
    return figure
