from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.report.html import write_report
from medqnn.report.json_report import write_json
from medqnn.report.markdown import write_markdown
from medqnn.report.noise import section, shot_plot, shot_table
from medqnn.report.run_folder import read_run
from medqnn.training.folder import RunFolder
from medqnn.under_noise.results import read_results, shot_curves
from training.tiny import tiny_run
from under_noise.measured import noisy_run

from .page import Page

__all__ = ["noisy_run", "tiny_run"]


@pytest.fixture(scope="module")
def measured(noisy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A measured run whose networks are no better than guessing, with its report."""
    path = Path(shutil.copytree(noisy_run, tmp_path_factory.mktemp("page") / "run"))
    content = json.loads((path / "noise.json").read_text())
    (path / "noise.json").write_text(json.dumps(content | {"baseline": 1.0, "trained_for": "X1"}))
    write_report(path)
    return path


@pytest.fixture(scope="module")
def page(measured: Path) -> Page:
    return Page(measured / "report.html")


def test_a_run_that_was_not_measured_has_no_section(run: Path) -> None:
    assert section(read_run(run)) == {"noise": None}


def test_there_is_a_plot_for_each_network_with_circuits_and_device(page: Page) -> None:
    texts = [str(attributes.get("alt")) for tag, attributes in page.tags if tag == "img"]
    shown = [text for text in texts if text.startswith("Accuracy by shots of ")]
    assert shown == ["Accuracy by shots of hybrid on ibm-eagle"]


def test_the_tables_show_the_numbers_of_the_file(page: Page, measured: Path) -> None:
    table = pd.read_csv(measured / "noise.csv").set_index(["variant", "device", "mitigation"])
    own = table.loc[("hybrid", "ibm-eagle", "both")].sort_values("shots")
    limit = own.iloc[-1]
    points = [100 * limit[f"difference{end}"] for end in ("", "_low", "_high")]
    head = "hybrid, ibm-eagle, both mitigations"
    assert page.row("noise", head) == [
        "{accuracy:.1%} {low:.1%} to {high:.1%}".format(**limit),
        "{:+.1f} {:+.1f} to {:+.1f}".format(*points),
        f"{limit['auroc']:.3f}",
        f"{limit['deviation']:.4f}",
    ]
    drawn = [f"{row['accuracy']:.1%} ± {100 * row['sd']:.1f}" for _, row in own[:2].iterrows()]
    assert page.row("noise", head, 1) == [*drawn, f"{limit['accuracy']:.1%}"]
    exact = table.loc[[("dense", "exact", "none")], "accuracy"].item()
    assert page.row("noise", "dense, no circuits")[0].startswith(f"{exact:.1%}")


def test_thousands_of_shots_are_separated(measured: Path) -> None:
    results = read_results(RunFolder(measured))
    results.summary["options"]["shots"] = [64, 4096]
    assert shot_table(results).columns[1:] == ["64", "4,096", "∞"]


def test_the_words_say_how_it_was_measured(page: Page) -> None:
    text = page.text("noise")
    assert "hybrid, dense: not surely better without noise" in text
    assert "after training under the noise of X1" in text
    assert "IBM Eagle r3 (ibm_brisbane): Medians over all qubits" in text
    assert "nothing ran on a device" in text


def test_markdown_and_json_have_the_same(measured: Path) -> None:
    assert "## On noisy hardware" in write_markdown(measured).read_text()
    found = json.loads(write_json(measured).read_text())["noise"]
    assert found["summary"]["trained_for"] == "X1"
    assert len(found["table"]) == len(pd.read_csv(measured / "noise.csv"))


def test_curves_go_through_the_tables_numbers(measured: Path) -> None:
    curves = shot_curves(read_results(RunFolder(measured)).table)
    curve = curves[(curves["device"] == "ibm-eagle") & (curves["mitigation"] == "both")]

    def drawn(rows: pd.DataFrame, flat: float = 0.5, baseline: float = 0.2) -> str:
        return shot_plot({"mitigated": rows}, {"dense": flat}, (0.0, 1.0), baseline)

    first = drawn(curve)
    assert first == drawn(curve)
    for place in (0, 2):
        other = curve.reset_index(drop=True)
        other.loc[place, "accuracy"] = 0.123
        assert first != drawn(other)
    assert first != drawn(curve.assign(sd=0.123))
    assert first != drawn(curve, flat=0.6)
    assert first != drawn(curve, baseline=0.3)


def test_a_broken_table_is_named(noisy_run: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(noisy_run, tmp_path / "run"))
    (path / "noise.csv").write_text("variant\n")
    with pytest.raises(RunError, match=r"noise\.csv is missing or broken"):
        section(read_run(path))
