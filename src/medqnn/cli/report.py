"""``medqnn report``: all about a run or a study, as a page, Markdown, JSON or a model card."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What a report can be written as."""

    HTML = "html"
    MD = "md"
    JSON = "json"
    CARD = "card"


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a complete run, or of a study.")],
    form: Annotated[
        list[Format],
        typer.Option(
            "--format",
            help="html: one page with all figures inside; md: its tables; json: its numbers; "
            "card: a model card, of a run alone. May be given several times.",
        ),
    ] = [Format.HTML],  # noqa: B006 - Typer copies it
) -> None:
    """Write RUN/report.html anew, for a browser or printer; or report.md, .json, model_card.md.

    Example: medqnn report runs/demo --format html --format card
    """
    from medqnn.cli.show import console
    from medqnn.errors import RunError
    from medqnn.report.formats import OF_RUN, OF_STUDY
    from medqnn.study.folder import is_study

    writers = OF_STUDY if is_study(run) else OF_RUN
    for one in form:
        if one.value not in writers:
            raise RunError(
                f"{run} is a study, which has no model card: give the folder of one of its runs, "
                f"or --format {', '.join(writers)}"
            )
    for one in dict.fromkeys(form):
        console.print(f"report: {writers[one.value](run)}", soft_wrap=True)
