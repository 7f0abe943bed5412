"""Which images a model gets wrong, and whether another gets the same ones wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from medqnn.evaluation.paired_tests import mcnemar
from medqnn.evaluation.predictions import Predictions


class SharedErrors(NamedTuple):
    """Counts of images that a, b and both get wrong, and how many both would by chance.

    By chance: if being wrong of one said nothing of the other, n · a/n · b/n. Networks usually
    share more, since some images are hard for any.
    """

    a: int
    b: int
    both: int
    expected: float


def failures(predictions: Predictions) -> pd.DataFrame:
    """The misclassified images, the most confident answer first; equals by id.

    Returns:
        Columns id, patient, label (the true class), predicted (names both) and confidence (the
        probability of the predicted class).
    """
    names, wrong = np.array(predictions.classes), ~predictions.correct
    table = pd.DataFrame(
        {
            "id": predictions.ids[wrong],
            "patient": predictions.patients[wrong],
            "label": names[predictions.labels[wrong]],
            "predicted": names[predictions.predicted[wrong]],
            "confidence": predictions.probabilities.max(axis=1)[wrong],
        }
    )
    return table.sort_values(["confidence", "id"], ascending=[False, True], ignore_index=True)


def shared_errors(a: Predictions, b: Predictions) -> SharedErrors:
    """How many of two models' errors fall on the same images.

    Raises:
        EvaluationError: if the two are not predictions of the same images.
    """
    counts = mcnemar(a, b)
    both = counts.both_wrong
    wrong_a, wrong_b = both + counts.only_b, both + counts.only_a
    return SharedErrors(wrong_a, wrong_b, both, wrong_a * wrong_b / len(a))
