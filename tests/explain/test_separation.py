from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import KNeighborsClassifier

from medqnn.explain.separation import right_by_neighbours, silhouettes


def clouds(seed: int, images: int = 40, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, images - classes)])
    return random.normal(size=(images, 4)) + 0.8 * labels[:, None], labels


def literal(
    points: np.ndarray, labels: np.ndarray, patients: np.ndarray, weights: np.ndarray
) -> list[float]:
    """Silhouettes by their definition, an image repeated as often as its weight says."""
    found = []
    for i in range(len(points)):
        means = {}
        for name in set(labels.tolist()):
            distances = [
                np.linalg.norm(points[i] - points[j])
                for j in range(len(points))
                if labels[j] == name and patients[j] != patients[i]
                for _ in range(int(weights[j]))
            ]
            if distances:
                means[name] = np.mean(distances)
        within, others = means.pop(labels[i], None), means.values()
        if within is None or not others:
            found.append(0.0)
            continue
        between = min(others)
        found.append((between - within) / max(between, within))
    return found


def test_without_patients_in_common_it_is_the_usual_silhouette() -> None:
    points, labels = clouds(0)
    found = silhouettes(points, labels, np.arange(40))(np.ones((1, 40)))
    np.testing.assert_allclose(found[0], silhouette_samples(points, labels), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_weights_repeat_images_and_a_patients_own_do_not_count(seed: int, count: int) -> None:
    points, labels = clouds(seed, 12)
    random = np.random.default_rng(seed)
    patients = random.integers(0, count, 12)
    weights = random.integers(0, 3, (2, count))[:, patients].astype(np.float64)
    found = silhouettes(points, labels, patients)(weights)
    for row, own in zip(found, weights, strict=True):
        np.testing.assert_allclose(row, literal(points, labels, patients, own), atol=1e-9)


def test_classes_far_apart_are_near_1_and_equal_points_are_0() -> None:
    points = np.repeat([[0.0, 0.0], [100.0, 0.0]], 5, axis=0)
    points += np.random.default_rng(0).normal(size=points.shape)
    labels, patients = np.repeat([3, 7], 5), np.arange(10)
    assert silhouettes(points, labels, patients)(np.ones((1, 10))).min() > 0.9
    assert not silhouettes(0 * points, labels, patients)(np.ones((1, 10))).any()


def test_neighbours_are_those_of_the_usual_classifier() -> None:
    points, labels = clouds(1, 60, classes=2)  # an odd number of votes for two classes: no equals
    expected = []
    for i in range(60):
        others = np.arange(60) != i
        voter = KNeighborsClassifier(5).fit(points[others], labels[others])
        expected.append(bool(voter.predict(points[[i]])[0] == labels[i]))
    found = right_by_neighbours(points, labels, np.arange(60))
    assert found.tolist() == expected
    assert 0 < found.sum() < 60


def test_slices_of_the_same_patient_are_no_neighbours() -> None:
    points = np.repeat(np.arange(4.0), 6)[:, None]  # six equal slices of each of four patients
    patients, labels = np.repeat(np.arange(4), 6), np.repeat([0, 1, 0, 1], 6)
    assert right_by_neighbours(points, labels, np.arange(24)).all()
    assert not right_by_neighbours(points, labels, patients)[:6].any()


@pytest.mark.parametrize(("voters", "right"), [([0, 0, 1, 1, 2], True), ([1, 1, 0, 0, 2], False)])
def test_equal_votes_go_to_the_nearer(voters: list[int], right: bool) -> None:
    labels, points = np.array([0, *voters]), np.arange(6.0)[:, None]
    assert right_by_neighbours(points, labels, np.arange(6))[0] == right


def test_one_nearer_vote_does_not_outdo_two() -> None:
    labels, points = np.array([0, 0, 1, 1, 2, 3]), np.arange(6.0)[:, None]
    assert not right_by_neighbours(points, labels, np.arange(6))[0]


def test_an_image_without_others_is_not_right() -> None:
    points, labels = clouds(2, 6)
    assert not right_by_neighbours(points, labels, np.zeros(6)).any()
    assert not silhouettes(points, labels, np.zeros(6))(np.ones((1, 6))).any()
