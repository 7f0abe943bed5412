"""``medqnn resources``: what a network's circuits would cost on a quantum computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from medqnn.export.resources import Resources


def resources(
    what: Annotated[
        str,
        typer.Argument(
            help="Folder of a complete run; or a published system (see `medqnn recipe list`) or a "
            "recipe file (.yaml), whose circuits then have random angles, always the same."
        ),
    ],
    shots: Annotated[
        int,
        typer.Option(
            min=1,
            help="Of each measured circuit; a value's standard error is at most 1 / √shots.",
        ),
    ] = 1000,
) -> None:
    """Count qubits, gates and depth of a network's circuits, and estimate the time of an image.

    Example: medqnn resources hqcm-ebtc --shots 4000
    """
    import torch

    from medqnn.export.resources import SEED
    from medqnn.export.resources import resources as count
    from medqnn.export.run import with_circuits
    from medqnn.models import SYSTEMS
    from medqnn.training import recipe as recipes
    from medqnn.training.folder import RunFolder
    from medqnn.training.run import recipe_of

    if Path(what).is_dir():
        folder = RunFolder(Path(what))
        model, recipe = with_circuits(folder), recipe_of(folder)
        channels = int(recipe.data.channels)
    else:
        recipe, channels = recipes.load(what), 1
        size = recipe.data.image_size
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)  # the same angles each time
            model = SYSTEMS[recipe.system](
                image_size=size, channels=channels, **dict(recipe.model)
            ).eval()
    image = torch.zeros(1, channels, recipe.data.image_size, recipe.data.image_size)
    _show(count(model, image, shots))


def _show(found: Resources) -> None:
    from rich.table import Table

    from medqnn.cli.show import console
    from medqnn.export.resources import LEVEL, SEED

    table = Table(title=f"One circuit of {found.qubits} qubits, and one image")
    table.add_column("")
    for title in ("gates on\none qubit", "on two", "depth", "one shot", "one image"):
        table.add_column(title, justify="right")
    if found.prepared:
        table.add_row("state preparation", *map(str, found.prepared))
    table.add_row("all, as written", *map(str, found.written))
    for fitted in found.fitted:
        times = (duration(fitted.shot), duration(fitted.image))
        table.add_row(fitted.machine.name, *map(str, fitted.counts), *times)
    console.print(table)
    console.print(
        f"Measured circuits an image: {found.programs:,}, of {found.shots:,} shots each. Fitted by "
        f"Qiskit's transpiler (level {LEVEL}, seed {SEED}). Times are estimates without queue, "
        "compilation or network:"
    )
    for fitted in found.fitted:
        machine = fitted.machine
        gates = ", ".join(f"{n} {duration(t)}" for n, t in machine.seconds.items() if t)
        how = "one gate at a time" if machine.serial else "gates side by side"
        console.print(
            f"- {machine.name}: {gates}, readout {duration(machine.readout)}, between shots "
            f"{duration(machine.delay)}, {how}; {machine.source}"
        )


def duration(seconds: float) -> str:
    """A time in the unit that suits it: ``68 ns``, ``1.56 µs``, ``4.2 h``."""
    for limit, scale, unit in (
        (1e-6, 1e9, "ns"),
        (1e-3, 1e6, "µs"),
        (1.0, 1e3, "ms"),
        (120.0, 1.0, "s"),
        (7200.0, 1 / 60, "min"),
    ):
        if seconds < limit * (1 - 1e-9):
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds / 3600:,.3g} h"
