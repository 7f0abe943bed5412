"""From tissue to a magnitude image: signal, receiver bias, blur, Rician noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from medqnn.data.phantom.anatomy import Maps, Shape, Tissues
from medqnn.data.phantom.fields import SmoothField, draw_field

GAIN = 230  # grey levels of a signal of 1; the brightest fat may saturate


@dataclass(frozen=True)
class Scanner:
    """What an examination does to the signal.

    Attributes:
        bias: Logarithm of the receiver's sensitivity, slowly varying.
        blur: Standard deviation of the point-spread function, mm.
        noise: Standard deviation of the noise in each of the two channels, in units of signal.
    """

    bias: SmoothField
    blur: float
    noise: float


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Sensitivity varying by some 13%, blur about half a pixel, noise of 1 to 3%."""
    return Scanner(
        bias=draw_field(rng, (180, 400), rms=0.13, waves=5),
        blur=rng.uniform(0.7, 1.4),
        noise=rng.uniform(0.008, 0.03),
    )


def signal(maps: Maps, tissues: Tissues, shape: Shape) -> np.ndarray:
    """Signal of a healthy head.

    Args:
        maps: The anatomy, (n,) each.
        tissues: The patient's contrast.
        shape: The patient's shape, for the thickness of skull and scalp.

    Returns:
        float32 (n,), air 0.
    """
    brain = _brain(maps, tissues)
    cranium = maps["cranium"]
    dura = np.exp(-(((cranium - 0.2) / 1.1) ** 2)) * 0.45
    dura = np.maximum(dura, np.exp(-((maps["falx"] / 0.8) ** 2)) * 0.4 * (cranium < 0))
    sinus = np.clip(2.5 - np.hypot(maps["falx"], cranium + 1.5), 0, 1)
    vessel = np.maximum(np.clip(0.5 - maps["vessel"], 0, 1), sinus)
    brain = brain + np.maximum(dura, vessel) * (tissues.enhancement - brain)
    soft = maps["fat"] * tissues.fat + maps["muscle"] * tissues.muscle
    depth = cranium / shape.skull
    diploe = np.clip(1 - ((depth - 0.5) / 0.3) ** 2, 0, 1) * tissues.marrow * 0.8
    bone = tissues.bone + diploe
    outside = np.where(depth < 1, bone, soft)
    inside_share = np.clip(0.9 - cranium, 0, 1)
    head = inside_share * brain + (1 - inside_share) * outside
    return head * np.clip(0.5 - (maps["head"] + shape.scalp) / 1.2, 0, 1)


def _brain(maps: Maps, tissues: Tissues) -> np.ndarray:
    """Signal within the skull: the template's blurred probabilities, made decisive."""
    white, grey, fluid = maps["white"] ** 3, maps["grey"] ** 3, (1.5 * maps["fluid"]) ** 3
    total = white + grey + fluid + 1e-6
    return (white * tissues.white + grey * tissues.grey + fluid * tissues.fluid) / total


def acquire(
    image: np.ndarray, scanner: Scanner, pixel: float, rng: np.random.Generator
) -> np.ndarray:
    """Blur the signal, make it a magnitude with Rician noise, and store it in 8 bits.

    Args:
        image: float32 (H, W), the signal as received, bias included.
        scanner: Blur and noise.
        pixel: Size of a pixel, mm.
        rng: Source of the noise.

    Returns:
        uint8 (H, W).
    """
    image = ndimage.gaussian_filter(image, scanner.blur / pixel)
    real, imaginary = rng.normal(0, scanner.noise, (2, *image.shape))
    magnitude = np.hypot(image + real, imaginary)
    return np.clip(np.rint(GAIN * magnitude), 0, 255).astype(np.uint8)
