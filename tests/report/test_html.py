from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from medqnn.errors import RunError
from medqnn.report.html import write_report
from medqnn.report.markdown import write_markdown

from .page import SECTIONS, Page
from .runs import CLASSES, read_json

Maker = Callable[..., Path]


@pytest.fixture(scope="module")
def page(run: Path) -> Page:
    return Page(write_report(run))


def test_writes_one_file_and_gives_its_path(run: Path) -> None:
    assert write_report(run) == run / "report.html"
    assert not list(run.glob(".*"))


def test_all_sections_stand_in_order(page: Page) -> None:
    assert [name for name in page.sections if name] == SECTIONS
    assert not any("Left out" in text for text in page.sections.values())


def test_nothing_is_loaded_from_outside(run: Path, page: Page) -> None:
    sources = [v for _, a in page.tags for k, v in a.items() if k in ("src", "href", "srcset")]
    assert sources
    assert all(source and source.startswith(("data:image/", "#")) for source in sources)
    assert {tag for tag, _ in page.tags}.isdisjoint({"link", "iframe", "object"})
    css = re.search(r"<style>(.*)</style>", (run / "report.html").read_text(), re.DOTALL)
    assert css
    assert "url(" not in css[1]
    assert "@import" not in css[1]


def test_contents_list_every_section(page: Page) -> None:
    links = [a["href"] for tag, a in page.tags if tag == "a"]
    assert links == [f"#{name}" for name in SECTIONS]


def test_the_only_script_is_the_one_that_the_policy_names(run: Path, page: Page) -> None:
    text = (run / "report.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    (policy,) = (a["content"] or "" for _, a in page.tags if "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_every_picture_has_words_for_it(run: Path, page: Page) -> None:
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    errors = len((run / "hybrid" / "failures.csv").read_text().splitlines()) - 1
    assert len(pictures) == 2 * 3 + 4 + 1 + 5 * 6 + 8 + min(errors, 12)
    assert all(attributes["alt"] for attributes in pictures)
    captions = sum(tag == "figcaption" for tag, _ in page.tags)
    assert captions == sum(tag == "figure" for tag, _ in page.tags) == 8


def test_the_answer_is_the_comparison_in_words_with_the_main_figures(run: Path, page: Page) -> None:
    comparison = read_json(run / "comparisons.json")[0]
    assert comparison["words"] in page.text("answer")
    for column, name in enumerate(("hybrid", "dense")):
        scores = read_json(run / name / "metrics.json")["scores"]
        for head, score, form in (
            ("Accuracy", "accuracy", "{:.1%}"),
            ("Macro F1", "macro_f1", "{:.3f}"),
            ("AUROC (one-vs-rest)", "auroc", "{:.3f}"),
        ):
            numbers = [form.format(scores[score][key]) for key in ("estimate", "low", "high")]
            expected = "{} {} to {}".format(*numbers)
            assert page.row("answer", head)[column] == expected


def test_table_1_shows_the_numbers_of_the_metrics(run: Path, page: Page) -> None:
    for offset, name in ((0, "hybrid"), (3, "dense")):
        metrics = read_json(run / name / "metrics.json")
        for label in CLASSES:
            cells = page.row("classes", label)
            for i, measure in enumerate(("precision", "recall", "f1")):
                record = metrics["scores"][f"{measure}[{label}]"]
                numbers = [metrics["class_report"][label][measure], record["low"], record["high"]]
                assert cells[offset + i] == "{:.3f} {:.3f} to {:.3f}".format(*numbers)


def test_paired_tests_show_the_numbers_of_the_comparison(run: Path, page: Page) -> None:
    comparison = read_json(run / "comparisons.json")[0]
    counts = comparison["mcnemar"]
    assert page.row("comparison", "hybrid right") == [
        str(counts["both_right"]),
        str(counts["only_a"]),
    ]
    assert f"hybrid alone is right on {counts['only_a']}" in page.text("comparison")
    assert f"p = {counts['p']:.2g}" in page.text("comparison")
    record = comparison["differences"]["f1[glioma]"]
    cells = page.row("comparison", "F1 of glioma")
    assert cells[:3] == [
        f"{record['a']:.3f}",
        f"{record['b']:.3f}",
        f"{record['difference']:+.3f}",
    ]
    assert cells[3] == f"{record['low']:+.3f} to {record['high']:+.3f}"


def test_table_2_shows_the_numbers_of_metrics_and_tests(run: Path, page: Page) -> None:
    comparison = read_json(run / "comparisons.json")[0]
    heads = ["τ = 0.99", "τ = 0.90", "τ = 0.75", "top 1%", "top 10%", "top 25%"]
    for head, record in zip(heads, comparison["localisation"], strict=True):
        cells = page.row("localisation", head)
        for cell, name in zip(cells, ("hybrid", "dense"), strict=False):
            metrics = read_json(run / name / "metrics.json")
            mean = metrics["localisation"][record["column"]]
            assert cell == f"{mean['estimate']:.3f} {mean['low']:.3f} to {mean['high']:.3f}"
        for cell, unit in zip(cells[2:], ("images", "patients"), strict=True):
            p = record[unit]["p"]
            number = "< 0.0001" if p < 0.0001 else f"{p:.2g}"
            assert cell == f"{number} n = {record[unit]['n']}"


def test_errors_are_held_against_those_of_chance(run: Path, page: Page) -> None:
    counts = read_json(run / "comparisons.json")[0]["mcnemar"]
    both = counts["both_wrong"]
    hybrid, dense = both + counts["only_b"], both + counts["only_a"]
    text = page.text("failures")
    assert f"hybrid is wrong on {hybrid} of 48 test images, dense on {dense};" in text
    assert f"wrong on {both}, where {hybrid * dense / 48:.1f} would be expected" in text


def test_published_figures_stand_apart_and_are_called_so(page: Page) -> None:
    assert page.row("answer", "accuracy") == ["96.48 % hybrid"]
    assert page.row("answer", "parameters") == ["12"]
    assert "Published by the authors, not results of this run" in page.text("answer")
    assert all(
        "96.48" not in text
        for name, text in page.sections.items()
        if name != "answer" and name != "reproducibility"
    )


def test_synthetic_data_are_called_so_above_all_and_at_every_figure(page: Page) -> None:
    assert "SYNTHETIC DATA" in page.text("")
    tags = [a for tag, a in page.tags if tag == "span" and a.get("class") == "tag"]
    assert len(tags) == sum(tag == "figure" for tag, _ in page.tags)
    assert "synthetic" in page.text("limits")


def test_facts_of_the_run_are_shown(run: Path, page: Page) -> None:
    facts = read_json(run / "run.json")
    for fact in (facts["medqnn"], facts["python"], facts["platform"], facts["packages"]["torch"]):
        assert fact in page.text("reproducibility")
    assert f"Threads{facts['threads']}" in page.text("reproducibility")
    assert facts["data"]["fingerprint"] in page.text("split")
    assert "No copies were searched for" in page.text("split")
    assert facts["data"]["split_rule"] in page.text("split")
    assert "more than one part: 0" in page.text("split")
    assert "not for clinical use" in page.text("")
    assert "system: hqcm-ebtc" in page.text("reproducibility")


def test_a_run_trained_under_noise_says_so_and_what_its_scores_are(
    run_maker: Maker, tmp_path: Path
) -> None:
    folder = run_maker(tmp_path / "run")
    assert "trained under the noise" not in Page(write_report(folder)).text("answer")
    facts = read_json(folder / "run.json")
    (folder / "run.json").write_text(json.dumps({**facts, "trained_under": "IBM Eagle"}))
    words = "trained under the noise of IBM Eagle; these scores are of exact simulation"
    assert words in Page(write_report(folder)).text("answer")
    assert words in write_markdown(folder).read_text()


def test_class_names_are_escaped(run_maker: Maker, tmp_path: Path) -> None:
    classes = ("<script>alert(1)</script>", 'a"b&c', "$x$")
    path = write_report(run_maker(tmp_path / "run", classes=classes))
    page = Page(path)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    for name in classes:
        assert page.row("classes", name)
        assert name in page.text("samples")


def test_all_twins_stand_side_by_side(run_maker: Maker, tmp_path: Path) -> None:
    names = ("hybrid", "dense", "matched", "product")
    page = Page(write_report(run_maker(tmp_path / "run", variants=names)))
    assert len(page.row("answer", "Accuracy")) == 4
    for comparison in read_json(tmp_path / "run" / "comparisons.json"):
        assert comparison["words"] in page.text("answer")
        assert f"hybrid and {comparison['b']}" in page.text("comparison")
    assert len(page.row("localisation", "τ = 0.99")) == 4 + 3 * 2
    assert len(page.rows["panels"][0]) == 2 + 2 * 4


def test_a_network_alone_without_attention_or_patients(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(
        tmp_path / "run",
        variants=("hybrid",),
        attention=False,
        patients_known=False,
        synthetic=False,
    )
    page = Page(write_report(path))
    assert [name for name in page.sections if name] == SECTIONS
    left_out = [name for name, text in page.sections.items() if "Left out" in text]
    assert left_out == ["comparison", "localisation", "panels"]
    assert "trained hybrid alone" in page.text("answer")
    assert "Patients are unknown" in page.text("limits")
    assert "patients" not in page.text("answer")
    assert "white line" not in page.text("samples")
    assert "Attention" not in page.text("limits")
    assert "ynthetic" not in " ".join(page.sections.values())
    assert "Published" not in page.text("answer")


def test_shared_patients_are_counted_and_called_a_limit(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",), attention=False)
    split = (path / "split.csv").read_text().replace(",P4,test", ",P0,test")
    (path / "split.csv").write_text(split)
    page = Page(write_report(path))
    assert "more than one part: 1" in page.text("split")
    assert "Some patients lie in more than one part" in page.text("limits")


def test_an_incomplete_run_is_refused_and_nothing_written(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",), attention=False)
    facts = read_json(path / "run.json") | {"status": "running"}
    (path / "run.json").write_text(json.dumps(facts))
    with pytest.raises(RunError, match=r"running.*medqnn train"):
        write_report(path)
    assert not (path / "report.html").exists()


def test_a_broken_run_leaves_the_last_report_alone(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", variants=("hybrid",), attention=False)
    before = write_report(path).read_bytes()
    (path / "hybrid" / "metrics.json").write_text("{")
    with pytest.raises(RunError, match=r"metrics\.json"):
        write_report(path)
    assert (path / "report.html").read_bytes() == before
    assert not list(path.glob(".*"))
