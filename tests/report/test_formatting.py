from __future__ import annotations

import pytest

from medqnn.report.formatting import decimal, interval, p_value, percent, seconds, signed, whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (decimal(0.91249), "0.912"),
        (signed(0.05), "+0.050"),
        (signed(-0.05), "-0.050"),
        (percent(0.9648), "96.5%"),
        (seconds(36.04), "36.0"),
        (whole(1650123), "1,650,123"),
        (p_value(0.03512), "0.035"),
        (p_value(1.0), "1"),
        (p_value(0.00009), "< 0.0001"),
        (interval({"low": 0.1, "high": 0.2}), "0.100 to 0.200"),
        (interval({"low": 0.1, "high": 0.2}, percent), "10.0% to 20.0%"),
        (interval({"low": None, "high": None}), ""),
        (interval({}), ""),
    ],
)
def test_numbers_are_printed_as_said(text: str, expected: str) -> None:
    assert text == expected


def test_undefined_is_a_dash_not_a_number() -> None:
    assert {f(None) for f in (decimal, signed, percent, seconds, whole)} == {"–"}
