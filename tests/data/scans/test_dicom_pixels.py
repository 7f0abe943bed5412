from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom import uid
from pydicom.dataset import Dataset
from tests.data.scans.dicom_files import RAMP, SECRETS, dicom, item, write

from medqnn.data.scans.dicom_pixels import read_dicom_image
from medqnn.errors import DataError


def read(folder: Path, data: Dataset, frame: int = 1, **options) -> np.ndarray:
    path = write(folder / "a.dcm", data)
    return read_dicom_image(pd.Series({"source": str(path), "frame": frame}), **options).image


def window(center: float, width: float) -> dict[str, float]:
    return {"WindowCenter": center, "WindowWidth": width}


def same_contrast(image: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for scale and offset, which preparing an image takes away."""

    def scaled(values: np.ndarray) -> np.ndarray:
        return (values - values.min()) / (values.max() - values.min())

    np.testing.assert_allclose(scaled(image), scaled(expected.astype(float)), atol=1e-6)


def test_without_a_window_the_range_is_that_of_percentiles(tmp_path: Path) -> None:
    image = read(tmp_path, dicom())
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, np.clip(RAMP, *np.percentile(RAMP, (0.5, 99.5))))


def test_window_is_the_standards(tmp_path: Path) -> None:
    """PS3.3 C.11.2.1.2: below c - 0.5 - (w-1)/2 black, above c - 0.5 + (w-1)/2 white."""
    image = read(tmp_path, dicom(**window(1000.5, 1001)))
    same_contrast(image, np.clip(RAMP, 500, 1500))


def test_percentiles_may_be_asked_for_in_spite_of_a_window(tmp_path: Path) -> None:
    image = read(tmp_path, dicom(**window(1000.5, 1001)), window="percentile")
    np.testing.assert_allclose(image, read(tmp_path, dicom()))


def test_first_of_several_windows_counts(tmp_path: Path) -> None:
    data = dicom(WindowCenter=[1000.5, 100], WindowWidth=[1001, 50])
    same_contrast(read(tmp_path, data), np.clip(RAMP, 500, 1500))


def test_sigmoid_window(tmp_path: Path) -> None:
    image = read(tmp_path, dicom(**window(1000, 500), VOILUTFunction="SIGMOID"))
    same_contrast(image, 1 / (1 + np.exp(-4 * (RAMP.astype(float) - 1000) / 500)))


@pytest.mark.parametrize("useless", [window(1000, 0), window(-5000, 10), window(1000, -3)])
def test_window_without_contrast_gives_way_to_percentiles(tmp_path: Path, useless) -> None:
    np.testing.assert_allclose(read(tmp_path, dicom(**useless)), read(tmp_path, dicom()))


def test_rescale_comes_before_the_window(tmp_path: Path) -> None:
    data = dicom(RescaleSlope=2, RescaleIntercept=-1000, **window(1000.5, 1001))
    image = read(tmp_path, data)
    same_contrast(image, np.clip(2.0 * RAMP - 1000, 500, 1500))
    plain = read(tmp_path, dicom(RescaleSlope=2, RescaleIntercept=-1000))
    assert plain.min() == pytest.approx(-1000, abs=50)


def test_modality_lookup_table_comes_before_the_window(tmp_path: Path) -> None:
    table = np.arange(0, 3500, dtype=np.uint16)[::-1]  # turns the ramp round
    lut = item(LUTDescriptor=[3500, 0, 16], ModalityLUTType="US")
    lut.LUTData = table.tolist()
    lut["LUTData"].VR = "US"
    image = read(tmp_path, dicom(ModalityLUTSequence=[lut], **window(1000.5, 1001)))
    same_contrast(image, np.clip(3499 - RAMP.astype(float), 500, 1500))


def test_lookup_table_of_the_window(tmp_path: Path) -> None:
    lut = item(LUTDescriptor=[3401, 0, 16])
    lut.LUTData = (np.arange(3401) ** 2 // 300).tolist()
    lut["LUTData"].VR = "US"
    data = dicom(VOILUTSequence=[lut], RescaleSlope=1, RescaleIntercept=0)
    same_contrast(read(tmp_path, data), RAMP.astype(int) ** 2 // 300)


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    for elements in ({}, window(1000.5, 1001)):
        normal = read(tmp_path, dicom(**elements))
        inverted = read(tmp_path, dicom(PhotometricInterpretation="MONOCHROME1", **elements))
        np.testing.assert_allclose(inverted, normal.max() + normal.min() - normal, rtol=1e-6)


def test_palette_becomes_rgb(tmp_path: Path) -> None:
    image = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
    data = dicom(image, PhotometricInterpretation="PALETTE COLOR")
    for color, values in (("Red", [0, 10, 20, 9]), ("Green", [5] * 4), ("Blue", [200, 100, 0, 9])):
        setattr(data, f"{color}PaletteColorLookupTableDescriptor", [4, 0, 8])
        setattr(data, f"{color}PaletteColorLookupTableData", bytes(values))
    rgb = read(tmp_path, data)
    assert rgb.shape == (2, 3, 3)
    assert rgb[0].tolist() == [[0, 5, 200], [10, 5, 100], [20, 5, 0]]


def test_ybr_becomes_rgb(tmp_path: Path) -> None:
    grey = np.full((4, 4, 3), 128, dtype=np.uint8)
    grey[..., 0] = 77  # luma alone
    rgb = read(tmp_path, dicom(grey, PhotometricInterpretation="YBR_FULL"))
    np.testing.assert_array_equal(rgb, np.full((4, 4, 3), 77))


def test_frames_have_their_own_rescale_and_window(tmp_path: Path) -> None:
    frames = np.stack([RAMP, RAMP, RAMP])
    groups = [
        item(
            PixelValueTransformationSequence=[item(RescaleSlope=s, RescaleIntercept=0)],
            FrameVOILUTSequence=[item(**window(1000.5, 1001))],
        )
        for s in (1, 2)
    ]
    shared = item(
        PixelValueTransformationSequence=[item(RescaleSlope=4, RescaleIntercept=0)],
        FrameVOILUTSequence=[item(**window(1000.5, 1001))],
    )
    data = dicom(
        frames,
        PerFrameFunctionalGroupsSequence=[*groups, Dataset()],
        SharedFunctionalGroupsSequence=[shared],
    )
    for frame, slope in ((1, 1), (2, 2), (3, 4)):
        same_contrast(read(tmp_path, data, frame), np.clip(slope * RAMP, 500, 1500))


def test_frame_beyond_the_last_and_a_file_that_vanishes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.dcm: has changed"):
        read(tmp_path, dicom(), frame=2)
    row = pd.Series({"source": str(tmp_path / "a.dcm"), "frame": 1})
    (tmp_path / "a.dcm").unlink()
    with pytest.raises(DataError, match=r"a\.dcm: cannot be read \(No such file"):
        read_dicom_image(row)


def test_floating_point_pixels_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    data = dicom()
    del data.PixelData
    data.BitsAllocated = 32
    values = np.ones((5, 7), np.float32)
    data.FloatPixelData = values.tobytes()
    path = tmp_path / "a.dcm"
    write(path, data)
    row = pd.Series({"source": str(path), "frame": 1})
    assert read_dicom_image(row).image.shape == (5, 7)
    values[2, 3] = np.nan
    data.FloatPixelData = values.tobytes()
    write(path, data)
    with pytest.raises(DataError, match=r"a\.dcm: has pixels that are not finite"):
        read_dicom_image(row)


def test_broken_lookup_table_is_refused_without_a_word_of_the_patient(tmp_path: Path) -> None:
    lut = item(LUTDescriptor=[3401, 0, 16])
    lut.LUTData = [1, 2, 3]
    lut["LUTData"].VR = "US"
    with pytest.raises(DataError, match=r"a\.dcm: has a lookup table .*cannot") as caught:
        read(tmp_path, dicom(VOILUTSequence=[lut]))
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_reader_can_be_pickled() -> None:
    reader = partial(read_dicom_image, window="percentile")
    assert pickle.loads(pickle.dumps(reader)).keywords == {"window": "percentile"}


def test_encapsulated_frame_is_read_alone(tmp_path: Path) -> None:
    frames = np.stack([RAMP, RAMP + 50, RAMP + 200])
    path = write(tmp_path / "a.dcm", dicom(frames, **window(1000.5, 1001)), uid.JPEGLosslessSV1)
    for frame, image in enumerate(frames):
        row = pd.Series({"source": str(path), "frame": frame + 1})
        same_contrast(read_dicom_image(row).image, np.clip(image, 500, 1500))
