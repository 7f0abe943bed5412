from __future__ import annotations

import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medqnn.explain.embedding_map import ARRAYS, NUMBERS
from medqnn.report.embedding import COLOURS, SHAPES, embedding_plot, section, separation_table
from medqnn.report.html import write_report
from medqnn.report.run_folder import read_run
from medqnn.training.folder import RunFolder, save_arrays

from .page import Page
from .runs import CLASSES


def ends(estimate: float, low: float | None, high: float | None) -> dict[str, Any]:
    return {"estimate": estimate, "low": low, "high": high}


def numbers(difference: dict[str, Any], images: int = 48) -> dict[str, Any]:
    """embedding.json of two networks."""

    def of(own: dict[str, Any]) -> dict[str, Any]:
        names = ["silhouette", "silhouette on the map", "right by neighbours"]
        return dict.fromkeys([*names, *(f"silhouette[{name}]" for name in CLASSES)], own)

    return {
        "images": images,
        "test_images": 48,
        "patients": 12,
        "patients_known": True,
        "perplexity": 47 / 3,
        "neighbours": 5,
        "interval": {"level": 0.95, "resamples": 100, "seed": 0, "method": "percentile bootstrap"},
        "reference": "hybrid",
        "variants": {
            "hybrid": of(ends(0.5, 0.25, 0.75)),
            "dense": of(ends(0.3, 0.125, 0.5)),
        },
        "differences": {"dense": of(difference)},
        "seed": 42,
    }


def mapped(run: Path, path: Path, about: dict[str, Any]) -> Path:
    """A copy of a run with such a map."""
    folder = RunFolder(Path(shutil.copytree(run, path)))
    random, labels = np.random.default_rng(0), np.arange(48) % 4
    arrays = {f"{name}/map": random.normal(size=(48, 2)) for name in about["variants"]}
    folder.write(ARRAYS, lambda file: save_arrays(file, labels=labels, **arrays))
    folder.write_json(NUMBERS, about)
    return path


def test_a_run_that_was_not_explained_has_no_section(run: Path) -> None:
    assert section(read_run(run)) == {"embedding": None}


def test_the_page_shows_plots_and_numbers(run: Path, tmp_path: Path) -> None:
    path = mapped(run, tmp_path / "run", numbers(ends(0.2, 0.05, 0.35), images=40))
    page = Page(write_report(path))
    text = page.text("embedding")
    assert "hybrid keeps the classes further apart than dense" in text
    assert "40 test images, drawn from 48, by the numbers" in text
    assert "perplexity 15.7, seed 42" in text
    row = page.row("embedding", "Silhouette of the features")
    assert row == ["0.500 0.250 to 0.750", "0.300 0.125 to 0.500", "+0.200 +0.050 to +0.350"]
    row = page.row("embedding", "Right by 5 nearest neighbours")
    assert row == ["50.0% 25.0% to 75.0%", "30.0% 12.5% to 50.0%", "+20.0 +5.0 to +35.0"]
    assert page.row("embedding", "Silhouette of glioma")


APART = "these images do not tell hybrid and dense apart"


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (ends(0.2, 0.05, 0.35), "hybrid keeps the classes further apart than dense"),
        (ends(-0.2, -0.35, -0.05), "dense keeps the classes further apart than hybrid"),
        (ends(0.2, -0.05, 0.35), APART),
        (ends(0.2, 0.0, 0.35), APART),
        (ends(0.2, None, None), "one patient does not tell them apart"),
    ],
)
def test_the_verdict_is_that_of_each_interval(
    run: Path, tmp_path: Path, difference: dict[str, Any], verdict: str
) -> None:
    about = numbers(difference)
    about["differences"]["dense"]["right by neighbours"] = ends(-0.01, -0.03, 0.01)
    (found,) = section(read_run(mapped(run, tmp_path / "run", about)))["embedding"]["verdicts"]
    by_silhouette, by_neighbours = found.split(" By nearest neighbours ")
    assert by_silhouette.startswith(f"By the silhouette of the features {verdict} (hybrid − dense:")
    assert by_neighbours == f"{APART} (hybrid − dense: -1.0 points, 95% interval -3.0 to +1.0)."


def test_one_network_alone_has_no_differences(run: Path, tmp_path: Path) -> None:
    about = numbers(ends(0.2, 0.05, 0.35)) | {"differences": {}}
    del about["variants"]["dense"]
    found = section(read_run(mapped(run, tmp_path / "run", about)))["embedding"]
    assert found["verdicts"] == []
    assert found["table"].columns == ["Measure", "hybrid"]
    assert [name for name, _ in found["plots"]] == ["hybrid"]
    assert len(separation_table(about).rows) == 3 + len(CLASSES)


def test_each_class_looks_different() -> None:
    looks = {(COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)]) for i in range(42)}
    assert len(looks) == 42
    assert len(set(zip(COLOURS, SHAPES, strict=False))) == len(SHAPES)


def test_every_image_is_a_marker_of_its_class() -> None:
    places, labels = np.random.default_rng(0).normal(size=(9, 2)), np.array([0] * 5 + [1] * 4)
    source = embedding_plot(places, labels, ("a", "b"))
    svg = b64decode(source.partition(",")[2]).decode()
    for colour, count in ((COLOURS[0], 5), (COLOURS[1], 4)):
        groups = svg.lower().count(f"fill: {colour.lower()}")
        assert groups > count  # its markers, and one in the legend
    assert embedding_plot(places, labels, ("a", "b")) == source
