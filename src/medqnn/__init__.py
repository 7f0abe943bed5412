"""Hybrid quantum-classical medical image classification, honestly evaluated."""

from importlib.metadata import version

__version__ = version("medqnn")
