from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score

from medqnn.data.phantom.anatomy import PLANES, SELLA, anatomy, draw_shape
from medqnn.data.phantom.atlas import LOWEST, SPACING, load_atlas
from medqnn.data.phantom.fields import draw_field
from medqnn.data.phantom.physics import GAIN, Scanner, acquire
from medqnn.data.phantom.table import CLASSES, SLICES, patient, phantom_table
from medqnn.errors import DataError

IMAGES = 320


@pytest.fixture(scope="module")
def table():
    return phantom_table(IMAGES, seed=3, size=128)


@pytest.fixture(scope="module")
def samples(table):
    return [table.read(row) for _, row in table.rows.iterrows()]


def of_class(table, label: str) -> np.ndarray:
    return np.flatnonzero(table.rows["label"] == label)


def atlas_maps(row, mask: np.ndarray):
    """Atlas coordinates of the pixels in a mask, and the anatomy there."""
    number = int(row["patient"].rsplit("-", 1)[1])
    slice_number = int(row["id"].rsplit("-", 1)[1]) % (len(CLASSES) * SLICES) // len(CLASSES)
    who = patient(3, number)
    points = who.view.points(who.levels[slice_number], mask.shape[0])[mask.ravel()]
    return who.shape.to_atlas(points), anatomy(points, points, who.shape)


def test_table_is_balanced_and_names_patients(table):
    assert table.name == "phantom"
    assert table.synthetic
    assert table.patients_known
    assert table.classes == CLASSES
    assert set(table.rows["label"].value_counts()) == {IMAGES // 4}
    by_patient = table.rows.groupby("patient")
    assert (by_patient["label"].nunique() == 1).all()
    assert (by_patient.size() == SLICES).all()
    assert table.rows["mask"].notna().all()


@pytest.mark.parametrize(("images", "classes"), [(1, 1), (3, 3), (4, 4), (10, 4)])
def test_any_count_is_balanced(images, classes):
    table = phantom_table(images)
    counts = table.rows["label"].value_counts()
    assert table.classes == CLASSES[:classes]
    assert len(table) == images
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("wrong", [{"images": 0}, {"seed": -1}, {"size": 16}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(DataError, match="expected at least 1 image"):
        phantom_table(**wrong)


def digest(table, order) -> str:
    found = {i: table.read(table.rows.iloc[i]) for i in order}
    parts = [found[i].image.tobytes() + found[i].mask.tobytes() for i in sorted(found)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_same_pixels_in_another_process_count_and_order():
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_table import digest;"
        "from medqnn.data.phantom.table import phantom_table;"
        "print(digest(phantom_table(200, seed=7, size=64), [21, 3, 19, 0, 6]))"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent)]
    other = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert digest(phantom_table(30, seed=7, size=64), [0, 3, 6, 19, 21]) == other
    assert digest(phantom_table(30, seed=8, size=64), [0, 3, 6, 19, 21]) != other


def test_reader_can_be_pickled(table, samples):
    read = pickle.loads(pickle.dumps(table.read))
    assert np.array_equal(read(table.rows.iloc[5]).image, samples[5].image)


def test_import_leaves_the_template_alone():
    script = "import sys, medqnn.data.phantom.table; sys.exit('nilearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_masks_are_filled_in_exactly_the_tumours(table, samples):
    filled = np.array([sample.mask.any() for sample in samples])
    assert np.array_equal(filled, table.rows["label"] != "healthy")
    areas = [sample.mask.mean() for sample in samples if sample.mask.any()]
    assert np.median(areas) > 0.005
    assert max(areas) < 0.1


@pytest.mark.parametrize("size", [32, 64, 100, 192])
def test_size_changes_the_pixels_and_not_the_patient(table, samples, size):
    resized = phantom_table(IMAGES, seed=3, size=size)
    for index in (1, 2, 3):
        image, mask = resized.read(table.rows.iloc[index])
        assert image.shape == mask.shape == (size, size)
        assert (image.dtype, mask.dtype) == (np.uint8, bool)
        assert mask.mean() == pytest.approx(samples[index].mask.mean(), rel=0.25)
        scaled = ndimage.zoom(samples[index].image.astype(float), size / 128, order=1)
        assert np.corrcoef(scaled.ravel(), image.ravel())[0, 1] > 0.9


def test_slices_of_a_patient_share_anatomy(table, samples):
    flat = np.array([ndimage.gaussian_filter(s.image.astype(float), 1).ravel() for s in samples])
    correlation = np.corrcoef(flat)
    patients = table.rows["patient"].to_numpy()
    same = patients[:, None] == patients
    likeness = np.where(same, -1, correlation).max(axis=1)
    own = np.where(same & ~np.eye(IMAGES, dtype=bool), correlation, -1).max(axis=1)
    assert (own > likeness).mean() > 0.95


def test_all_classes_are_seen_in_the_same_planes_and_levels():
    views = {label: [] for label in CLASSES}
    for number in range(400):
        views[CLASSES[number % 4]].append(patient(0, number).view)
    for label, seen in views.items():
        planes = np.bincount([view.axis for view in seen], minlength=len(PLANES)) / len(seen)
        assert planes.min() > 0.2
        sellar = np.mean([view.sellar for view in seen])
        assert sellar == 1 if label == "pituitary" else 0.35 < sellar < 0.65


def test_meningioma_sits_on_the_dura_and_within_the_skull(table, samples):
    touching = dict.fromkeys(table.rows["patient"].iloc[of_class(table, "meningioma")], False)
    for index in of_class(table, "meningioma"):
        row = table.rows.iloc[index]
        _, maps = atlas_maps(row, samples[index].mask)
        assert maps["cranium"].max() < 0.01
        touching[row["patient"]] |= maps["cranium"].max() > -2 or maps["falx"].min() < 2
    assert np.mean(list(touching.values())) > 0.95


def test_glioma_lies_in_the_brain_with_a_core_darker_than_its_rim(table, samples):
    darker = []
    for index in of_class(table, "glioma"):
        image, mask = samples[index]
        _, maps = atlas_maps(table.rows.iloc[index], mask)
        assert maps["cranium"].max() < -1.9
        depth = ndimage.distance_transform_edt(mask)
        core, rim = depth > 0.75 * depth.max(), (depth > 0) & (depth < 2.5)
        darker.append(image[core].mean() < image[rim].mean())
    assert np.mean(darker) > 0.85


def test_glioma_is_patchy_and_the_others_are_even(table, samples):
    def unevenness(label: str) -> float:
        inside = [ndimage.binary_erosion(samples[i].mask) for i in of_class(table, label)]
        pixels = [samples[i].image[m] for i, m in zip(of_class(table, label), inside, strict=True)]
        return float(np.median([values.std() / values.mean() for values in pixels if values.size]))

    assert unevenness("glioma") > 2.5 * unevenness("meningioma")
    assert unevenness("glioma") > 2.5 * unevenness("pituitary")


def test_meningioma_and_pituitary_enhance(table, samples):
    for label in ("meningioma", "pituitary"):
        for index in of_class(table, label):
            image, mask = samples[index]
            row = table.rows.iloc[index]
            _, maps = atlas_maps(row, np.ones_like(mask))
            brain = (maps["cranium"] < -4).reshape(mask.shape) & ~ndimage.binary_dilation(mask)
            if brain.sum() > 500:
                assert image[mask].mean() > 1.15 * image[brain].mean(), row["id"]


def test_pituitary_tumour_is_sellar_and_midline(table, samples):
    for index in of_class(table, "pituitary"):
        place, _ = atlas_maps(table.rows.iloc[index], samples[index].mask)
        offset = place.mean(axis=0) - SELLA
        assert abs(offset[0]) < 10
        assert np.linalg.norm(offset) < 20


@pytest.mark.parametrize("features", ["grey levels", "thumbnail"])
def test_a_linear_model_does_not_tell_the_classes_apart(table, samples, features):
    images = np.stack([sample.image for sample in samples]) / 255.0
    if features == "thumbnail":
        x = images.reshape(IMAGES, 16, 8, 16, 8).mean(axis=(2, 4)).reshape(IMAGES, -1)
    else:
        x = np.percentile(images.reshape(IMAGES, -1), [5, 25, 50, 75, 95, 99], axis=1).T
    accuracy = cross_val_score(
        LogisticRegression(C=0.1, max_iter=2000),
        x,
        table.rows["label"],
        groups=table.rows["patient"],
        cv=GroupKFold(4),
    )
    assert accuracy.mean() < 0.55


def test_atlas_is_sampled_linearly():
    atlas = load_atlas()
    points = np.random.default_rng(0).uniform((-70, -105, -60), (70, 70, 80), (500, 3))
    found = atlas.sample(points.astype(np.float32))
    places = ((points - LOWEST) / SPACING).T
    for channel in range(atlas.maps.shape[-1]):
        expected = ndimage.map_coordinates(atlas.maps[..., channel], places, order=1)
        np.testing.assert_allclose(found[channel], expected, atol=2e-3)


def test_shape_is_inverted():
    shape = draw_shape(np.random.default_rng(1))
    target = np.array([20.0, -30.0, 40.0], np.float32)
    np.testing.assert_allclose(shape.to_atlas(shape.from_atlas(target)), target, atol=1e-3)


def test_field_has_the_asked_spread():
    field = draw_field(np.random.default_rng(0), (10, 40), rms=3.0, components=2, waves=12)
    points = np.random.default_rng(1).uniform(-2000, 2000, (200_000, 3)).astype(np.float32)
    np.testing.assert_allclose(np.sqrt((field(points) ** 2).mean(axis=0)), 3.0, rtol=0.03)


def test_noise_is_rician():
    rng = np.random.default_rng(0)
    scanner = Scanner(draw_field(rng, (180, 400), rms=0.1), blur=1.0, noise=0.05)
    air = acquire(np.zeros((256, 256), np.float32), scanner, 2.0, rng) / GAIN
    bright = acquire(np.full((256, 256), 0.5, np.float32), scanner, 2.0, rng) / GAIN
    assert air.mean() == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.03)
    assert bright.mean() == pytest.approx(np.sqrt(0.5**2 + 0.05**2), rel=0.01)
    assert bright.std() == pytest.approx(0.05, rel=0.03)
