"""Sound files from which `fuzz_readers.py` makes damaged ones."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import nibabel as nib
import numpy as np
from pydicom import dcmread, dcmwrite, uid
from pydicom.encaps import encapsulate

Seed = tuple[Path, Callable[[bytes], bytes]]
"""A file, and what is done to its content after it is damaged."""

CODECS = {
    uid.JPEGBaseline8Bit: lambda a: imagecodecs.jpeg8_encode(a.astype(np.uint8)),
    uid.JPEGExtended12Bit: lambda a: imagecodecs.jpeg8_encode(a, bitspersample=12),
    uid.JPEGLossless: lambda a: imagecodecs.jpeg8_encode(a, lossless=True, predictor=4),
    uid.JPEGLosslessSV1: lambda a: imagecodecs.jpeg8_encode(a, lossless=True, predictor=1),
    uid.JPEGLSLossless: imagecodecs.jpegls_encode,
    uid.JPEG2000Lossless: lambda a: imagecodecs.jpeg2k_encode(a, codecformat="j2k"),
}


def dicom_seeds(path: Path, folder: Path) -> list[Seed]:
    """The file, and its first frame in other transfer syntaxes."""
    seeds = [(path, bytes)]
    for syntax in (uid.ExplicitVRBigEndian, uid.RLELossless, *CODECS):
        data = dcmread(path)
        frame = data.pixel_array
        frame = np.clip(frame if frame.ndim == 2 else frame[0], 0, 4095).astype(np.uint16)
        data.NumberOfFrames = 1
        data.PixelRepresentation, data.BitsStored, data.HighBit = 0, 12, 11
        if syntax == uid.JPEGBaseline8Bit:
            frame = (frame // 16).astype(np.uint8)
            data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
        data.PixelData = (frame if syntax.is_little_endian else frame.byteswap()).tobytes()
        if syntax in CODECS:
            data.PixelData = encapsulate([CODECS[syntax](frame)])
        elif syntax == uid.RLELossless:
            data.compress(syntax, encoding_plugin="pydicom", generate_instance_uid=False)
        data.file_meta.TransferSyntaxUID = syntax
        data["PixelData"].VR = "OB" if syntax.is_encapsulated else "OW"
        made = folder / f"{path.stem}-{syntax.keyword}.dcm"
        order = {"implicit_vr": False, "little_endian": syntax.is_little_endian}
        dcmwrite(made, data, **order, force_encoding=True)
        seeds.append((made, bytes))
    return seeds


def nifti_seeds(path: Path, folder: Path) -> list[Seed]:
    """The file, and a small cut of it in both formats, bare and compressed after the mutation."""
    seeds = [(path, bytes)]
    image = nib.load(path)
    middle = tuple(slice(length // 2, length // 2 + 24) for length in image.shape[:3])
    for kind in (nib.Nifti1Image, nib.Nifti2Image):
        made = folder / f"{kind.__name__}.nii"
        nib.save(kind(np.asarray(image.dataobj)[middle], image.affine), made)
        seeds += [(made, bytes), (made, lambda content: gzip.compress(content, 1))]
    return seeds
