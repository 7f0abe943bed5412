from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread, uid
from pydicom.encaps import encapsulate
from tests.data.scans.dicom_files import CODECS, dicom, write

from medqnn.data.scans.dicom_codecs import PLUGINS
from medqnn.data.scans.dicom_pixels import read_dicom_image
from medqnn.errors import DataError

SMOOTH = np.add.outer(np.arange(24) ** 2, np.arange(32) * 20)  # 0..1149
LOSSY = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000)


def read(path: Path) -> np.ndarray:
    row = pd.Series({"source": str(path), "frame": 1})
    return read_dicom_image(row, "percentile").image


def stored(image: np.ndarray) -> np.ndarray:
    """What the reader makes of values that have no window."""
    return np.clip(image, *np.percentile(image, (0.5, 99.5)))


@pytest.mark.parametrize("syntax", PLUGINS, ids=lambda syntax: syntax.keyword)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_pixels_come_back_from_every_transfer_syntax(tmp_path: Path, syntax, bits: int) -> None:
    if bits > {uid.JPEGBaseline8Bit: 8, uid.JPEGExtended12Bit: 12}.get(syntax, 16):
        pytest.skip("DICOM knows no such file")
    image = (SMOOTH * {8: 0.2, 12: 3.5, 16: 55}[bits]).astype(np.uint8 if bits == 8 else np.uint16)
    path = write(tmp_path / "a.dcm", dicom(image, BitsStored=bits, HighBit=bits - 1), syntax)
    assert dcmread(path).file_meta.TransferSyntaxUID == syntax
    loss = image.max() * 0.03 if syntax in LOSSY else 0
    np.testing.assert_allclose(read(path), stored(image), atol=loss)


@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless])
def test_signed_values_come_back(tmp_path: Path, syntax) -> None:
    image = (SMOOTH - 500).astype(np.int16)
    data = dicom(image.view(np.uint16) if syntax != uid.JPEG2000Lossless else image)
    if syntax == uid.JPEG2000Lossless:
        path = write(tmp_path / "a.dcm", data, syntax)
    else:
        data.PixelRepresentation = 0
        path = write(tmp_path / "a.dcm", data, syntax)
        data.PixelRepresentation = 1
        data.save_as(path)
    np.testing.assert_array_equal(read(path), stored(image.astype(float)).astype(np.float32))


@pytest.mark.parametrize(
    "syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless]
)
def test_colors_come_back(tmp_path: Path, syntax) -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    path = write(tmp_path / "a.dcm", dicom(image), syntax)
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("syntax", CODECS, ids=lambda syntax: syntax.keyword)
def test_stream_of_another_size_than_the_header_says_is_refused(tmp_path: Path, syntax) -> None:
    data = dicom(np.zeros((8, 8), np.uint8))
    path = write(tmp_path / "a.dcm", data, syntax)
    data.PixelData = encapsulate([CODECS[syntax](np.zeros((300, 400), np.uint8))])
    data.save_as(path)
    with pytest.raises(DataError, match=r"a\.dcm: .*image 1 that cannot be decoded"):
        read(path)
