"""What a trained model says about rows of a data set, as tables and arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import AnyPredictions, Predictions
from medqnn.training.batches import Images, InOrder, loader
from medqnn.training.inputs import Inputs

BATCH_SIZE = 64


class Outputs(NamedTuple):
    """A model's answers on n rows."""

    predictions: AnyPredictions
    attention: np.ndarray | None  # float16 (n, h, w): logits of the attention maps, if it has any


def predict(model: nn.Module, inputs: Inputs, part: str) -> Outputs:
    """Run a model, in evaluation mode and float32, over a part of the split, each row once."""
    rows = inputs.rows(part)
    images = loader(Images(inputs.decoded, inputs.labels), InOrder(rows, BATCH_SIZE))
    with torch.inference_mode():
        outputs = [model(batch.images) for batch in images]
    logits = torch.cat([output.logits for output in outputs]).double()
    maps = [output.attention for output in outputs if output.attention is not None]
    attention = torch.cat(maps)[:, 0].numpy().astype(np.float16) if maps else None
    return Outputs(predictions_of(inputs, rows, logits), attention)


def predictions_of(inputs: Inputs, rows: np.ndarray, logits: Tensor) -> AnyPredictions:
    """Logits (n, K) of rows (n,) as a table of probabilities."""
    table, labels = inputs.table.rows.iloc[rows], inputs.labels[rows]
    ids, patients = table["id"].to_numpy(), table["patient"].to_numpy()
    if inputs.table.multilabel:
        present = logits.sigmoid().numpy()
        return MultiLabelPredictions(ids, patients, labels > 0, present, inputs.classes)
    return Predictions(ids, patients, labels, logits.softmax(dim=1).numpy(), inputs.classes)
