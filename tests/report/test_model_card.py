from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from medqnn.report.card_items import QUESTIONS
from medqnn.report.model_card import errors, write_card
from medqnn.report.run_folder import read_run
from medqnn.training.folder import RunFolder
from training.tiny import tiny_run

from .runs import read_json

__all__ = ["tiny_run"]


@pytest.fixture(scope="module")
def path(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("card") / "run"))


@pytest.fixture(scope="module")
def card(path: Path) -> str:
    assert write_card(path) == path / "model_card.md"
    return (path / "model_card.md").read_text()


def test_facts_are_the_run_s(path: Path, card: str) -> None:
    facts = read_json(path / "run.json")
    for fact in (facts["data"]["fingerprint"], facts["python"], facts["created"]):
        assert fact in card
    scores = read_json(path / "hybrid" / "metrics.json")["scores"]
    assert "{estimate:.1%} ({low:.1%} to {high:.1%})".format(**scores["accuracy"]) in card
    assert "learning rate 0.003" in card
    assert "synthetic: made by a program" in card
    assert "does not say that the model conforms" in card


def test_every_question_for_people_is_one_open_box(card: str) -> None:
    boxes = re.findall(r"^- \[ \] .*$", card, re.MULTILINE)
    assert len(boxes) == sum(bool(q.people) for q in QUESTIONS)
    assert all("to be filled in by" in box for box in boxes)


def test_index_says_where_each_stands(card: str) -> None:
    def stands(what: str) -> str:
        (line,) = re.findall(rf"^\| {what} \|.*\| ([^|]*) \|$", card, re.MULTILINE)
        return line

    assert stands("Software") == "from the run"
    assert stands("Ethics approval") == "blank"
    assert stands("Hardware") == "in part"
    assert stands("What worse images do to it") == "not measured"
    assert "`medqnn robustness RUN` does" in card


def test_errors_are_counted_and_the_most_frequent_is_named(path: Path) -> None:
    variant = read_run(path).variants[0]
    counts = read_json(path / "hybrid" / "metrics.json")["confusion"]
    wrong = sum(map(sum, counts)) - sum(counts[i][i] for i in range(len(counts)))
    worst = max(n for i, row in enumerate(counts) for j, n in enumerate(row) if i != j)
    words = errors(variant)
    assert f"{wrong} of {len(variant.predictions)} test images are wrong" in words
    assert f"({worst} times)" in words


def test_a_leak_is_a_limit(path: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(path, tmp_path / "run"))
    facts = read_json(copy / "run.json")
    facts["data"] |= {"leak": "3 of 9 images", "synthetic": False, "patients_known": False}
    RunFolder(copy).write_json("run.json", facts)
    limits = write_card(copy).read_text().partition("## Limits")[2]
    assert "The split leaks: 3 of 9 images." in limits
    assert "Patients are unknown" in limits
    assert "Synthetic" not in limits
