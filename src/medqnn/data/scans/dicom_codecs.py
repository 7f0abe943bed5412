"""How each transfer syntax is decoded: which of pydicom's plugins, and one of our own.

Decoders read what may be damaged. The one that knows every JPEG of DICOM, GDCM, ends the whole
process on some damaged files, and pylibjpeg-libjpeg is under the GPL. So the lossless, 12-bit and
JPEG-LS files go to imagecodecs (libjpeg-turbo and CharLS) by the plugin below, the others to
Pillow and pydicom itself. `benchmarks/fuzz_readers.py` tries them all.
"""

from __future__ import annotations

import imagecodecs
import numpy as np
from pydicom import uid
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import DecodeRunner

_OWN = "medqnn"
_OWN_SYNTAXES = (
    uid.JPEGExtended12Bit,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEGLSNearLossless,
)
PLUGINS = {  # transfer syntax -> plugin; "" where nothing is compressed
    uid.ImplicitVRLittleEndian: "",
    uid.ExplicitVRLittleEndian: "",
    uid.ExplicitVRBigEndian: "",
    uid.RLELossless: "pydicom",
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEG2000Lossless: "pillow",
    uid.JPEG2000: "pillow",
    **dict.fromkeys(_OWN_SYNTAXES, _OWN),
}

_END = b"\xff\xd9"
_PADDING = 16  # bytes at the end of a frame in which it must stand: writers fill up with zeros

DECODER_DEPENDENCIES = dict.fromkeys(_OWN_SYNTAXES, ("imagecodecs",))  # pydicom asks


def is_available(syntax: str) -> bool:
    """Whether this plugin decodes the syntax; pydicom asks."""
    return syntax in _OWN_SYNTAXES


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """Decode one JPEG or JPEG-LS frame, a pydicom plugin.

    The array is laid out by the header, so that a stream of another size is refused before
    anything is allocated for it.

    Raises:
        ValueError: A stream of another size or depth than the header's, or a damaged one.
    """
    if _END not in source[-_PADDING:]:
        raise ValueError("no end of the image: the decoder would make up the rest")
    samples = runner.samples_per_pixel
    shape = (runner.rows, runner.columns, samples)[: 2 if samples == 1 else 3]
    image = np.empty(shape, np.uint8 if runner.bits_stored <= 8 else np.uint16)
    if runner.transfer_syntax in uid.JPEGLSTransferSyntaxes:
        imagecodecs.jpegls_decode(source, out=image)
    else:
        colors = "GRAYSCALE" if samples == 1 else "RGB"
        imagecodecs.jpeg8_decode(source, colorspace=colors, outcolorspace=colors, out=image)
    runner.set_option("bits_allocated", 8 * image.itemsize)
    if samples > 1:
        runner.set_option("planar_configuration", 0)
    return image.tobytes()


for _syntax in _OWN_SYNTAXES:
    if _OWN not in get_decoder(_syntax).available_plugins:
        get_decoder(_syntax).add_plugin(_OWN, (__name__, "decode_frame"))
