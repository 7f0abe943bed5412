"""Findings about a run: written whole, read back, refused when broken."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.training.findings import Findings
from medqnn.training.folder import RunFolder

KEPT = Findings("found.csv", "found.json", ["id", "score"], ["id"], "medqnn find", ["means"])
TABLE = pd.DataFrame({"id": ["007", "NA", None], "score": [0.5, float("nan"), 1.0]})


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    KEPT.write(RunFolder(tmp_path), TABLE, {"means": {"score": 0.75}}, {"seed": 3})
    return RunFolder(tmp_path)


def test_table_and_summary_come_back_as_they_went(folder: RunFolder) -> None:
    table, summary = KEPT.read(folder)
    pd.testing.assert_frame_equal(table, TABLE, check_dtype=False)
    assert summary == {"means": {"score": 0.75}, "options": {"seed": 3}}


def test_they_are_of_their_options_alone(folder: RunFolder) -> None:
    assert KEPT.are_of(folder, {"seed": 3})
    assert not KEPT.are_of(folder, {"seed": 4})
    (folder.path / "found.csv").unlink()
    assert not KEPT.are_of(folder, {"seed": 3})


def test_a_write_that_fails_leaves_no_summary_of_another_table(folder: RunFolder) -> None:
    class Full(pd.DataFrame):
        def to_csv(self, *_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(RunError, match="No space left"):
        KEPT.write(folder, Full(TABLE), {"means": {}}, {"seed": 4})
    assert not (folder.path / "found.json").exists()
    assert [path.name for path in folder.path.iterdir()] == ["found.csv"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("found.csv", "id\n1\n"), ("found.csv", ""), ("found.json", "{}"), ("found.json", "[]")],
)
def test_broken_files_are_named_with_the_mend(folder: RunFolder, name: str, text: str) -> None:
    (folder.path / name).write_text(text)
    with pytest.raises(RunError, match=rf"{name} is missing or broken .*`medqnn find "):
        KEPT.read(folder)
