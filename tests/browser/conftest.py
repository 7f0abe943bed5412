from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, sync_playwright

from data.auditing.planted import leaking_folder
from medqnn.data.auditing.audit import audit
from medqnn.data.class_folders import read_class_folders
from medqnn.explain.explanation import explain
from medqnn.explain.new_set import chosen
from medqnn.explain.scores import write_scores
from medqnn.report.audit import write_html
from medqnn.report.explanation import Explained, write_page
from medqnn.report.html import write_report
from medqnn.report.leaderboard import Group
from medqnn.report.leaderboard import render as render_board
from medqnn.training.folder import RunFolder
from medqnn.training.trained import load_trained
from report.runs import make_run
from study.tiny import tiny_data, tiny_study
from training.tiny import tiny_run

__all__ = ["tiny_data", "tiny_run", "tiny_study"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; tests that need it skip without it."""
    place = shutil.which("chromium") or shutil.which("google-chrome")
    if place is None:
        pytest.skip("no chromium on the path: install it to look at the pages")
    with sync_playwright() as playwright:
        # Containers have no sandbox for it, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=place, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory, tiny_run: Path) -> dict[str, Path]:
    """The report of a trained and explained run, and the page on one of its images."""
    folder = RunFolder(
        Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("explained") / "run"))
    )
    trained = load_trained(folder)
    write_scores(folder, trained, images=2, seed=0)
    inputs, page = trained.inputs, folder.path / "explanation.html"
    cases = [
        (image, explain(trained.models, image.pixels, several=False))
        for image in chosen(inputs, inputs.rows("test")[:1])
    ]
    write_page(folder, trained.models, Explained(cases, "1 image", inputs.table.synthetic), page)
    return {"explained run": write_report(folder.path), "explanation": page}


@pytest.fixture(scope="session")
def pages(
    tmp_path_factory: pytest.TempPathFactory, tiny_study: Path, explained: dict[str, Path]
) -> dict[str, Path]:
    """Every kind of page, with long names and wide tables where the kind has them."""
    folder = tmp_path_factory.mktemp("pages")
    classes = ("healthy", "a very long name of a kind of tumour, left and right", "x" * 40)
    variants = ("hybrid", "dense", "matched", "product")
    run = make_run(folder / "run", variants=variants, classes=classes, attributes=True)
    found = read_class_folders(leaking_folder(folder / "leaking"))
    write_html(audit(found), found, folder / "audit.html")
    scores = pd.DataFrame({name: ["0.754 (0.699 to 0.809)"] for name in ("variant", *variants)})
    board = render_board([Group("A study: with a title", "No difference.", scores)] * 2)
    (folder / "leaderboard.html").write_text(board)
    return {
        "run": write_report(run),
        "study": tiny_study / "report.html",
        "audit": folder / "audit.html",
        "leaderboard": folder / "leaderboard.html",
        **explained,
    }
