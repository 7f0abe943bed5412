from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from medqnn.training.fit import build_model
from medqnn.training.inputs import Inputs
from medqnn.training.predict import Outputs, predict
from training.tiny import small_inputs, tiny_recipe


@pytest.fixture(scope="module")
def inputs(folder: Path) -> Inputs:
    return small_inputs(folder)


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    return build_model(tiny_recipe(), "hybrid", 2).eval()


@pytest.fixture(scope="module", params=["val", "test"])
def part(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def outputs(model: torch.nn.Module, inputs: Inputs, part: str) -> Outputs:
    return predict(model, inputs, part)


def test_every_row_is_answered_once_in_order(outputs: Outputs, inputs: Inputs, part: str) -> None:
    rows = inputs.table.rows.iloc[inputs.rows(part)]
    assert outputs.predictions.ids.tolist() == rows["id"].tolist()
    assert outputs.predictions.patients.tolist() == rows["patient"].tolist()
    names = np.array(outputs.predictions.classes)[outputs.predictions.labels]
    assert names.tolist() == rows["label"].tolist()


def test_answers_are_the_models(
    outputs: Outputs, model: torch.nn.Module, inputs: Inputs, part: str
) -> None:
    """Image by image, so that no image depends on its batch."""
    for place, row in enumerate(inputs.rows(part)):
        image = torch.from_numpy(inputs.decoded.images[row].astype(np.float32))[None] / 255
        with torch.inference_mode():
            answer = model(image)
        np.testing.assert_allclose(
            outputs.predictions.probabilities[place], answer.logits[0].softmax(0), atol=1e-5
        )
        np.testing.assert_allclose(outputs.attention[place], answer.attention[0, 0], rtol=2e-3)


def test_shapes_and_types(outputs: Outputs, inputs: Inputs, part: str) -> None:
    count = len(inputs.rows(part))
    assert outputs.attention.shape == (count, 2, 2)
    assert outputs.attention.dtype == np.float16
    assert outputs.predictions.probabilities.dtype == np.float64
    np.testing.assert_allclose(outputs.predictions.probabilities.sum(1), 1, atol=1e-12)
