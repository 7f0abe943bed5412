from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from qiskit import qpy

from export.test_qiskit import measured_values
from medqnn.errors import RunError
from medqnn.explain.relevance import through_head
from medqnn.export.onnx import Written
from medqnn.export.run import network, quantum_layer, with_circuits
from medqnn.export.run_circuits import export_qasm, export_qiskit
from medqnn.export.run_onnx import export_onnx, preprocessing
from medqnn.layers import QuantumLayer
from medqnn.models import SYSTEMS
from medqnn.training.folder import RunFolder
from medqnn.training.sections import Data
from models.small import SMALL


@pytest.fixture
def folder(tiny_run: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(shutil.copytree(tiny_run, tmp_path / "run"))


@pytest.fixture
def picture(folder: RunFolder, tmp_path: Path) -> Path:
    """One of the run's own images, as a file."""
    path = tmp_path / "scan.png"
    with np.load(folder.path / "gallery.npz") as gallery:
        Image.fromarray(gallery["images"][-1]).save(path)
    return path


def test_onnx_file_of_a_run_says_all_about_itself(exported: tuple[RunFolder, Written]) -> None:
    folder, written = exported
    assert written.path == folder.path / "hybrid" / "model.onnx"
    assert written.images > 64  # the run's own images, and noise
    told = {entry.key: entry.value for entry in onnx.load(written.path).metadata_props}
    facts = folder.facts()
    assert json.loads(told["classes"]) == facts["data"]["classes"]
    assert (told["image_size"], told["channels"], told["seed"]) == ("32", "1", str(facts["seed"]))
    assert told["medqnn"] == facts["medqnn"]
    assert told["data"] == facts["data"]["name"]
    assert "not a medical device" in told["intended_use"]
    assert str(folder.path.parent) not in json.dumps(told)


def test_preprocessing_is_told_as_it_is_done() -> None:
    grey = preprocessing(Data(image_size=64, channels=1))
    assert grey.startswith("grey, colours by BT.601 luma")
    assert "resized to 64×64" in grey
    assert "the image's own range" in grey
    colour = preprocessing(Data(image_size=64, channels=3, scaling="dtype"))
    assert colour.startswith("RGB")
    assert "integer type" in colour


def test_circuits_of_a_picture_give_what_the_network_computes(
    folder: RunFolder, picture: Path
) -> None:
    path = export_qiskit(folder, "hybrid", image=str(picture))
    assert path == folder.path / "hybrid" / "circuits.qpy"
    with path.open("rb") as file:
        found = qpy.load(file)
    model = network(folder, "hybrid")
    pixels = np.array(Image.open(picture))
    low, high = pixels.min(), pixels.max()
    image = np.rint((pixels.astype(float) - low) * 255 / (high - low)) / 255
    with torch.no_grad():
        values = through_head(model, torch.tensor(image).float()[None, None])[1][0]
    spec = quantum_layer(model, "hybrid").circuit
    measured = [measured_values(program, spec) for program in found]
    np.testing.assert_allclose(np.concatenate(measured), values, atol=1e-5)


def test_programs_are_files_named_by_circuit_and_readout(folder: RunFolder) -> None:
    files = export_qasm(folder, "hybrid")
    assert [file.name for file in files] == [f"circuit_{k}_Y.qasm" for k in range(1, 6)]
    assert files[0].parent == folder.path / "hybrid" / "openqasm"
    assert "PREPARE HERE" in files[4].read_text()
    assert sorted(files[0].parent.iterdir()) == files


def test_what_is_there_is_not_overwritten(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    for write in (export_onnx, export_qasm, export_qiskit):
        with pytest.raises(RunError, match=r"mine exists: remove it, or choose another place"):
            write(folder, "hybrid", tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"


def test_networks_without_circuits_are_named(folder: RunFolder) -> None:
    with pytest.raises(RunError, match="'dense' has no quantum layer: give --variant hybrid"):
        export_qasm(folder, "dense")
    with pytest.raises(RunError, match="no network 'frozen': give --variant hybrid or dense"):
        export_qiskit(folder, "frozen")
    assert isinstance(with_circuits(folder).get_submodule("head"), QuantumLayer)
    folder.write_json("run.json", folder.facts() | {"variants": ["dense"]})
    with pytest.raises(RunError, match=r"no network of run .* has a quantum layer"):
        with_circuits(folder)


def test_a_convolution_reads_no_single_picture(
    folder: RunFolder, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SYSTEMS["hqcnn-gvco"](**SMALL["hqcnn-gvco"]).eval()
    monkeypatch.setattr("medqnn.export.run_circuits.network", lambda *_: model)
    with pytest.raises(RunError, match="reads many patches of an image: leave out --image"):
        export_qasm(folder, "hybrid", image=str(picture))
