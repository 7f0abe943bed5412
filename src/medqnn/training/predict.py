"""What a trained model says about rows of a data set, as tables and arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from medqnn.evaluation.predictions import Predictions
from medqnn.training.batches import Images, InOrder, loader
from medqnn.training.inputs import Inputs

BATCH_SIZE = 64


class Outputs(NamedTuple):
    """A model's answers on n rows."""

    predictions: Predictions
    attention: np.ndarray  # float16 (n, h, w): logits of the attention maps


def predict(model: nn.Module, inputs: Inputs, part: str) -> Outputs:
    """Run a model, in evaluation mode and float32, over a part of the split, each row once."""
    rows = inputs.rows(part)
    images = loader(Images(inputs.decoded, inputs.labels), InOrder(rows, BATCH_SIZE))
    with torch.inference_mode():
        outputs = [model(batch.images) for batch in images]
    logits = torch.cat([output.logits for output in outputs]).double()
    attention = torch.cat([output.attention for output in outputs])[:, 0]
    table = inputs.table.rows.iloc[rows]
    predictions = Predictions(
        ids=table["id"].to_numpy(),
        patients=table["patient"].to_numpy(),
        labels=inputs.labels[rows],
        probabilities=logits.softmax(dim=1).numpy(),
        classes=inputs.classes,
    )
    return Outputs(predictions, attention.numpy().astype(np.float16))
