"""Attributes of images, such as sex, age or scanner, from further columns of a user's table.

Scores are broken down by them; models never see them. Columns of some known names are taken, and
those whose title begins with "attribute:". All others stay out, since a clinical table may hold
anything about a person. In the rows of an `ImageTable` such a column is called "attribute:sex" and
so on; its cells are text, or missing. Neither the cache nor the fingerprint depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from medqnn.errors import DataError

PREFIX = "attribute:"
_KNOWN = (
    *("sex", "gender", "age", "scanner", "manufacturer", "vendor", "fieldstrength"),
    *("site", "center", "centre", "hospital"),
)  # without case and punctuation
_PERSONAL = re.compile(
    r"(?:(?:patients?|subjects?|first|last|given|family|full|middle|sur|maiden)?names?"
    r"|.*birth.*|dob|(?:home)?address|e?mail|(?:tele)?phone|ssn|mrn)"
)


def attribute_columns(titles: Iterable[object], table: str) -> dict[str, str]:
    """Which columns hold attributes.

    Args:
        titles: of the columns that have no other use.
        table: the table's name, for messages.

    Returns:
        The columns' titles, each with its name in the rows of an `ImageTable`.

    Raises:
        DataError: Two columns for one attribute, one without a name, or one that is marked as an
            attribute and titled as a name, a birth date or the like.
    """
    found: dict[str, str] = {}
    for title in map(str, titles):
        marked = title.strip().lower().startswith(PREFIX)
        name = title.strip().lower().removeprefix(PREFIX).strip()
        plain = re.sub(r"[\W_]+", "", name)
        if not marked and plain not in _KNOWN:
            continue
        if not plain or PREFIX + name in found.values():
            raise DataError(f"{table}: column {title!r} needs a name that no other attribute has")
        if _PERSONAL.fullmatch(plain):
            raise DataError(
                f"{table}: column {title!r} would put personal data into every run: remove it, or "
                "rename it if it says something else"
            )
        found[title] = PREFIX + name
    return found


def attributes(rows: pd.DataFrame) -> pd.DataFrame:
    """The attributes of an `ImageTable`'s rows, by name, in the order of the rows."""
    own = [column for column in rows if str(column).startswith(PREFIX)]
    return rows[own].rename(columns=lambda column: column.removeprefix(PREFIX))
