"""DICOM files made for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

ROOT = "1.2.826.0.1.3680043.8.498"
PERSON = {"PatientName": "Roe^Jane", "PatientBirthDate": "19610402", "PatientID": "QX-4711"}
SECRETS = ("Roe", "Jane", "19610402", "QX-4711")
RAMP = (np.arange(35, dtype=np.uint16) * 100).reshape(
    5, 7
)  # not square: shows a lost transposition

CODECS = {
    uid.JPEGBaseline8Bit: lambda image: imagecodecs.jpeg8_encode(image, level=100),
    uid.JPEGExtended12Bit: lambda image: imagecodecs.jpeg8_encode(
        image, level=100, bitspersample=12 if image.itemsize == 2 else 8
    ),
    uid.JPEGLossless: lambda image: imagecodecs.jpeg8_encode(image, lossless=True, predictor=4),
    uid.JPEGLosslessSV1: lambda image: imagecodecs.jpeg8_encode(image, lossless=True, predictor=1),
    uid.JPEGLSLossless: lambda image: imagecodecs.jpegls_encode(image),
    uid.JPEGLSNearLossless: lambda image: imagecodecs.jpegls_encode(image, 1),
    uid.JPEG2000Lossless: lambda image: imagecodecs.jpeg2k_encode(image, codecformat="j2k"),
    uid.JPEG2000: lambda image: imagecodecs.jpeg2k_encode(image, 80, codecformat="j2k"),
}


def dicom(image: np.ndarray = RAMP, number: int = 1, **elements: Any) -> Dataset:
    """A data set of one image, or of many where the first of three axes counts frames."""
    data = Dataset()
    data.SOPClassUID = uid.MRImageStorage
    data.SOPInstanceUID = f"{ROOT}.3.{number}"
    data.StudyInstanceUID, data.SeriesInstanceUID = f"{ROOT}.1", f"{ROOT}.2"
    data.Modality, data.InstanceNumber = "MR", number
    color = image.ndim == 3 and image.shape[-1] == 3
    if image.ndim == 3 and not color:
        data.NumberOfFrames = len(image)
    data.Rows, data.Columns = image.shape[-3:-1] if color else image.shape[-2:]
    data.SamplesPerPixel = 3 if color else 1
    data.PhotometricInterpretation = "RGB" if color else "MONOCHROME2"
    if color:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * image.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(image.dtype.kind == "i")
    data.PixelData = image.tobytes() + b"\0" * (image.nbytes % 2)
    for keyword, value in {**PERSON, **elements}.items():
        setattr(data, keyword, value)
    return data


def place(*axes: float, at: tuple[float, float, float] = (0, 0, 0)) -> dict[str, Any]:
    """Elements for an image with these direction cosines of a row and a column, at a position."""
    return {
        "ImageOrientationPatient": list(axes),
        "ImagePositionPatient": list(at),
        "PixelSpacing": [0.5, 0.25],
    }


def item(**elements: Any) -> Dataset:
    """An item of a sequence."""
    data = Dataset()
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    return data


def write(path: Path, data: Dataset, syntax: UID = uid.ExplicitVRLittleEndian) -> Path:
    """Write a file, its pixels encoded by the transfer syntax."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    image = np.frombuffer(
        data.get("PixelData", b""), f"{'ui'[data.PixelRepresentation]}{data.BitsAllocated // 8}"
    )
    if syntax in CODECS:
        shape = (data.Rows, data.Columns, data.SamplesPerPixel)
        frames = image[: image.size // np.prod(shape) * np.prod(shape)].reshape(-1, *shape)
        data.PixelData = encapsulate([CODECS[syntax](frame.squeeze()) for frame in frames])
        data["PixelData"].VR = "OB"
    elif syntax == uid.RLELossless:
        data.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        data.compress(syntax, encoding_plugin="pydicom", generate_instance_uid=False)
    elif "PixelData" in data:
        data.PixelData = data.PixelData if syntax.is_little_endian else image.byteswap().tobytes()
        data["PixelData"].VR = "OW" if data.BitsAllocated > 8 else "OB"
    data.save_as(
        path,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=True,
    )
    return path


def label(folder: Path, text: str) -> None:
    """Write a folder's labels."""
    (folder / "labels.csv").write_text(text)
