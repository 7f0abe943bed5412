from __future__ import annotations

import pytest

from medqnn.cli.show import decoding, interval


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        ({"estimate": 0.9116, "low": 0.8804, "high": 0.9405}, "0.912 (0.880 to 0.941)"),
        ({"estimate": 0.5, "low": None, "high": None}, "0.500"),
        ({"estimate": None, "low": None, "high": None}, "–"),
        ({"estimate": 0.0, "low": 0.0, "high": 0.0}, "0.000 (0.000 to 0.000)"),
    ],
)
def test_interval_in_words(score: dict, shown: str) -> None:
    assert interval(score) == shown


def test_progress_bar_lets_every_item_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(decoding(iter("abc"), 3)) == ["a", "b", "c"]
    assert "reading images" in capsys.readouterr().out
