"""A report taken apart."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

SECTIONS = [
    "purpose",
    "answer",
    "split",
    "distribution",
    "samples",
    "curves",
    "classes",
    "comparison",
    "confusion",
    "roc",
    "reliability",
    "operating",
    "localisation",
    "panels",
    "failures",
    "reproducibility",
    "limits",
]
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Text, tags and the cells of tables of each section; refuses tags that do not nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {"": ""}
        self.rows: dict[str, list[list[str]]] = {}
        self.section = ""
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = dict(attrs)["id"] or ""
            self.sections[self.section] = ""
        if tag == "tr":
            self.rows.setdefault(self.section, []).append([])
        if tag in ("td", "th"):
            self.rows[self.section][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "script", "nav"} & set(self.open):
            return
        self.sections[self.section] += data
        if {"td", "th"} & set(self.open):
            self.rows[self.section][-1][-1] += data

    def text(self, section: str) -> str:
        return " ".join(self.sections[section].split())

    def row(self, section: str, head: str, table: int = 0) -> list[str]:
        """Cells after the head of the n-th row that starts with it."""
        return [row[1:] for row in self.rows[section] if row[0] == head][table]
