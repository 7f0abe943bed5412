from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.report.html import write_report
from medqnn.report.robustness import axis_limits, points, robustness, severity_plot
from medqnn.report.run_folder import read_run
from robustness.measured import measured_run
from training.tiny import tiny_run

from .page import Page

__all__ = ["measured_run", "tiny_run"]


@pytest.fixture(scope="module")
def measured(measured_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A measured run whose hybrid is no better than guessing, with its report."""
    path = Path(shutil.copytree(measured_run, tmp_path_factory.mktemp("page") / "run"))
    content = json.loads((path / "robustness.json").read_text()) | {"baseline": 0.5}
    for name, low in (("hybrid", 0.1), ("dense", 0.9)):
        content["variants"][name]["clean"]["low"] = low
    (path / "robustness.json").write_text(json.dumps(content))
    write_report(path)
    return path


@pytest.fixture(scope="module")
def page(measured: Path) -> Page:
    return Page(measured / "report.html")


def test_a_run_that_was_not_measured_has_no_section(run: Path) -> None:
    assert robustness(read_run(run)) is None


def test_there_is_a_plot_for_each_corruption_and_attack(page: Page) -> None:
    texts = [str(attributes.get("alt")) for tag, attributes in page.tags if tag == "img"]
    accuracy = [text for text in texts if text.startswith("Accuracy by severity of ")]
    overlap = [text for text in texts if text.startswith("Jaccard index by severity of ")]
    assert len(accuracy) == 10
    assert len(overlap) == 8
    assert "Accuracy by severity of PGD" in accuracy


def test_the_table_shows_the_numbers_of_the_summary(page: Page, measured: Path) -> None:
    means = json.loads((measured / "robustness.json").read_text())
    for head, key in (("No corruption", "clean"), ("Blur", "Blur"), ("FGSM", "FGSM")):
        expected = []
        for name in ("hybrid", "dense"):
            one = means["variants"][name][key]
            expected.append("{estimate:.1%} {low:.1%} to {high:.1%}".format(**one))
        one = {end: 100 * value for end, value in means["differences"]["dense"][key].items()}
        expected.append("{estimate:+.1f} {low:+.1f} to {high:+.1f}".format(**one))
        assert page.row("robustness", head) == expected
    assert "hybrid − dense" in page.rows["robustness"][0]
    assert f"({100 * means['baseline']:.1f}%)" in page.text("robustness")
    assert "top 1% of each map" in page.text("robustness")


def test_a_network_that_only_guesses_is_said_to(page: Page) -> None:
    assert "hybrid: not surely better on clean images" in page.text("robustness")


def test_curves_go_through_the_tables_numbers(measured: Path) -> None:
    table = pd.read_csv(measured / "robustness.csv")
    rows = table[table["corruption"].isin(["clean", "Blur"])]
    first = severity_plot(rows, "accuracy", "σ", (0.0, 1.0), 0.5)
    assert first == severity_plot(rows, "accuracy", "σ", (0.0, 1.0), 0.5)
    for column, value in (("accuracy", 0.123), ("difference_low", 0.1)):
        last = (rows["variant"] == "dense") & (rows["severity"] == 5)
        changed = rows.assign(**{column: rows[column].mask(last, value)})
        assert first != severity_plot(changed, "accuracy", "σ", (0.0, 1.0), 0.5)
    assert first != severity_plot(rows, "accuracy", "σ", (0.0, 1.0), 0.6)


def test_a_broken_table_is_named(measured_run: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(measured_run, tmp_path / "run"))
    (path / "robustness.csv").write_text("variant\n")
    with pytest.raises(RunError, match=r"robustness\.csv is missing or broken"):
        robustness(read_run(path))


def test_axes_end_at_tenths_that_hold_all_values() -> None:
    assert axis_limits(pd.Series([0.43, 0.81])) == pytest.approx((0.38, 0.92))
    assert axis_limits(pd.Series([0.002, 0.013])) == pytest.approx((-0.002, 0.022))
    low, high = axis_limits(pd.Series([0.0, 0.0]))
    assert low < high


def test_differences_are_in_points() -> None:
    assert points(-0.0385) == "-3.9"
    assert points(0.01) == "+1.0"
    assert points(None) == "–"
