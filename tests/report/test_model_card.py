from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from torch import nn

from medqnn.layers import VARIANTS, QuantumLayer, head
from medqnn.report.card_items import QUESTIONS
from medqnn.report.model_card import OF_CIRCUITS, WITH_CIRCUITS, errors, write_card
from medqnn.report.run_folder import read_run
from medqnn.training.folder import RunFolder
from medqnn.training.recipe import load, names
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


def as_if_of(path: Path, copy: Path, *variants: str) -> str:
    """The card of a run of other variants; they are the hybrid under other names."""
    shutil.copytree(path, copy)
    facts = read_json(copy / "run.json")
    for name in {*variants} - {*facts["variants"]}:
        shutil.copytree(copy / "hybrid", copy / name)
    RunFolder(copy).write_json("run.json", facts | {"variants": variants})
    RunFolder(copy).write_json("comparisons.json", [])
    return write_card(copy).read_text()


def test_a_quantum_layer_is_told_of_the_networks_that_have_one(card: str) -> None:
    assert "network with a quantum layer (simulated circuits) in hybrid; system hqcm-ebtc" in card
    line = "- Quantum layer of hybrid: qubits 5, circuits 5, depth 2, entangler cnot.\n"
    assert line in card
    assert "kernels" in card
    assert "qubits" not in card.replace(line, "")
    assert "to find out whether the quantum layer helps, by holding hybrid against dense.\n" in card


def test_circuits_without_a_hybrid_are_told_too(path: Path, tmp_path: Path) -> None:
    text = as_if_of(path, tmp_path / "run", "product", "frozen", "none")
    assert "(simulated circuits) in product, frozen; system" in text
    assert "- Quantum layer of product, frozen: qubits 5, " in text
    assert "; product has no entangling gates; frozen keeps its circuits' first weights." in text
    assert "only a hybrid with a twin beside it can tell" in text


def test_networks_without_circuits_are_told_of_none(path: Path, tmp_path: Path) -> None:
    text = as_if_of(path, tmp_path / "run", "dense", "matched")
    assert "convolutional network; system hqcm-ebtc" in text
    assert "to train dense, matched; whether the quantum layer helps" in text
    assert not re.search(r"qubit|circuit|entangler|quantum computer", text)
    assert "kernels" in text


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_variants_with_circuits_are_those_that_build_one(variant: str) -> None:
    twin: nn.Module = head(variant, QuantumLayer(2, 1, 1))[0]
    assert isinstance(twin, QuantumLayer) == (variant in WITH_CIRCUITS)


def test_the_circuits_settings_are_those_of_the_systems() -> None:
    known = {key for name in names() for key in load(name).model_dump()["model"]}
    assert set(OF_CIRCUITS) <= known


def test_images_left_out_are_counted_or_unknown(card: str, path: Path, tmp_path: Path) -> None:
    assert "No image was left out; missing" in card
    copy = Path(shutil.copytree(path, tmp_path / "run"))
    facts = read_json(copy / "run.json")
    facts["data"]["skipped"] = 3
    RunFolder(copy).write_json("run.json", facts)
    assert "3 images could not be used and were left out" in write_card(copy).read_text()
    del facts["data"]["skipped"]
    RunFolder(copy).write_json("run.json", facts)
    text = write_card(copy).read_text()
    assert "No image was left out" not in text
    assert "How many images were left out is unknown" in text


def test_what_was_registered_is_left_to_people(card: str) -> None:
    assert "- [ ] Protocol and registration" in card
    assert "- [ ] Aims and hypotheses" in card
    assert not re.search("exploratory|no hypothesis", card, re.IGNORECASE)


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
