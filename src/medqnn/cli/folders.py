"""Folders of runs and studies, as `train` and `study` make them and go on with them."""

from __future__ import annotations

from pathlib import Path


def data_name(data: str) -> str:
    """A data set's name in that of a folder."""
    return data.replace(":", "-") if data.startswith("phantom") else Path(data).resolve().stem


def refuse(what: str, **options: object) -> None:
    """Refuse options that only a new run or study can take.

    Args:
        what: The folder, and why not, in words.
        options: Those given have a value.

    Raises:
        RunError: If any is given.
    """
    from medqnn.errors import RunError

    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if given:
        raise RunError(f"{what}: leave out {', '.join(given)}")
