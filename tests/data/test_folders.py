from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medqnn.data.cache import decode
from medqnn.data.folders import read_index_folder, read_pixels
from medqnn.errors import DataError

QUALITY = {"jpg": {"quality": 100}}
GRADIENT = np.arange(48, dtype=np.uint8).reshape(6, 8)


def write(folder: Path, index: str, **files: Image.Image) -> Path:
    for name, image in files.items():
        image.save(folder / f"{name}.png")
    (folder / "index.csv").write_text(index, encoding="utf-8")
    return folder


def picture(pixels: np.ndarray = GRADIENT) -> Image.Image:
    return Image.fromarray(pixels)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lesion = picture(np.eye(6, 8) > 0)
    index = "image,mask,label,group,fold\na.png,m.png,ill,p7,2\nb.png,,None,p8,1\n"
    return write(tmp_path, index, a=picture(), b=picture(GRADIENT.T.copy()), m=lesion)


def test_rows_hold_what_the_index_says(folder: Path) -> None:
    table = read_index_folder(folder)
    assert table.rows["id"].tolist() == ["a.png", "b.png"]
    assert table.rows["patient"].tolist() == ["p7", "p8"]
    assert table.rows["fold"].tolist() == [2, 1]
    assert table.classes == ("ill", "None")  # the text None is a class name, not a missing label
    assert table.patients_known
    assert not table.has_split
    assert table.name == folder.name


def test_empty_mask_cell_is_no_annotation_and_a_black_mask_is_one(folder: Path) -> None:
    table = read_index_folder(folder)
    annotated = table.read(table.rows.iloc[0])
    np.testing.assert_array_equal(annotated.image, GRADIENT)
    np.testing.assert_array_equal(annotated.mask, np.eye(6, 8) > 0)
    assert table.read(table.rows.iloc[1]).mask is None
    picture(np.zeros((6, 8), dtype=np.uint8)).save(folder / "m.png")
    assert not table.read(table.rows.iloc[0]).mask.any()


def test_without_patients_each_image_is_its_own(tmp_path: Path) -> None:
    table = read_index_folder(write(tmp_path, "image,label\na.png,ill\n", a=picture()))
    assert not table.patients_known
    assert table.rows["patient"].tolist() == ["a.png"]
    assert table.rows["mask"].isna().all()


def test_byte_order_mark_and_spaces_are_no_part_of_the_values(tmp_path: Path) -> None:
    write(tmp_path, "\ufeffimage , label\n a.png ,  ill\n", a=picture())
    assert read_index_folder(tmp_path).rows.loc[0, ["id", "label"]].tolist() == ["a.png", "ill"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (picture(), GRADIENT),
        (picture(GRADIENT.astype(np.uint16) * 1000), GRADIENT.astype(np.uint16) * 1000),
        (picture(GRADIENT % 2 > 0), GRADIENT % 2 > 0),
        (picture(np.stack([GRADIENT] * 3, -1)), np.stack([GRADIENT] * 3, -1)),
        (picture(GRADIENT).convert("RGBA"), np.stack([GRADIENT] * 3, -1)),
        (picture(GRADIENT).convert("LA"), np.stack([GRADIENT] * 3, -1)),
        (picture(GRADIENT).convert("P"), np.stack([GRADIENT] * 3, -1)),
    ],
    ids=["8 bit", "16 bit", "1 bit", "RGB", "RGBA", "grey with alpha", "palette"],
)
def test_pixels_of_every_png_kind(tmp_path: Path, image: Image.Image, expected: np.ndarray) -> None:
    image.save(tmp_path / "image.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "image.png"), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tiff", "jpg"])
def test_image_is_turned_as_its_exif_tag_says(tmp_path: Path, kind: str, orientation: int) -> None:
    flat = np.kron(GRADIENT[::2, ::2] * 5, np.ones((8, 8), dtype=np.uint8))  # survives JPEG
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture(flat).save(tmp_path / f"image.{kind}", exif=exif, **QUALITY.get(kind, {}))
    # how the stored rows and columns stand to the shown ones, by the EXIF standard
    upright = (lambda a: a, np.fliplr, lambda a: np.rot90(a, 2), np.flipud, np.transpose)
    upright = (*upright, lambda a: np.rot90(a, -1), lambda a: np.rot90(a, 2).T, np.rot90)
    expected = upright[orientation - 1](flat)
    np.testing.assert_allclose(read_pixels(tmp_path / f"image.{kind}"), expected, atol=3)


def test_sixteen_bit_image_is_turned_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(GRADIENT.astype(np.uint16) * 1000).save(tmp_path / "image.png", exif=exif)
    expected = np.rot90(GRADIENT.astype(np.uint16) * 1000, -1)
    np.testing.assert_array_equal(read_pixels(tmp_path / "image.png"), expected)


def test_coloured_mask_counts_wherever_it_is_not_black(tmp_path: Path) -> None:
    red = np.zeros((6, 8, 3), dtype=np.uint8)
    red[2, 3, 0] = 255
    index = "image,mask,label\na.png,m.png,ill\n"
    table = read_index_folder(write(tmp_path, index, a=picture(), m=picture(red)))
    np.testing.assert_array_equal(np.argwhere(table.read(table.rows.iloc[0]).mask), [[2, 3]])


def test_truncated_and_foreign_files_are_named(folder: Path) -> None:
    table = read_index_folder(folder)
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), dtype=np.uint8)
    picture(noise).save(folder / "a.png")
    whole = (folder / "a.png").read_bytes()
    for content in (whole[:20_000], b"not an image", b""):
        (folder / "a.png").write_bytes(content)
        with pytest.raises(DataError, match=r"cannot read the image .*a\.png") as found:
            table.read(table.rows.iloc[0])
        assert "<" not in str(found.value)  # no object's name in the place of a reason


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("image,label\na.png,ill\nc.png,ill\nd.png,ill\n", r"2 of 3 image files .*c\.png"),
        ("image,mask,label\na.png,m.png,ill\n", r"1 of 1 mask files .*m\.png"),
        ("image,label\n../a.png,ill\n", r"names the image \.\./a\.png, outside"),
        ("image,label\nx/../../a.png,ill\n", "outside its folder"),
        ("image,label\n/etc/hostname,ill\n", "outside its folder"),
        ("image,label,paitent\na.png,ill,p\n", r"unknown columns \['paitent'\]"),
        ("image,class\na.png,ill\n", r"unknown columns \['class'\]"),
        ("image,mask\na.png,\n", "no column label"),
        ("image,label,patient,group\na.png,ill,p,p\n", "both patient and group"),
        ("image,label,fold\na.png,ill,one\n", "fold is not a whole number, the first 'one'"),
        ("image,label,fold\na.png,ill,\n", "fold is not a whole number, the first nan"),
        ("image,label,split\na.png,ill,dev\n", "split is not train, val, test, the first 'dev'"),
        ("image,label\n,ill\n", "1 rows without an image path"),
        ("image,label\na.png,\n", "1 of 1 images have no label"),
        ("image,label\na.png,ill\na.png,ill\n", "listed more than once"),
        ("image,label\n", "no images"),
        ("", r"cannot read .*index\.csv"),
    ],
)
def test_broken_index_is_one_line_that_says_what(tmp_path: Path, index: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        read_index_folder(write(tmp_path, index, a=picture()))
    assert "\n" not in str(raised.value)


def test_index_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_bytes(b"image,label\n\xff\xfe\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_index_folder(tmp_path)


def test_folder_without_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no .*index\.csv"):
        read_index_folder(tmp_path)


def test_real_folder_of_the_cheng_set(shared_data: Path) -> None:
    table = read_index_folder(shared_data / "cheng2015")
    assert len(table) == 2400
    assert not table.patients_known
    by_class = table.counts()["total"].to_dict()
    assert by_class == {"meningioma": 563, "pituitary": 758, "glioma": 1079, "total": 2400}
    assert pd.Series(table.rows["fold"]).unique().tolist() == [3, 1, 4, 2]
    sample = table.read(table.rows.iloc[0])
    assert sample.image.shape == sample.mask.shape == (256, 256)
    assert 0 < sample.mask.mean() < 0.2


def test_attributes_become_columns_of_the_rows(tmp_path: Path) -> None:
    index = "image,label,Age,attribute:Scan Order\na.png,ill,63,first\nb.png,well,,NA\n"
    rows = read_index_folder(write(tmp_path, index, a=picture(), b=picture())).rows
    assert rows["attribute:age"].isna().tolist() == [False, True]
    assert rows["attribute:age"][0] == "63"
    assert rows["attribute:scan order"].tolist() == ["first", "NA"]


def test_a_birth_date_is_refused_even_if_asked_for(tmp_path: Path) -> None:
    index = "image,label,attribute:Date of Birth\na.png,ill,1970\n"
    with pytest.raises(DataError, match="personal data"):
        read_index_folder(write(tmp_path, index, a=picture()))


def test_cache_and_fingerprint_do_not_depend_on_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDQNN_CACHE", str(tmp_path / "cache"))
    write(tmp_path, "image,label\na.png,ill\n", a=picture())
    bare = decode(read_index_folder(tmp_path), 8).fingerprint
    (tmp_path / "index.csv").write_text("image,label,sex\na.png,ill,F\n")
    table = read_index_folder(tmp_path)
    assert "attribute:sex" in table.rows
    assert decode(table, 8).fingerprint == bare
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 1
