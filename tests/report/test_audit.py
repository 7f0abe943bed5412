from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from data.auditing.planted import leaking_folder
from medqnn.data.auditing.audit import Audit, audit
from medqnn.data.class_folders import read_class_folders
from medqnn.data.phantom.table import phantom_table
from medqnn.data.table import ImageTable
from medqnn.errors import DataError
from medqnn.report import audit_pairs
from medqnn.report.audit import render, write_html, write_json, write_tables
from medqnn.report.audit_pairs import galleries


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> ImageTable:
    return read_class_folders(leaking_folder(tmp_path_factory.mktemp("leaking")))


@pytest.fixture(scope="module")
def found(table: ImageTable) -> Audit:
    return audit(table)


def test_the_page_shows_each_pair_and_loads_nothing(found: Audit, table: ImageTable) -> None:
    page = render(found, table)
    assert "THIS SPLIT LEAKS" in page
    assert "5 of 8 images of test" in page
    for name in ("bytes.png", "pixels.bmp", "near.jpg", "turned.png", "cropped.png"):
        assert f"test/{'b' if name == 'cropped.png' else 'a'}/{name}" in page
    assert "mirrored left to right" in page
    assert "One picture, two labels: 1 of 1 pairs" in page
    assert len(re.findall(r'<img src="data:image/jpeg;base64,', page)) == 2 * 7
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_a_clean_synthetic_set() -> None:
    clean = phantom_table(16, size=64)
    page = render(audit(clean), clean)
    assert "THIS SPLIT LEAKS" not in page
    assert "SYNTHETIC DATA" in page
    assert "Nothing to warn of." in page
    assert "None were found." in page
    assert "neither a split nor folds" in page
    assert "<img" not in page


def test_names_are_escaped(tmp_path: Path) -> None:
    root = leaking_folder(tmp_path)
    (root / "test/b/25.png").rename(root / "test/b/<b>&25.png")
    (root / "train/b/05.png").write_bytes((root / "test/b/<b>&25.png").read_bytes())
    table = read_class_folders(root)
    page = render(audit(table), table)
    assert "&lt;b&gt;&amp;25.png" in page
    assert "<b>&25.png" not in page


def test_galleries_show_some_pairs_those_across_sides_first(
    found: Audit, table: ImageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_pairs, "PAIRS", 1)
    shown = {gallery.title: gallery for gallery in galleries(found, table)}
    near = shown["re-encoded, resized or brightened"]
    assert (len(near.pairs), near.total) == (1, 2)
    assert {near.pairs[0].first.side, near.pairs[0].second.side} == {"train", "test"}
    assert "look-alikes: strongly altered, or neighbouring slices" not in shown


def test_json_and_tables(found: Audit, table: ImageTable, tmp_path: Path) -> None:
    write_json(found, tmp_path / "new" / "audit.json")
    assert json.loads((tmp_path / "new" / "audit.json").read_text())["images"] == 33
    write_tables(found, tmp_path)
    pairs = pd.read_csv(tmp_path / "pairs.csv")
    assert len(pairs) == 6
    images = pd.read_csv(tmp_path / "images.csv")
    assert images["id"].tolist() == table.rows["id"].tolist()
    assert images.columns[0] == "id"
    assert not list(tmp_path.glob("*.part"))


def test_a_place_that_cannot_be_written(found: Audit, table: ImageTable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for write in (
        lambda path: write_json(found, path),
        lambda path: write_html(found, table, path),
    ):
        with pytest.raises(DataError, match="name a place that you may write to"):
            write(tmp_path / "file" / "audit")
