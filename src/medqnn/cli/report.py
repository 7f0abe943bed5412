"""``medqnn report``: one HTML file that says all about a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a complete run, or of a study.")],
) -> None:
    """Write RUN/report.html anew: one file with all figures inside, for a browser or printer.

    Example: medqnn report runs/demo
    """
    from medqnn.cli.show import console
    from medqnn.report.html import write_report
    from medqnn.report.study import write_study_report
    from medqnn.study.folder import is_study

    write = write_study_report if is_study(run) else write_report
    console.print(f"report: {write(run)}", soft_wrap=True)
