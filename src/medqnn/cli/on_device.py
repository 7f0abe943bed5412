"""``medqnn evaluate RUN --device NAME``: a run's circuits on a device, and what changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
import yaml
from rich.progress import track
from rich.table import Table

from medqnn.cli.show import console, decoding, interval
from medqnn.errors import RunError
from medqnn.evaluation.words import in_words
from medqnn.hardware.found import SUMMARY
from medqnn.hardware.job import run_on
from medqnn.hardware.outcome import DEVICE, EXACT
from medqnn.hardware.target import IMAGES, Target
from medqnn.report.html import write_report
from medqnn.report.scores import scores
from medqnn.training.folder import RunFolder
from medqnn.training.trained import load_trained


def on_device(
    run: Path,
    device: str,
    shots: int | None,
    options: Sequence[str],
    images: int | None,
    seed: int,
    resamples: int | None,
) -> None:
    """Run it, with a progress bar, and show the outcome; without resamples, the recipe's.

    Raises:
        RunError: If an option is not KEY=VALUE, or the run, the device or the disk fail.
    """
    folder = RunFolder(run)
    wanted = IMAGES if images is None else images or None
    target = Target(device, shots, tuple(map(_option, options)), wanted, seed)
    target.open(1)  # a name that is wrong is better told before the data are read
    trained = load_trained(folder, decoding)
    try:
        made = run_on(folder, trained, target, _say, _bar(device), resamples)
    except KeyboardInterrupt:
        console.print("interrupted: give the same command again to go on", soft_wrap=True)
        raise typer.Exit(130) from None
    found = made.read_json(SUMMARY)
    console.print(outcome_table(found, device))
    for name, one in found["variants"].items():
        console.print(f"{name}: {in_words(one['comparison'])}", soft_wrap=True)
    console.print(f"predictions and figures: {made.path}", soft_wrap=True)
    console.print(f"report: {write_report(run)}", soft_wrap=True)


def _option(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise RunError(f"--option {text!r} is not KEY=VALUE: write for example --option seed=1")
    try:
        meant = yaml.safe_load(value)
    except yaml.YAMLError:
        return key, value
    return key, meant if isinstance(meant, bool | int | float) else value


def _say(text: str) -> None:
    console.print(text, soft_wrap=True)


def _bar(device: str) -> Any:
    def bar(items: Iterable[Any], total: int) -> Iterator[Any]:
        return iter(track(items, f"on {device}", total, console=console))

    return bar


def outcome_table(found: dict[str, Any], device: str) -> Table:
    """A column a network, of what device.json holds."""
    shots = found["target"]["shots"]
    asked = f"{shots} shots" if shots else "no shots"
    table = Table(title=f"{device}, {asked}, {found['images']} test images")
    table.add_column("")
    every = list(found["variants"].values())
    for name in found["variants"]:
        table.add_column(name, justify="right")
    score = scores(every[0][EXACT])[0]
    for which, title in ((EXACT, "exact simulation"), (DEVICE, "device")):
        cells = (interval(one[which]["scores"][score.key]) for one in every)
        table.add_row(f"{score.title}, {title}", *cells)
    for title, cell in ROWS.items():
        table.add_row(title, *map(cell, every))
    return table


def _error(one: dict[str, Any]) -> str:
    return f"{one['values']['mean']:.2e} ({one['values']['largest']:.2e})"


def _by_shots(one: dict[str, Any]) -> str:
    expected = one["values"]["by_shots"]
    return "–" if expected is None else f"{expected:.2e}"


ROWS = {
    "Same answer": lambda one: f"{one['agreement']:.1%}",
    "Mean (largest) error of a value": _error,
    "  of it by shots alone": _by_shots,
    "Circuits": lambda one: f"{one['circuits']:,}",
    "Seconds": lambda one: f"{one['seconds']:.1f}",
}
