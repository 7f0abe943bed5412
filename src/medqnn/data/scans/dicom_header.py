"""What a DICOM file says about its images, read without its pixels.

Only the elements named here are ever read: a patient's name or birth date is never in memory.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Any, BinaryIO, NamedTuple

from pydicom import config, dcmread, uid
from pydicom.dataset import FileDataset
from pydicom.filereader import read_dataset
from pydicom.tag import Tag

from medqnn.data.scans.dicom_codecs import PLUGINS
from medqnn.data.scans.dicom_frames import FRAME_TAGS, Frame, count_frames, read_frames
from medqnn.data.scans.scan_files import BadFileError, BoundedReader, printable

MAGIC = b"DICM"  # at byte 128
_TAGS: list[Any] = [
    "SOPClassUID",
    "SOPInstanceUID",
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "InstanceNumber",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    *FRAME_TAGS,
]
_OTHER_OBJECTS = (  # have rows and columns, but are no images to classify
    uid.SegmentationStorage,
    "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation Storage
    uid.RTDoseStorage,
)
_PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR")  # and YBR_…
_MOST_SAMPLES = 2**27  # of a frame; the largest mammograms have 2²⁵
_SMALLEST_FRAME = 64  # bytes of a compressed frame with its item
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEMS_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"

# pydicom repeats values of the header in what it logs and warns of, and they may be personal; what
# matters in it is an error of ours.
config.settings.reading_validation_mode = config.IGNORE
logging.getLogger("pydicom").addHandler(logging.NullHandler())
logging.getLogger("pydicom").propagate = False
warnings.filterwarnings("ignore", module=r"pydicom\b")


class Header(NamedTuple):
    """What a file says about its images; texts are empty where it says nothing."""

    image: str
    series: str
    study: str
    patient: str
    instance: int
    syntax: str
    frames: tuple[Frame, ...]


def read_header(path: str) -> Header | None:
    """Read a file's header; None for a DICOM object that holds no images, such as a report.

    Raises:
        BadFileError: Not DICOM, damaged, cut off, of a kind that is not decoded, or without pixels.
    """
    try:
        with BoundedReader(path) as file:
            data = _read_elements(path, file)
            if not _is_image(path, data):
                return None
            _check_pixels(path, file, data)
    except OSError as error:
        raise BadFileError(
            path, f"cannot be read ({error.strerror}): mend it or leave it out"
        ) from error
    try:
        header = _header(data)
    except Exception as error:  # pydicom converts values late, and raises what it meets
        raise _damaged(path, error) from error
    if not header.image:
        raise BadFileError(path, "has no SOPInstanceUID: copy it again or leave it out")
    return header


def _read_elements(path: str, file: BinaryIO) -> FileDataset:
    """Read the header; the file is then at its pixels."""
    start = file.read(132)
    if not start:
        raise BadFileError(path, "is empty: copy it again or leave it out")
    try:
        if start[128:] == MAGIC:
            # before all else: pydicom inflates a deflated file whole, however large it becomes
            syntax = _transfer_syntax(file)
            if syntax and syntax not in PLUGINS:
                raise _unknown_syntax(path, syntax)
        file.seek(0)
        return dcmread(
            file,
            stop_before_pixels=True,
            force=True,
            specific_tags=_TAGS,
        )
    except (OSError, BadFileError):
        raise
    except Exception as error:  # pydicom raises what it meets in a damaged file
        raise _damaged(path, error) from error


def _transfer_syntax(file: BinaryIO) -> str | None:
    """What the file's first group of elements, after the magic word, says of its encoding."""
    group = read_dataset(
        file,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, vr, length: tag.group != 2,
        specific_tags=[Tag("TransferSyntaxUID")],
    )
    syntax = group.get("TransferSyntaxUID")
    return None if syntax is None else str(syntax)


def _is_image(path: str, data: FileDataset) -> bool:
    try:
        kind = str(data.get("SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID") or "")
        sized = "Rows" in data and "Columns" in data
    except Exception as error:
        raise _damaged(path, error) from error
    if not kind:
        raise BadFileError(
            path, "is not DICOM or cut off: no SOPClassUID; copy it again or remove it"
        )
    if not sized and "Image Storage" in uid.UID(kind).name:
        raise BadFileError(path, "is cut off or damaged: no Rows and Columns; copy it again")
    return sized and kind not in _OTHER_OBJECTS


def _check_pixels(path: str, file: BinaryIO, data: FileDataset) -> None:
    """Compare the header's sizes with the file's; the file is at its pixels."""
    try:
        rows, columns = int(data.Rows), int(data.Columns)
        samples = int(data.get("SamplesPerPixel") or 1)
        bits = int(data.get("BitsAllocated") or 0)
        frames = count_frames(data)
        photometric = str(data.get("PhotometricInterpretation") or "")
        implicit, little = data.original_encoding
    except Exception as error:
        raise _damaged(path, error) from error
    if not 0 < rows * columns * samples <= _MOST_SAMPLES or bits not in (1, 8, 16, 32, 64):
        raise BadFileError(
            path,
            f"has frames of {columns}×{rows} pixels, {samples} samples of {bits} bits, which "
            "cannot be: copy it again or leave it out",
        )
    if photometric not in _PHOTOMETRIC and not photometric.startswith("YBR_"):
        raise BadFileError(
            path,
            "has a photometric interpretation that is not understood: save it as MONOCHROME2 or "
            "RGB, or leave it out",
        )
    element = file.read(8 if implicit else 12)
    if len(element) < (8 if implicit else 12):
        raise BadFileError(path, "has no pixels: leave it out, or copy it again if it is cut off")
    length = int.from_bytes(element[-4:], "little" if little else "big")
    wanted = frames * rows * columns * samples * bits // 8
    if photometric == "YBR_FULL_422":
        wanted = wanted * 2 // 3  # two pixels share their colours
    if length == _UNDEFINED:
        held, wanted = _compressed_bytes(file), frames * _SMALLEST_FRAME
    else:
        held = min(length, os.fstat(file.fileno()).st_size - file.tell())
    if frames < 1 or held < wanted:
        raise BadFileError(
            path,
            f"holds {held:,} bytes of pixels, too few for {frames:,} frames of {columns}×{rows}: "
            "copy it again, it is cut off or damaged",
        )


def _compressed_bytes(file: BinaryIO) -> int:
    """Bytes of the items at the file's place; 0 if one is damaged or the file ends in it."""
    size = os.fstat(file.fileno()).st_size
    held = 0
    while start := file.read(8):
        length = int.from_bytes(start[4:], "little")
        if start[:4] == _ITEMS_END:
            break
        if start[:4] != _ITEM or file.seek(length, os.SEEK_CUR) > size:
            return 0
        held += 8 + length
    return held


def _header(data: FileDataset) -> Header:
    implicit, _ = data.original_encoding
    plain = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
    return Header(
        image=_text(data, "SOPInstanceUID"),
        series=_text(data, "SeriesInstanceUID"),
        study=_text(data, "StudyInstanceUID"),
        patient=_text(data, "PatientID"),
        instance=int(data.get("InstanceNumber") or 0),
        syntax=str(data.file_meta.get("TransferSyntaxUID") or plain),
        frames=read_frames(data),
    )


def _text(data: FileDataset, keyword: str) -> str:
    return sys.intern(str(data.get(keyword) or "").strip())  # one text for a whole series


def _damaged(path: str, error: Exception) -> BadFileError:
    # not the error's own words: they may repeat what stands in the header
    kind = type(error).__name__
    return BadFileError(path, f"is damaged or not DICOM ({kind}): copy it again or leave it out")


def _unknown_syntax(path: str, syntax: str) -> BadFileError:
    known = ", ".join(uid.UID(known).name for known in PLUGINS)
    return BadFileError(
        path,
        f"is compressed as {printable(uid.UID(syntax).name)}, which is not read ({known} are): "
        "save it uncompressed, with gdcmconv --raw or dcmdjpeg",
    )
