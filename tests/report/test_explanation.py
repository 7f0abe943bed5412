from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from medqnn.explain.explanation import Answer, Quantum, explain
from medqnn.explain.new_images import NewImage
from medqnn.explain.quantum import Readout
from medqnn.report import explanation, quantum_figures
from medqnn.report.explanation import Explained, quantum_words, render, write_page
from medqnn.training.folder import RunFolder
from medqnn.training.trained import load_models
from training.tiny import tiny_run

from .page import Page

__all__ = ["tiny_run"]

CLASSES = ["healthy", "meningioma", "glioma", "pituitary"]
RELIABILITY = [
    {"low": 0.0, "high": 0.5, "count": 0, "confidence": None, "accuracy": None},
    {"low": 0.5, "high": 0.9, "count": 7, "confidence": 0.7, "accuracy": 0.5714},
    {"low": 0.9, "high": 1.0, "count": 2000, "confidence": 0.95, "accuracy": 0.93},
]


def answer(sure: float, variant: str = "hybrid", quantum: Quantum | None = None) -> Answer:
    probabilities = np.array([(1 - sure) / 2, (1 - sure) / 2, sure])
    return Answer(variant, probabilities, 2, {"occlusion": np.zeros((8, 8))}, quantum)


def quantum(*shares: float) -> Quantum:
    """Of two circuits of as many qubits."""
    half = len(shares) // 2
    readouts = tuple(Readout(circuit, qubit, "Y") for circuit in (0, 1) for qubit in range(half))
    sums = {f"circuit {i + 1}": sum(shares[i * half : (i + 1) * half]) for i in (0, 1)}
    strongest, seen = int(np.abs(shares).argmax()), np.zeros((8, 8), np.float32)
    states = np.full((2, 4), 0.25)
    return Quantum(readouts, np.array(shares), 0.25, sums, strongest, seen, states, True)


@pytest.fixture(scope="module")
def page(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Two images under the tiny run's networks."""
    folder = RunFolder(tiny_run)
    networks = load_models(folder)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (2, 1, 32, 32)).astype(np.uint8)
    square = np.zeros((32, 32), dtype=bool)
    square[4:9, 4:9] = True
    new = [NewImage("<scan>.png", pixels[0]), NewImage("b", pixels[1], square, "glioma")]
    cases = [(image, explain(networks, image.pixels, False)) for image in new]
    path = tmp_path_factory.mktemp("explained") / "deep" / "page.html"
    write_page(folder, networks, Explained(cases, "2 images", synthetic=True), path)
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]
    return Page(path)


def test_the_page_says_what_it_is_and_is_not(page: Page) -> None:
    words = " ".join(page.sections[""].split())
    assert "A RESEARCH RESULT, NOT FOR CLINICAL USE" in words
    assert "SYNTHETIC DATA" in words
    assert "What hybrid and dense make of 2 images" in words
    assert "not calibrated after training" in page.text("sure")
    for name in ("hybrid", "dense"):
        assert re.search(rf"{name}: right on \d+\.\d% \(.* to .*%\)", page.text("sure"))


def test_each_image_has_its_probabilities_maps_and_circuits_shares(page: Page) -> None:
    for place in ("image-1", "image-2"):
        cells = [page.row(place, name) for name in CLASSES]
        for column in zip(*cells, strict=True):
            assert sum(float(cell.rstrip("%")) for cell in column) == pytest.approx(100, abs=0.3)
        words = page.text(place)
        for name in ("Attention", "Grad-CAM", "Integrated gradients", "Occlusion"):
            own = 1 if name == "Grad-CAM" else 0  # of the strongest expectation value
            assert words.count(name) == 2 + own  # of hybrid and dense
        assert words.count("quantum layer") == 1  # dense has none
        assert "speaks most for it" in words
    assert "<scan>.png" in page.text("image-1")
    assert "said to be glioma" in page.text("image-2")
    assert "edge of the mask" in page.text("image-2")
    assert "edge of the mask" not in page.text("image-1")


def test_nothing_is_loaded_and_every_picture_says_what_it_is(page: Page) -> None:
    pictures = [dict(attrs) for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == 2 * (1 + 8 + 3) + 5  # the image, maps, quantum figures; circuits
    assert all(str(one["src"]).startswith("data:image/") for one in pictures)
    assert all(one["alt"] for one in pictures)
    assert {tag for tag, _ in page.tags} & {"link", "iframe"} == set()
    assert all(f"Circuit {number}" in page.text("circuits") for number in range(1, 6))


def test_how_often_it_was_right_when_it_was_as_sure() -> None:
    metrics = {"reliability": RELIABILITY}
    words = explanation._answer(answer(0.93), "glioma", metrics)
    assert words == (
        "hybrid answers glioma, 93.0% sure. Of the test images of which it was as sure (90% to "
        "100%) it was right on 93% (2,000 images)."
    )
    assert "57% (7 images, too few to go by)" in explanation._answer(answer(0.9), "x", metrics)
    assert "as sure (0% to 50%) of no test image" in explanation._answer(answer(0.4), "x", metrics)
    findings = explanation._answer(answer(0.4), "nodule", {})
    assert findings == "hybrid: the likeliest finding is nodule, at 40.0%."


def test_what_speaks_for_an_answer_and_against_it() -> None:
    words = quantum_words(quantum(0.5, -0.75, 1.0, 0.125), "glioma")
    assert words == (
        "Of the logit of glioma, +1.125, the circuits give +0.875; +0.250 it would be without "
        "them. Circuit 2 speaks most for it (+1.125), circuit 1 most against it (-0.250). Circuit "
        "2, qubit 1, Y speaks most for it (+1.000), circuit 1, qubit 2, Y most against it (-0.750)."
    )
    assert "against" not in quantum_words(quantum(0.5, 0.75, 1.0, 0.125), "glioma")
    assert "says nothing" in quantum_words(quantum(0, 0, 0, 0), "glioma")


def test_a_map_of_zeros_is_said_to_be_one() -> None:
    pixels = np.zeros((8, 8), dtype=np.uint8)
    panel = explanation._maps(answer(0.9), pixels, pixels > 0)[0]
    assert panel.lines == ["Occlusion", "nothing speaks for the answer"]


def test_bars_are_the_shares_circuit_by_circuit() -> None:
    shares = np.array([0.5, -0.75, 1.0, 0.125])
    readouts = quantum(*shares).readouts
    axes = quantum_figures.share_bars.__wrapped__(readouts, shares).axes[0]  # type: ignore[attr-defined]
    assert [bar.get_height() for bar in axes.patches] == pytest.approx(shares)
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, True, False, False]
    left = [bar.get_x() for bar in axes.patches]
    assert np.diff(left) == pytest.approx([1, 1 + quantum_figures.BETWEEN, 1])
    assert [text.get_text() for text in axes.texts] == ["circuit 1", "circuit 2"]


def test_bars_of_two_paulis_stand_with_their_circuit() -> None:
    readouts = [Readout(c, q, p) for c in (0, 1) for p in "XZ" for q in (0, 1)]
    axes = quantum_figures.share_bars.__wrapped__(readouts, np.ones(8)).axes[0]  # type: ignore[attr-defined]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["X1", "X2", "Z1", "Z2"] * 2


@pytest.mark.parametrize(("columns", "amplitude"), [(4, True), (32, True), (3, False)])
def test_states_are_named_and_small_ones_written_out(columns: int, amplitude: bool) -> None:
    embedded = np.linspace(0, 1, 2 * columns).reshape(2, columns)
    figure = quantum_figures.embedded_states.__wrapped__(embedded, amplitude)  # type: ignore[attr-defined]
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert len(texts) == (2 * columns if columns < 32 else 0)
    names = [text.get_text() for text in axes.get_xticklabels()]
    if amplitude:
        assert names[1] == format(max(1, columns // 8), f"0{int(np.log2(columns))}b")
        assert axes.images[0].get_array().max() == 1
    else:
        assert names == ["qubit 1", "qubit 2", "qubit 3"]
        assert texts[-1] == "57°"


def test_networks_without_a_circuit_have_no_drawing(tiny_run: Path) -> None:
    networks = {"dense": load_models(RunFolder(tiny_run))["dense"]}
    assert explanation._drawn(networks) is None
    new = NewImage("a", np.zeros((1, 32, 32), dtype=np.uint8))
    cases = [(new, explain(networks, new.pixels, False))]
    text = render(RunFolder(tiny_run), networks, Explained(cases, "1 image"))
    assert 'id="circuits"' not in text
    assert "What dense makes of 1 image" in text
