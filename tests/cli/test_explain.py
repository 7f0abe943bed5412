from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.conftest import Medqnn
from data.scans import dicom_files
from medqnn.explain import explanation, scores
from medqnn.training.folder import RunFolder
from medqnn.training.trained import load_models
from training.tiny import read_index, write_folder

pytestmark = pytest.mark.usefixtures("hundred_columns")


@pytest.fixture
def copy(tiny_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "scan.png")
    return tmp_path / "scan.png"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_an_image_gets_a_page_in_the_run(medqnn: Medqnn, copy: Path, picture: Path) -> None:
    before = files(copy)
    done = medqnn("explain", copy, picture)
    assert done.code == 0, done.err
    assert done.err == ""
    assert files(copy) - before == {"explanations", "explanations/scan.html"}
    text = (copy / "explanations" / "scan.html").read_text()
    networks = load_models(RunFolder(copy))
    classes = json.loads((copy / "run.json").read_text())["data"]["classes"]
    line = next(line for line in done.out.splitlines() if line.startswith(str(picture)))
    for name in networks:
        assert f"{name} answers " in text
        sure = text.split(f"{name} answers ")[1].split(" sure")[0]
        answer, _, percent = sure.partition(", ")
        assert answer in classes
        assert f"{name} {answer} {percent}" in line
    assert "not for clinical use" in done.out


def test_a_scans_page_is_called_by_its_pseudonym(
    medqnn: Medqnn, copy: Path, tmp_path: Path
) -> None:
    path = dicom_files.write(tmp_path / "Roe_Jane.dcm", dicom_files.dicom())
    done = medqnn("explain", copy, path)
    assert done.code == 0, done.err
    (page,) = (copy / "explanations").iterdir()
    for secret in dicom_files.SECRETS:
        assert secret not in page.name
        assert secret not in page.read_text()


def test_another_set_is_scored_and_shown_in_a_new_folder(
    medqnn: Medqnn, copy: Path, tmp_path: Path
) -> None:
    source = write_folder(tmp_path / "other", patients=1)
    (source / read_index(source)["image"].iloc[0]).write_text("no picture")
    before = files(copy)
    done = medqnn("explain", copy, "--data", source, "--images", 2)
    assert done.code == 0, done.err
    made = copy.with_name("run-on-other")
    assert files(made) == {"explanation.html", "explain.csv", "explain.json"}
    assert files(copy) == before
    text = (made / "explanation.html").read_text()
    assert "2 of 3 images of other" in text
    assert text.count('<section id="image-') == 2
    assert json.loads((made / "explain.json").read_text())["images"] == 3
    assert "Maps and the network, 3 test images" in done.words
    assert "could not be used and were left out: 1; the first, glioma-0.png: " in done.words
    again = medqnn("explain", copy, "--data", source, "--out", made)
    assert (again.code, "exists: choose another folder" in again.err) == (2, True)


def test_a_run_is_scored_once_and_its_report_follows(
    medqnn: Medqnn, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("embedding.npz", "embedding.json", "cases.npz"):  # training kept them
        (copy / name).unlink()
    before = files(copy)
    report = (copy / "report.html").read_text()
    done = medqnn("explain", copy, "--images", 2)
    assert done.code == 0, done.err
    assert {"explain.csv", "explain.json", "embedding.npz", "cases.npz"} <= files(copy) - before
    assert (copy / "report.html").read_text() != report
    monkeypatch.setattr(scores, "score", None)
    again = medqnn("explain", copy, "--images", 2)
    assert again.code == 0, again.err
    assert "scoring" not in again.out
    assert again.out.splitlines()[-5:] == done.out.splitlines()[-5:]


def test_a_new_folder_is_never_an_old_one(tmp_path: Path) -> None:
    from medqnn.cli.explain import _new_folder

    run = tmp_path / "run"
    names = []
    for _ in range(3):
        made = _new_folder(run, "phantom:8:5", None)
        made.mkdir()
        names.append(made.name)
    first = "run-on-phantom-8-5"
    assert names == [first, f"{first}-2", f"{first}-3"]
    (tmp_path / "empty").mkdir()
    assert _new_folder(run, "phantom", tmp_path / "empty") == tmp_path / "empty"


def test_ctrl_c_writes_nothing(
    medqnn: Medqnn, copy: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    before = files(copy.parent)
    monkeypatch.setattr(explanation, "amplitudes", interrupt)
    monkeypatch.setattr(scores, "score", interrupt)
    for words in ((picture,), ("--data", "phantom:8:5"), ("--images", 3)):
        done = medqnn("explain", copy, *words)
        assert done.code == 130
        assert "interrupted" in done.words
    assert files(copy.parent) == before


def test_faults_are_one_line(
    fails: Callable[..., str], copy: Path, picture: Path, tmp_path: Path
) -> None:
    assert "has no run.json" in fails("explain", tmp_path, picture)
    assert "no file" in fails("explain", copy, tmp_path / "none.png")
    assert "is a folder: give files" in fails("explain", copy, tmp_path)
    assert "leave out --data" in fails("explain", copy, picture, "--data", "phantom:8")
    assert "leave out --images" in fails("explain", copy, picture, "--images", 3)
    assert "leave out --out" in fails("explain", copy, "--out", tmp_path / "page.html")
    assert "that the run was trained on" in fails("explain", copy, "--data", "phantom:96")
    facts = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(facts | {"status": "interrupted"}))
    assert "is interrupted, not complete" in fails("explain", copy, picture)


def test_help_teaches_by_example(medqnn: Medqnn) -> None:
    words = medqnn("explain", "--help").words
    assert "Example: medqnn explain" in words
    assert "medqnn explain runs/demo scan.png" in words


def test_a_page_of_the_same_name_is_kept(medqnn: Medqnn, copy: Path, picture: Path) -> None:
    for _ in range(2):
        assert medqnn("explain", copy, picture).code == 0
    names = {path.name for path in (copy / "explanations").iterdir()}
    assert names == {"scan.html", "scan-2.html"}
