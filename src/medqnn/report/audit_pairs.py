"""Pairs of copies side by side, some of each kind."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from medqnn.data.auditing.audit import Audit
from medqnn.data.auditing.copies import KINDS
from medqnn.data.auditing.fingerprints import TURNS
from medqnn.data.prepare import prepare
from medqnn.data.table import ImageTable

PAIRS = 12  # shown of each kind
_SIDE = 192  # pixels; the page shows 112


class Shown(NamedTuple):
    """One image of a pair: its picture as a data URI, and what stands below."""

    source: str
    id: str
    label: str
    side: str


class Pair(NamedTuple):
    """Two images, and what makes them a pair."""

    first: Shown
    second: Shown
    words: str


class Gallery(NamedTuple):
    """Some pairs of one kind, those across sides first, and how many there are."""

    title: str
    pairs: list[Pair]
    total: int


def galleries(found: Audit, table: ImageTable) -> list[Gallery]:
    """Pairs with two labels, then of each kind that occurs, drawn at random with a fixed seed.

    Args:
        found: what the audit found.
        table: the audited data set.
    """
    pictures: dict[int, str] = {}

    def shown(row: int) -> Shown:
        if row not in pictures:
            pictures[row] = _picture(table, row)
        side = found.sides.iloc[row]
        facts = found.facts.iloc[row]
        return Shown(pictures[row], facts["id"], facts["label"], "" if pd.isna(side) else str(side))

    def gallery(title: str, pairs: pd.DataFrame) -> Gallery:
        chosen = _chosen(pairs, found.sides)
        columns = (chosen[name] for name in ("first", "second", "turn", "correlation"))
        return Gallery(
            title,
            [
                Pair(shown(first), shown(second), f"{correlation:.3f}, {TURNS[turn]}")
                for first, second, turn, correlation in zip(*columns, strict=True)
            ],
            len(pairs),
        )

    kinds = {title: found.pairs[found.pairs["kind"].eq(kind)] for kind, title in KINDS.items()}
    wanted = {"one picture, two labels": found.conflicts, **kinds}
    return [gallery(title, pairs) for title, pairs in wanted.items() if len(pairs)]


def _chosen(pairs: pd.DataFrame, sides: pd.Series) -> pd.DataFrame:
    """Some pairs, those across sides first."""
    mixed = pairs.sample(frac=1, random_state=0)
    held = sides.to_numpy(dtype=object)
    across = held[mixed["first"]] != held[mixed["second"]]
    return pd.concat([mixed[across], mixed[~across]]).head(PAIRS)


def _picture(table: ImageTable, row: int) -> str:
    sample = table.read(table.rows.iloc[row])
    pixels, _ = prepare(sample._replace(mask=None), _SIDE, channels=3)
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(np.moveaxis(pixels, 0, -1))).save(
        buffer, format="JPEG", quality=85
    )
    return f"data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode()}"
