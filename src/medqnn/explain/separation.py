"""How far classes lie apart among feature vectors, in numbers that t-SNE plots do not give.

Slices of one patient lie close together whatever the network has learned of their class. So images
of the same patient do not count here: neither for the distances of a silhouette nor as neighbours.
Where each image is a patient of its own, the silhouette is the usual one (Rousseeuw 1987).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOURS = 5


def silhouettes(
    points: np.ndarray, labels: np.ndarray, patients: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Silhouettes of n images, made ready for any weights of the patients.

    s = (b − a) / max(a, b): a is the mean distance to the images of the own class, b the least
    mean distance to those of another; 0 where either has no image of another patient, or a = b = 0.

    Args:
        points: (n, F) float.
        labels: (n,) int, the class of each image.
        patients: (n,) the patient of each image.

    Returns:
        From weights (R, n), which are the same for all images of a patient, to s (R, n) in
        [-1, 1].
    """
    same = patients[:, None] == patients
    distances = np.where(same, 0.0, cdist(points, points))
    classes, own_class = np.unique(labels, return_inverse=True)
    members = own_class == np.arange(len(classes))[:, None]  # (K, n)
    own_patient = members.astype(np.float64) @ same  # (K, n): images of the patient by class

    def weighted(weights: np.ndarray) -> np.ndarray:
        means = np.full((len(classes), *weights.shape), np.inf)
        for mean, own, excluded in zip(means, members, own_patient, strict=True):
            count = weights[:, own].sum(axis=1, keepdims=True) - weights * excluded
            np.divide(weights[:, own] @ distances[own], count, out=mean, where=count > 0)
        columns = np.arange(len(labels))
        within = means[own_class, :, columns].T
        means[own_class, :, columns] = np.inf
        return _contrast(within, means.min(axis=0))

    return weighted


def _contrast(within: np.ndarray, between: np.ndarray) -> np.ndarray:
    """(b − a) / max(a, b); 0 where it is undefined."""
    larger = np.maximum(within, between)
    defined = np.isfinite(larger) & (larger > 0)
    return np.divide(
        np.where(defined, between, 0) - np.where(defined, within, 0),
        larger,
        out=np.zeros_like(larger),
        where=defined,
    )


def right_by_neighbours(points: np.ndarray, labels: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Whether most of the 5 nearest images of other patients are of an image's class.

    Where classes have as many votes, the one whose voters are nearer by rank wins. An image without
    any of another patient is not right.

    Args:
        points: (n, F) float.
        labels: (n,) int, the class of each image.
        patients: (n,) the patient of each image.

    Returns:
        (n,) bool.
    """
    distances = cdist(points, points)
    distances[patients[:, None] == patients] = np.inf
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
    votes = np.take_along_axis(distances, nearest, axis=1) < np.inf  # few images may have fewer
    votes = votes * (1 + 0.01 * np.arange(nearest.shape[1], 0, -1))  # decides equals alone
    classes = np.unique(labels)
    counts = [(votes * (labels[nearest] == name)).sum(axis=1) for name in classes]
    right: np.ndarray = classes[np.argmax(counts, axis=0)] == labels
    return right & votes.any(axis=1)
