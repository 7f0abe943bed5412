from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from medqnn.diagnostics.diagnose import FILE, diagnose_system, own_cell
from medqnn.errors import RunError
from medqnn.report import diagnostics
from medqnn.report.html import write_report
from medqnn.training import recipe as recipes

from .page import Page
from .runs import make_run

Maker = Callable[..., Path]


def head(trained: float, weights: int, shares: list[float]) -> dict[str, Any]:
    fisher = {"rank": len(shares), "trace": 2.0, "shares": shares, "needed_90": 2}
    return {
        "weights": weights,
        "fisher": fisher | {"effective_dimension": 6.04},
        "shares": {"total": 0.875, "weights": 0.25, "interaction": 0.625},
        "trained": trained,
        "redrawn": [0.25, 0.5, 0.75],
        "bypassed": 0.125,
    }


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """Of a system, with heads of known figures."""
    bare = {"weights": 0, "fisher": None, "shares": None, "redrawn": []}
    variants = {
        "hybrid": head(0.9, 60, [0.7, 0.2, 0.1]),
        "dense": head(0.8, 1234, [0.6, 0.4, 1e-12]),
        "none": {**bare, "trained": 0.7, "bypassed": 0.5},
        "product": head(0.6, 60, []),
    }
    variants["product"]["fisher"] |= {"needed_90": 0, "effective_dimension": None}
    heads = {"images": 200, "training_images": 546, "draws": 3, "variants": variants}
    return {**diagnose_system(recipes.load("hqcnn-medmnist"), 2, 0), "heads": heads}


@pytest.fixture(scope="module")
def page(found: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Page:
    run = make_run(tmp_path_factory.mktemp("runs") / "run")
    (run / FILE).write_text(json.dumps(found))
    return Page(write_report(run))


def drawn(draw: Callable[..., str]) -> Callable[..., Figure]:
    """The figure itself, before it becomes text."""
    return draw.__wrapped__  # type: ignore[attr-defined,no-any-return]


def test_a_run_that_was_not_diagnosed_has_no_section(run: Path) -> None:
    assert "circuit" not in Page(write_report(run)).sections


def test_the_section_says_what_holds_of_the_circuit(page: Page, found: dict[str, Any]) -> None:
    text = page.text("circuit")
    assert "4 qubits, depth 3, 60 weights a circuit" in text
    assert f"a variance of {own_cell(found)['variance']:.3g}" in text
    assert "7% of its weights have no effect" in text
    assert "200 test images" in text
    assert "546 training images" in text


def test_tables_show_the_figures(page: Page, found: dict[str, Any]) -> None:
    row = found["by_depth"][2]
    cells = page.row("circuit", "3 (its own)")
    assert cells[0] == f"{row['kl']:.3f}"
    assert cells[2] == f"{row['q']:.3f} sd {row['q_sd']:.3f}"
    assert cells[3] == "0.000"
    assert page.row("circuit", "hybrid") == ["60", "3", "2", "70.0%", "6.0 10% of the weights"]
    assert page.row("circuit", "dense")[0] == "1,234"
    assert page.row("circuit", "none") == ["0", "–", "–", "–", "–"]
    assert page.row("circuit", "product")[1:] == ["0", "0", "–", "–"]
    expected = ["87.5%", "25.0%", "90.0%", "50.0% 25.0% to 75.0%", "12.5%"]
    assert page.row("circuit", "hybrid", table=1) == expected
    assert page.row("circuit", "none", table=1) == ["–", "–", "70.0%", "–", "50.0%"]


def test_pictures_have_words_and_nothing_is_loaded(page: Page) -> None:
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert all(one["alt"] and (one["src"] or "").startswith("data:") for one in pictures)
    assert "Plot of Gradients by width" in [one["alt"] for one in pictures]


def test_gradients_are_drawn_by_width(found: dict[str, Any]) -> None:
    axes = drawn(diagnostics.gradient_plot)(found).axes[0]
    first, own, deepest, plateau, _ = axes.lines
    for line, depth in ((first, 1), (own, 3), (deepest, 8)):
        expected = [c["variance"] for c in found["gradients"] if c["depth"] == depth]
        assert np.array_equal(line.get_ydata(), expected)
        assert list(line.get_xdata()) == list(range(2, 9))
    assert np.array_equal(plateau.get_ydata(), [one["variance"] for one in found["plateau"]])
    assert own.get_label() == "depth 3 (its own)"
    assert len({line.get_linestyle() for line in (first, own, deepest, plateau)}) == 4


def test_spectra_are_drawn_down_to_rounding(found: dict[str, Any]) -> None:
    hybrid, dense = drawn(diagnostics.spectrum_plot)(found["heads"]["variants"]).axes[0].lines
    assert list(hybrid.get_ydata()) == [0.7, 0.2, 0.1]
    assert list(dense.get_ydata()) == [0.6, 0.4]
    none = {"none": found["heads"]["variants"]["none"]}
    assert not drawn(diagnostics.spectrum_plot)(none).axes[0].lines


def test_broken_diagnostics_are_refused(run_maker: Maker, tmp_path: Path) -> None:
    run = run_maker(tmp_path / "run")
    (run / FILE).write_text("{")
    with pytest.raises(RunError, match=r"diagnostics\.json is not JSON"):
        write_report(run)
