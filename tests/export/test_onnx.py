from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from medqnn.errors import RunError
from medqnn.export import onnx as exporter
from medqnn.export.onnx import TOLERANCE, Deployed, Written, compare, write_onnx
from models.small import images, small

FACTS = {"system": "a", "classes": ["glioma", "no tumour"], "seed": 7, "synthetic": True}
# an export takes seconds: test_constants has every system and variant, test_run HQCM-EBTC
CASES = [
    ("hqcm-ebtc-plus", "frozen"),
    ("hqcnn-gvco", "hybrid"),
]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str, Written]:
    system, variant = request.param
    path = tmp_path_factory.mktemp("onnx") / "new" / "model.onnx"
    model = small(system, variant)
    return system, variant, write_onnx(model, images(system, 3), path, FACTS, False)


def run(path: Path, batch: torch.Tensor) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"images": batch.numpy()}), strict=True))


def test_any_number_of_images_gets_pytorchs_answers(written: tuple[str, str, Written]) -> None:
    system, variant, file = written
    assert file.difference <= TOLERANCE
    assert file.images == 3
    model = small(system, variant).eval()
    for count in (1, 7):
        batch = images(system, count)
        with torch.no_grad():
            expected = model(batch)
        found = run(file.path, batch)
        np.testing.assert_allclose(found["logits"], expected.logits, atol=1e-5)
        odds = expected.logits.softmax(1)
        np.testing.assert_allclose(found["probabilities"], odds, atol=1e-5)
        assert ("attention" in found) == (expected.attention is not None)
        if expected.attention is not None:
            maps = expected.attention.sigmoid()
            np.testing.assert_allclose(found["attention"], maps, atol=1e-5)


def test_file_says_what_it_is_and_nothing_of_this_machine(
    written: tuple[str, str, Written],
) -> None:
    *_, file = written
    program = onnx.load(file.path)
    told = {entry.key: entry.value for entry in program.metadata_props}
    assert told["system"] == "a"
    assert json.loads(told["classes"]) == FACTS["classes"]
    assert (told["seed"], told["synthetic"]) == ("7", "true")
    assert program.opset_import[0].version == exporter.OPSET
    content = file.path.read_bytes()
    for private in (b"site-packages", str(Path.cwd()).encode(), b".py", b"/home", b"/tmp"):
        assert private not in content
    assert [entry.name for entry in file.path.parent.iterdir()] == [
        "model.onnx"
    ]  # no weights beside


def test_findings_that_may_stand_together_get_their_own_probabilities() -> None:
    model, batch = small("hybrid-mri", "none").eval(), images("hybrid-mri", 2)
    told, logits = Deployed(model, multilabel=True)(batch)
    assert torch.equal(told, logits.sigmoid())


def test_other_answers_are_noticed(written: tuple[str, str, Written]) -> None:
    system, variant, file = written
    model = small(system, variant).eval()
    last = list(model.get_submodule("classifier").parameters())[-1]
    last.data[0] += 5e-5
    with pytest.raises(RunError, match=r"differs from PyTorch by [2-5]\.\de-05"):
        compare(file.path, Deployed(model, False), images(system, 1))


def test_a_file_that_fails_is_not_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = small("hybrid-mri", "none")
    list(model.get_submodule("classifier").parameters())[-1].data[0] = float("nan")
    with pytest.raises(RunError, match="differs from PyTorch by inf"):
        write_onnx(model, images("hybrid-mri", 1), tmp_path / "m.onnx", {}, False)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")  # the exporter is quiet, too
