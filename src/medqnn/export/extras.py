"""Packages that only an export needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from medqnn.errors import MedqnnError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around imports: say which extra of medqnn brings a package that is missing.

    Raises:
        MedqnnError: If one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MedqnnError(
            f"this needs {error.name}, which is not installed: `pip install '.[{name}]'` "
            "in a checkout of medqnn"
        ) from error
