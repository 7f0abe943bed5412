"""``medqnn diagnose``: what a system's circuit can do, and what it contributes in a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def diagnose(
    what: Annotated[
        str,
        typer.Argument(
            help="Folder of a complete run; or, for the circuit alone, a published system (see "
            "`medqnn recipe list`) or a recipe file (.yaml)."
        ),
    ],
    samples: Annotated[
        int,
        typer.Option(
            min=20,
            help="Random draws of weights and inputs for each gradient; fidelities and "
            "entanglement take 25 times as many. Four times as many halve the errors.",
        ),
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all draws.")] = 0,
) -> None:
    """Tell of a circuit's gradients, expressibility and entanglement, and what its weights decide.

    Of a run also: Fisher information and influence of every network's head, beside each other, kept
    in RUN/diagnostics.json and shown in its report.

    Example: medqnn diagnose hqcm-ebtc
    """
    from medqnn.cli.show import console
    from medqnn.cli.show_diagnostics import show_diagnostics, working
    from medqnn.diagnostics.diagnose import diagnose_run, diagnose_system
    from medqnn.report.html import write_report
    from medqnn.training import recipe as recipes
    from medqnn.training.folder import RunFolder

    if not Path(what).is_dir():
        show_diagnostics(diagnose_system(recipes.load(what), samples, seed, working))
        return
    folder = RunFolder(Path(what))
    show_diagnostics(diagnose_run(folder, samples, seed, working))
    console.print(f"report: {write_report(folder.path)}", soft_wrap=True)
