from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.auditing.planted import brighter, leaking_folder, originals, save
from medqnn.data.auditing import copies as module
from medqnn.data.auditing.copies import (
    COPIES,
    KINDS,
    copies,
    groups,
    leak_in_words,
    leaks,
    surest_first,
)
from medqnn.data.class_folders import read_class_folders
from medqnn.data.phantom.table import phantom_table
from medqnn.data.prepare import prepare
from medqnn.data.table import ImageTable, Sample


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> ImageTable:
    return read_class_folders(leaking_folder(tmp_path_factory.mktemp("leaking")))


def named(table: ImageTable, pairs: pd.DataFrame) -> set[tuple[str, str, str]]:
    ids = table.rows["id"].to_numpy()
    first, second = ids[pairs["first"]], ids[pairs["second"]]
    return {(kind, *sorted(two)) for kind, *two in zip(pairs["kind"], first, second, strict=True)}


PLANTED = {
    ("bytes", "test/a/bytes.png", "train/a/00.png"),
    ("pixels", "test/a/pixels.bmp", "train/a/01.png"),
    ("near", "test/a/near.jpg", "train/a/02.png"),
    ("turned", "test/a/turned.png", "train/a/03.png"),
    ("cropped", "test/b/cropped.png", "train/b/04.png"),
    ("near", "train/a/04.png", "train/b/conflict.png"),
}


def test_each_kind_is_found_and_nothing_else(table: ImageTable) -> None:
    found = copies(table)
    assert named(table, found) == PLANTED
    assert (found["first"] < found["second"]).all()
    turned = found[found["kind"].eq("turned")]
    assert turned["turn"].tolist() == [1]
    assert set(found["kind"]) <= set(KINDS)


def test_decoded_images_give_the_same_but_for_bytes(table: ImageTable) -> None:
    images = np.stack([prepare(table.read(row), 128)[0] for _, row in table.rows.iterrows()])
    expected = {("pixels" if kind == "bytes" else kind, *ids) for kind, *ids in PLANTED}
    found = named(table, copies(table, images))
    assert {tuple(ids) for _, *ids in found} == {tuple(ids) for _, *ids in expected}
    # Borders that were resized with the image fit less well.
    assert expected - found <= {pair for pair in expected if pair[0] == "cropped"}


def test_decoded_colour_images_are_read_as_such(table: ImageTable) -> None:
    images = np.stack([prepare(table.read(row), 128, 3)[0] for _, row in table.rows.iterrows()])
    assert len(copies(table, images)) == len(PLANTED)


def test_phantom_has_no_copies() -> None:
    assert copies(phantom_table(24)).empty


def test_same_pixels_in_other_forms_are_near() -> None:
    image = originals()[0]
    frame = small_table(image, np.stack([image] * 3, axis=-1), image.astype(np.uint16))
    assert copies(frame)["kind"].tolist() == ["near"] * 3


def test_copies_of_identical_images_are_paired_each_with_each() -> None:
    image, other = originals()[0], brighter(originals()[0])
    found = copies(small_table(image, other, image, other))
    assert dict(
        zip(zip(found["first"], found["second"], strict=True), found["kind"], strict=True)
    ) == {
        (0, 1): "near",
        (0, 2): "pixels",
        (0, 3): "near",
        (1, 2): "near",
        (1, 3): "pixels",
        (2, 3): "near",
    }


def test_a_quarter_turn_is_told_from_the_earlier_image() -> None:
    image, right = originals()[0], np.rot90(originals()[0], -1)
    found = copies(small_table(image, right, image, brighter(right)))
    turns = dict(zip(zip(found["first"], found["second"], strict=True), found["turn"], strict=True))
    assert turns[0, 1] == turns[0, 3] == turns[2, 3] == 6  # the second, turned back
    assert turns[1, 2] == 5


def test_constant_images_are_no_copies() -> None:
    empty = np.zeros((40, 40), dtype=np.uint8)
    assert copies(small_table(empty, empty, originals()[0])).empty


def test_of_one_known_patient_only_identical_images_count() -> None:
    image = originals()[0]
    frame = small_table(image, image, brighter(image), brighter(image), patients="ppqp")
    found = copies(frame)
    pairs = {(one.first, one.second): one.kind for one in found.itertuples()}
    assert pairs == {(0, 1): "pixels", (0, 2): "near", (1, 2): "near", (2, 3): "pixels"}


def test_a_crowd_is_paired_with_its_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CROWD", 2)
    found = copies(small_table(*[originals()[0]] * 5))
    pairs = set(zip(found["first"], found["second"], strict=True))
    assert pairs == {(0, 1), (0, 2), (0, 3), (0, 4)}


def small_table(*images: np.ndarray, patients: str | None = None) -> ImageTable:
    """A table of these images in memory, no two classes of them alike."""
    ids = [str(number) for number in range(len(images))]
    rows = pd.DataFrame(
        {
            "id": ids,
            "source": "memory",
            "label": [f"c{number % 2}" for number in range(len(images))],
            "patient": list(patients) if patients else ids,
            "mask": None,
            "split": None,
            "fold": None,
        }
    )
    return ImageTable(
        "memory",
        rows,
        ("c0", "c1"),
        lambda row: Sample(images[int(row["id"])], None),
        patients_known=patients is not None,
    )


PAIRS = pd.DataFrame(
    [
        (0, 1, "near", 0, 0.97),
        (0, 2, "bytes", 0, 1.0),
        (1, 2, "turned", 1, 0.99),
        (3, 4, "alike", 0, 0.9),
        (2, 5, "cropped", 0, 0.98),
    ],
    columns=module.COLUMNS,
)


def test_leaks_are_the_copies_across_sides() -> None:
    split = pd.Series(["train", "test", "val", "train", "test", "val"])
    found = leaks(PAIRS, split)
    sides = list(zip(found["image"], found["side"], found["twin"], found["twin_side"], strict=True))
    assert sides == [(2, "val", 0, "train"), (1, "test", 0, "train"), (1, "test", 2, "val")]
    assert found["kind"].tolist() == ["bytes", "near", "turned"]
    assert found.drop_duplicates("image")["kind"].tolist() == ["bytes", "near"]


def test_folds_are_sides_and_rows_without_one_do_not_leak() -> None:
    split = pd.Series(["fold 1", "fold 2", None, "fold 1", "fold 2", "fold 2"], dtype=object)
    found = leaks(PAIRS, split)
    assert found[["image", "twin"]].to_numpy().tolist() == [[1, 0]]
    assert leaks(PAIRS, pd.Series([None] * 6, dtype=object)).empty


def test_no_leaks_in_words_of_counts() -> None:
    split = pd.Series(["train", "test", "test", "train", "test", "test"])
    words = leak_in_words(leaks(PAIRS, split), split)
    assert words == (
        "2 of 4 images of test (1 byte-identical files, 1 re-encoded, resized or brightened) have "
        "a copy on another side"
    )


def test_groups_are_chains_of_pairs_and_patients() -> None:
    assert groups(PAIRS, 7).tolist() == [0, 0, 0, 1, 1, 0, 2]
    patients = pd.Series(list("abcdefe"))
    assert groups(PAIRS, 7, patients).tolist() == [0, 0, 0, 1, 1, 0, 1]
    assert groups(PAIRS.head(0), 3).tolist() == [0, 1, 2]


@given(
    pairs=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30),
    split=st.lists(st.sampled_from(["train", "val", "test"]), min_size=20, max_size=20),
)
@settings(max_examples=50, deadline=None)
def test_a_split_by_groups_never_leaks(pairs: list[tuple[int, int]], split: list[str]) -> None:
    frame = pd.DataFrame(
        [(min(two), max(two), "near", 0, 0.97) for two in pairs if two[0] != two[1]],
        columns=module.COLUMNS,
    ).astype({"first": int, "second": int})
    group = groups(frame, 20)
    assert leaks(frame, pd.Series([split[number] for number in group])).empty
    expected = sum(
        split[a] != split[b] for a, b in zip(frame["first"], frame["second"], strict=True)
    )
    assert len(leaks(frame, pd.Series(split))) == expected


def test_surest_first() -> None:
    assert surest_first(PAIRS)["kind"].tolist() == ["bytes", "near", "turned", "cropped", "alike"]
    assert "alike" not in COPIES


def test_real_leaks(shared_data: Path, tmp_path: Path) -> None:
    """Pairs of the Kaggle set that were looked at, and neighbours that are none."""
    source = shared_data / "brain_tumor_kaggle"
    copied = {
        "glioma": ["Testing/glioma/Te-gl_0054.jpg", "Training/glioma/Tr-gl_0411.jpg"],
        "notumor": ["Testing/notumor/Te-no_0205.jpg", "Training/notumor/Tr-no_1118.jpg"],
        "meningioma": ["Testing/meningioma/Te-me_0028.jpg", "Training/meningioma/Tr-me_0208.jpg"],
        "neighbours": ["Training/glioma/Tr-gl_1288.jpg", "Training/glioma/Tr-gl_1289.jpg"],
    }
    for label, files in copied.items():
        for file in files:
            path = tmp_path / label / Path(file).name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes((source / file).read_bytes())
    table = read_class_folders(tmp_path)
    assert named(table, copies(table)) == {
        ("bytes", "meningioma/Te-me_0028.jpg", "meningioma/Tr-me_0208.jpg"),
        ("near", "notumor/Te-no_0205.jpg", "notumor/Tr-no_1118.jpg"),
        ("turned", "glioma/Te-gl_0054.jpg", "glioma/Tr-gl_0411.jpg"),
    }


def test_real_neighbouring_slices_are_no_copies(shared_data: Path, tmp_path: Path) -> None:
    """The slices of Cheng 2015 that are most alike: in intensity they correlate by 0.98."""
    source = shared_data / "cheng2015" / "images"
    for number in (1844, 1845, 1857, 1858, 1904, 1905, 1906, 1945, 1946, 1992, 1993):
        path = tmp_path / ("even" if number % 2 == 0 else "odd") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((source / path.name).read_bytes())
    assert copies(read_class_folders(tmp_path)).empty


def test_files_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    image = originals()[0]
    save(image, tmp_path / "a/1.png")
    save(brighter(image), tmp_path / "b/2.png")
    (tmp_path / "b/3.png").write_bytes(b"")
    (tmp_path / "b/4.png").write_bytes(b"")
    table = read_class_folders(tmp_path)
    assert named(table, copies(table)) == {("near", "a/1.png", "b/2.png")}
