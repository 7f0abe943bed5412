"""Predictions of findings that may occur together, as ChestMNIST's fourteen do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from medqnn.data.table import NO_FINDING
from medqnn.errors import EvaluationError
from medqnn.evaluation.prediction_table import (
    PredictionTable,
    outside_unit_interval,
    refuse_probabilities,
)

THRESHOLD = 0.5  # of MedMNIST's evaluator: a finding is called present above it


@dataclass(frozen=True, eq=False)
class MultiLabelPredictions(PredictionTable):
    """What a model said about n images and L findings, each present or not.

    Attributes:
        ids: (n,) str, unique, none empty.
        patients: (n,) str, none empty; images of one patient are not independent. Where patients
            are unknown, the id of the image.
        labels: (n, L) bool, True where the image shows the finding.
        probabilities: (n, L) float64 in [0, 1], of each finding on its own.
        classes: L unique names of findings, L >= 1.

    Raises:
        EvaluationError: if the arrays break any of these rules.
    """

    FEWEST: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_probabilities(
            self,
            outside_unit_interval(self.probabilities),
            "finite numbers in [0, 1]; apply sigmoid to logits before writing them",
        )

    @property
    def predicted(self) -> np.ndarray:
        """(n, L) bool: the probability is above 1/2; exactly 1/2 is not."""
        predicted: np.ndarray = self.probabilities > THRESHOLD
        return predicted

    @property
    def correct(self) -> np.ndarray:
        """(n,) bool: all findings of the image are told rightly."""
        correct: np.ndarray = (self.predicted == self.labels).all(axis=1)
        return correct

    def answer(self, row: int) -> str:
        """The findings called present on an image, in words."""
        said = [name for name, yes in zip(self.classes, self.predicted[row], strict=True) if yes]
        return ", ".join(said) or NO_FINDING

    def _checked_labels(self) -> np.ndarray:
        labels = np.asarray(self.labels)
        if labels.dtype != np.bool_:
            raise EvaluationError(
                f"labels are {labels.dtype}, not bool: give True for each finding of each image, "
                "as labels == 1 does"
            )
        return labels

    def _label_shape(self) -> tuple[int, ...]:
        return (len(self.classes),)
