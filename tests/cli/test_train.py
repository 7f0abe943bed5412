from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.conftest import Medqnn
from training.tiny import SMALL, options, read_index, write_folder, write_index

Fails = Callable[..., str]


def train(folder: Path | str, out: Path, *sets: str) -> list[str]:
    """The words of a training command."""
    words = ["train", "hqcm-ebtc", "--data", str(folder), "--out", str(out)]
    return [*words, *options(*SMALL, *sets)]


def test_output_tells_what_was_done(tiny_run: Path) -> None:
    out = " ".join(tiny_run.with_suffix(".out").read_text().split())
    assert "hqcm-ebtc on phantom (synthetic): 96 images, 4 classes, split by patient" in out
    assert "hybrid (1 of 2)" in out
    assert "dense (2 of 2)" in out
    assert "Test images by class" in out
    assert "Jaccard index of attention and tumour mask" in out
    (comparison,) = json.loads((tiny_run / "comparisons.json").read_text())
    assert " ".join(comparison["words"].split()) in out
    assert f"report: {tiny_run / 'report.html'}" in out


def test_output_has_no_warnings(tiny_run: Path) -> None:
    assert tiny_run.with_suffix(".err").read_text() == ""


def test_report_is_written(tiny_run: Path) -> None:
    page = (tiny_run / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") or page.startswith("<!doctype html>")
    assert "synthetic" in page


def test_default_folder_names_system_and_data(
    medqnn: Medqnn, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = train("squares", tmp_path, "training.epochs=1")
    place = words.index("--out")
    done = medqnn(*words[:place], *words[place + 2 :])
    assert done.code == 0, done
    assert (tmp_path / "runs" / "hqcm-ebtc-squares" / "report.html").is_file()


def test_run_goes_on_from_another_place(
    medqnn: Medqnn, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data were given by a path that holds in the first place only."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    assert medqnn(*train("squares", tmp_path / "run", "training.epochs=1")).code == 0
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = medqnn("train", tmp_path / "run")
    assert done.code == 0, done


def test_complete_run_is_shown_again(medqnn: Medqnn, tiny_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    done = medqnn("train", run)
    assert done.code == 0, done
    assert "Test images by class" in done.out


def remove_image(folder: Path) -> None:
    (folder / "glioma-0.png").unlink()


def truncate_image(folder: Path) -> None:
    (folder / "glioma-0.png").write_bytes((folder / "glioma-0.png").read_bytes()[:60])


def resize_mask(folder: Path) -> None:
    Image.fromarray(np.zeros((16, 15), dtype=np.uint8)).save(folder / "glioma-0-mask.png")


def misspell_label(folder: Path) -> None:
    index = read_index(folder)
    write_index(folder, index.assign(label=index["label"].replace("glioma", "gliom")))


def keep_two_of_a_class(folder: Path) -> None:
    index = read_index(folder)
    keep = (index["label"] == "healthy") | (index.groupby("label").cumcount() < 2)
    write_index(folder, index[keep])


def keep_one_class(folder: Path) -> None:
    index = read_index(folder)
    write_index(folder, index[index["label"] == "glioma"])


def lose_column(folder: Path) -> None:
    write_index(folder, read_index(folder).drop(columns="label"))


def garble_index(folder: Path) -> None:
    (folder / "index.csv").write_bytes(b"\xff\xfe\x00image")


def lose_index(folder: Path) -> None:
    (folder / "index.csv").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_image, "1 of 32 image files of"),
        (truncate_image, "cannot read the image"),
        (resize_mask, "image glioma-0.png of squares: the mask is 15×16 pixels, the image 16×16"),
        (misspell_label, "labels that the recipe does not know (gliom): rename them to healthy"),
        (keep_two_of_a_class, "class 'glioma' has 2 images of 1 patients, and none in"),
        (keep_one_class, "has one class only, glioma: give two at least"),
        (lose_column, "has no column label"),
        (garble_index, "cannot read"),
        (lose_index, "holds no data set: give"),
    ],
)
def test_faulty_data_are_one_line_and_leave_no_run(
    fails: Fails, folder: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(folder)
    assert message in fails(*train(folder, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "hqcm-ebtc"], "no data set: give --data PATH, or --data phantom"),
        (["train", "hqcm", "--data", "phantom"], "no recipe 'hqcm': give one of hqcm-ebtc"),
        (["train", "no.yaml", "--data", "phantom"], "cannot read recipe no.yaml"),
        (["train", "hqcm-ebtc", "--data", "nowhere"], "the data set nowhere does not exist"),
        (["train", "hqcm-ebtc", "--data", "phantom:x"], "phantom:x is not understood"),
        (["train", "hqcm-ebtc", "--data", "phantom:0"], "at least 1 image"),
        (["train", "hqcm-ebtc", "--data", "phantom", "--set", "x"], "give section.key=value"),
        (
            ["train", "hqcm-ebtc", "--data", "phantom", "--set", "training.lr=1"],
            "did you mean 'learning_rate'?",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    fails: Fails,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in fails(*words)
    assert not list(tmp_path.iterdir())


def test_existing_folder_is_refused(fails: Fails, folder: Path, tiny_run: Path) -> None:
    before = sorted(tiny_run.rglob("*"))
    assert "exists: choose another folder with --out" in fails(*train(folder, tiny_run))
    assert sorted(tiny_run.rglob("*")) == before


def test_folder_below_a_file_is_refused(fails: Fails, folder: Path) -> None:
    out = folder / "index.csv" / "run"
    assert "cannot write to" in fails(*train(folder, out))


def test_run_folder_takes_no_other_data_or_recipe(fails: Fails, tiny_run: Path) -> None:
    for option in ("--data", "--out", "--set", "--split"):
        message = fails("train", tiny_run, option, "x", "--allow-leak")
        assert f"leave out {option}, --allow-leak" in message


def test_folder_that_is_no_run_is_named(fails: Fails, folder: Path, tmp_path: Path) -> None:
    assert "has no run.json" in fails("train", folder)
    (tmp_path / "run").mkdir()
    for content in ("{}", "[]", "{"):
        (tmp_path / "run" / "run.json").write_text(content)
        assert "run.json" in fails("train", tmp_path / "run")


def test_run_that_failed_to_begin_can_be_begun_again(
    medqnn: Medqnn, fails: Fails, folder: Path, tmp_path: Path
) -> None:
    """The data were whole at first and are mended in the end."""
    shutil.copy(folder / "glioma-0.png", tmp_path / "kept.png")
    truncate_image(folder)
    fails(*train(folder, tmp_path / "run", "training.epochs=1"))
    shutil.copy(tmp_path / "kept.png", folder / "glioma-0.png")
    assert medqnn(*train(folder, tmp_path / "run", "training.epochs=1")).code == 0


def test_names_in_brackets_are_printed_as_they_are(medqnn: Medqnn, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "[bold]set")
    done = medqnn(*train(folder, tmp_path / "[red]run", "training.epochs=1"))
    assert done.code == 0, done
    assert str(tmp_path / "[red]run" / "report.html") in done.out
    assert "hqcm-ebtc on [bold]set: 32 images" in done.out
