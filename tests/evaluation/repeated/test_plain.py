from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np

from medqnn.evaluation.repeated.plain import plain


class Point(NamedTuple):
    x: float
    y: object


def test_everything_becomes_what_json_knows() -> None:
    value = {
        "point": Point(np.float64(0.5), np.array([[1, 2], [3, 4]])),
        3: (np.nan, float("inf"), None, True, "text"),
        "array": np.array([1.0, np.nan]),
        "yes": np.bool_(True),
    }
    expected = {
        "point": {"x": 0.5, "y": [[1, 2], [3, 4]]},
        "3": [None, None, None, True, "text"],
        "array": [1.0, None],
        "yes": True,
    }
    assert plain(value) == expected
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == expected
