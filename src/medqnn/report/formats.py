"""What a report can be written as, by the name that the command line gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from medqnn.report.html import write_report
from medqnn.report.json_report import write_json, write_study_json
from medqnn.report.markdown import write_markdown, write_study_markdown
from medqnn.report.model_card import write_card
from medqnn.report.study import write_study_report

Writer = Callable[[Path], Path]

OF_RUN: Mapping[str, Writer] = {
    "html": write_report,
    "md": write_markdown,
    "json": write_json,
    "card": write_card,
}
OF_STUDY: Mapping[str, Writer] = {
    "html": write_study_report,
    "md": write_study_markdown,
    "json": write_study_json,
}
