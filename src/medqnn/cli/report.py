"""``medqnn report``: one HTML file that says all about a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a complete run.")],
) -> None:
    """Write RUN/report.html anew: one file with all figures inside, for a browser or printer.

    Example: medqnn report runs/demo
    """
    from medqnn.cli.show import console
    from medqnn.report.html import write_report

    console.print(f"report: {write_report(run)}", soft_wrap=True)
