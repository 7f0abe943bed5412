"""Hybrid quantum-classical medical image classification, and an honest answer on whether it helps."""

from importlib.metadata import version

__version__ = version("medqnn")
