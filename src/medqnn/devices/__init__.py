"""Quantum computers as small files of calibration figures, and the noise that follows from them."""

from medqnn.devices.profile import Profile, load, names

__all__ = ["Profile", "load", "names"]
