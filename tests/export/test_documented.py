"""The Python of the documentation runs, and its tables of names are true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from qiskit.circuit.library import efficient_su2, real_amplitudes, z_feature_map, zz_feature_map
from qiskit.quantum_info import Statevector

from medqnn.export.onnx import Written
from medqnn.export.qiskit import circuits
from medqnn.layers import QuantumLayer
from medqnn.training.folder import RunFolder

DOCS = Path(__file__).resolve().parents[2] / "docs"


def python_of(page: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def test_the_layer_page_runs() -> None:
    names: dict[str, Any] = {}
    exec(compile(python_of("quantum-layer.md"), "quantum-layer.md", "exec"), names)
    assert names["ours"].weight.shape == (1, 2, 4, 3)
    inputs = torch.rand(5, 4)
    torch.testing.assert_close(names["ours"](inputs), names["theirs"](inputs).float())
    torch.testing.assert_close(names["back"](inputs).float(), names["theirs"](inputs).float())


def test_the_export_page_runs(
    exported: tuple[RunFolder, Written], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = exported
    monkeypatch.chdir(folder.path.parents[1])  # the page's run is runs/demo
    names: dict[str, Any] = {}
    exec(compile(python_of("export.md"), "export.md", "exec"), names)
    assert names["classes"] == folder.facts()["data"]["classes"]
    assert (names["size"], names["channels"]) == (32, 1)
    assert "resized to 32×32" in names["facts"]["preprocessing"]
    assert len(names["measured"]) == 4
    found = torch.stack(names["values"]).float()
    expected = names["layer"](torch.ones(8))[:8]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def halved(numbers: Any) -> Any:
    return numbers[0] / 2 if len(numbers) == 1 else numbers[0] * numbers[1] / 2


@pytest.mark.parametrize(
    ("embedding", "feature_map", "scale"),
    [
        ("angle_z", z_feature_map(3, reps=1), 0.5),
        ("iqp", zz_feature_map(3, reps=1, data_map_func=halved), 1.0),
    ],
)
@pytest.mark.parametrize(
    ("ansatz", "theirs"),
    [("real_amplitudes", real_amplitudes), ("hardware_efficient", efficient_su2)],
)
def test_qiskits_names_are_ours(
    embedding: Any, feature_map: Any, scale: float, ansatz: Any, theirs: Any
) -> None:
    layer = QuantumLayer(3, 1, 2, embedding, "Z", ansatz=ansatz).double()
    numbers = torch.tensor([[0.3, -0.7, 1.1]], dtype=torch.float64)
    weights = layer.weight.detach()[0]
    if ansatz == "hardware_efficient":
        weights = weights.transpose(1, 2)
    options = {"reps": 2, "entanglement": "linear", "skip_final_rotation_layer": True}
    embedded = feature_map.assign_parameters((scale * numbers[0]).tolist())
    whole = embedded.compose(theirs(3, **options).assign_parameters(weights.flatten().tolist()))
    assert Statevector(whole).equiv(Statevector(circuits(layer, numbers)[0]), atol=1e-10)
