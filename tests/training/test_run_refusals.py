"""Runs that must not begin, or must not go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from medqnn.errors import MedqnnError, RunError
from medqnn.training.plan import start
from medqnn.training.run import proceed
from training.tiny import read_index, tiny_recipe, write_index


def test_existing_folder_is_left_as_it_is(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("precious")
    with pytest.raises(RunError, match="exists: choose another folder with --out"):
        start(tiny_recipe(), str(folder), tmp_path / "run")
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "override",
    [
        "model.dropout=2",
        "model.widths=[8, 8, 0]",
        "model.kernels=[0, 3, 3]",
        "model.qubits=0",
        "model.circuits=0",
        "data.split.test=0.9",
        "data.classes=[one, two]",
    ],
)
def test_run_that_cannot_be_trained_is_never_begun(
    folder: Path, tmp_path: Path, override: str
) -> None:
    def begin() -> None:
        start(tiny_recipe(override), str(folder), tmp_path / "run")

    with pytest.raises(MedqnnError):
        begin()
    assert not (tmp_path / "run").exists()


def test_divergence_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    run = start(tiny_recipe("training.learning_rate=1e30"), str(folder), tmp_path / "run")
    with pytest.raises(MedqnnError, match="learning_rate"):
        proceed(run)
    assert run.facts()["status"] != "complete"


def change_pixels(root: Path) -> None:
    shutil.copy(root / "glioma-0.png", root / "glioma-1.png")


def change_label(root: Path) -> None:
    index = read_index(root)
    index.loc[0, "label"] = "healthy"
    write_index(root, index)


def drop_image(root: Path) -> None:
    write_index(root, read_index(root).iloc[1:])


@pytest.mark.parametrize("change", [change_pixels, change_label, drop_image])
def test_changed_data_stop_a_run_that_goes_on(
    folder: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    own = shutil.copytree(folder, tmp_path / "own")
    run = start(tiny_recipe(), str(own), tmp_path / "run")
    before = (run.path / "run.json").read_bytes()
    change(own)
    with pytest.raises(RunError, match="have changed since it began"):
        proceed(run)
    assert (run.path / "run.json").read_bytes() == before
