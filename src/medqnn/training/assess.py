"""Scores of a run's variants, and of the hybrid against each twin, from what they predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from medqnn.evaluation.evaluate import compare, evaluate
from medqnn.evaluation.localisation import (
    jaccard,
    jaccard_summary,
    wilcoxon,
    wilcoxon_by_patient,
)
from medqnn.evaluation.medmnist import medmnist_score
from medqnn.evaluation.operating_points import operating_points
from medqnn.evaluation.predictions import AnyPredictions, read_predictions
from medqnn.evaluation.subgroups import subgroups
from medqnn.evaluation.words import in_words
from medqnn.training.cases import read_attributes
from medqnn.training.folder import RunFolder
from medqnn.training.losses import upsample
from medqnn.training.sections import Evaluation

CHUNK = 256  # maps upsampled at a time


def attention_maps(logits: np.ndarray, size: int) -> np.ndarray:
    """Attention logits (n, h, w) as maps in [0, 1], float32 (n, size, size)."""
    chunks = torch.from_numpy(logits.astype(np.float32))[:, None].split(CHUNK)
    maps = [upsample(chunk, (size, size)).sigmoid() for chunk in chunks]
    return torch.cat(maps)[:, 0].numpy()


def localisation(
    predictions: AnyPredictions, logits: np.ndarray, masks: np.ndarray, spec: Evaluation
) -> pd.DataFrame:
    """Jaccard index of each image's attention, one row an image with a tumour in its mask.

    Args:
        predictions: Whose attention it is; gives ids and patients.
        logits: Attention logits (n, h, w).
        masks: Boolean (n, H, W), False throughout where there is no tumour or no annotation.
        spec: The levels.
    """
    tumour = masks.any(axis=(1, 2))
    table = pd.DataFrame(
        {
            "id": predictions.ids[tumour],
            "patient": predictions.patients[tumour],
        }
    )
    if not tumour.any():
        return table
    maps = attention_maps(logits[tumour], masks.shape[-1])
    levels = spec.thresholds
    return pd.concat([table, jaccard(maps, masks[tumour], levels, levels)], axis=1)


def score_variant(folder: RunFolder, variant: str, spec: Evaluation, seed: int) -> dict[str, Any]:
    """The scores of one variant's test predictions, from the run's files."""
    predictions = read_predictions(folder.path / variant / "predictions.csv")
    scores = of_known_patients(folder, evaluate(predictions, spec.resamples, seed))
    validation = folder.path / variant / "validation.csv"
    if validation.is_file():
        scores["operating_points"] = operating_points(
            read_predictions(validation), predictions, resamples=spec.resamples, seed=seed
        )
    attributes = read_attributes(folder)
    if attributes is not None:
        scores["subgroups"] = subgroups(predictions, attributes, spec.resamples, seed)
    if folder.facts()["data"]["benchmark"] == "medmnist":
        scores["medmnist"] = medmnist_score(predictions)
    indices = _read_localisation(folder, variant)
    columns = jaccard_columns(indices)
    if columns and len(indices):
        every = np.ones(len(indices), dtype=bool)
        summary = jaccard_summary(
            indices[columns], indices["patient"].to_numpy(), every, spec.resamples, seed=seed
        )
        scores["localisation"] = {
            column: {key: finite(value) for key, value in row.items()}
            for column, row in summary.to_dict("index").items()
        }
    return scores


def compare_variants(
    folder: RunFolder, hybrid: str, twin: str, spec: Evaluation, seed: int
) -> dict[str, Any]:
    """The hybrid against a twin on the same test images, from the run's files."""
    a, b = (read_predictions(folder.path / name / "predictions.csv") for name in (hybrid, twin))
    comparison = of_known_patients(folder, compare(a, b, hybrid, twin, spec.resamples, seed))
    comparison["words"] = in_words(comparison)
    comparison["localisation"] = _compare_attention(folder, hybrid, twin)
    return comparison


def of_known_patients(folder: RunFolder, result: dict[str, Any]) -> dict[str, Any]:
    """The result, which takes a split file's groups of copies for patients, put right."""
    if not folder.facts()["data"]["patients_known"] and result["patients_known"]:
        result["patients_known"] = False
        result["interval"]["method"] = "percentile bootstrap over groups of copies"
    return result


def _compare_attention(folder: RunFolder, hybrid: str, twin: str) -> list[dict[str, Any]]:
    a, b = (_read_localisation(folder, name) for name in (hybrid, twin))
    if a.empty:
        return []
    patients = a["patient"].to_numpy()
    return [
        {
            "column": column,
            hybrid: float(a[column].mean()),
            twin: float(b[column].mean()),
            "images": wilcoxon(a[column].to_numpy(), b[column].to_numpy())._asdict(),
            "patients": wilcoxon_by_patient(
                a[column].to_numpy(), b[column].to_numpy(), patients
            )._asdict(),
        }
        for column in jaccard_columns(a)
    ]


def _read_localisation(folder: RunFolder, variant: str) -> pd.DataFrame:
    """The table as written; an empty one for a model without attention."""
    path = folder.path / variant / "localisation.csv"
    if not path.is_file():
        return pd.DataFrame()
    text = {"id": str, "patient": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False)  # an id may be "NA"


def jaccard_columns(indices: pd.DataFrame) -> list[str]:
    """The columns of a localisation table that hold Jaccard indices."""
    return [column for column in indices.columns if column.startswith("jaccard@")]


def finite(value: float) -> float | None:
    """A number for JSON, which has no NaN."""
    return float(value) if np.isfinite(value) else None
