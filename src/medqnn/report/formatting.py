"""Numbers as the report prints them. What is undefined (None) is an en dash."""

from __future__ import annotations

from collections.abc import Callable, Mapping

UNDEFINED = "–"


def decimal(value: float | None) -> str:
    """Three decimals."""
    return UNDEFINED if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """Three decimals and the sign."""
    return UNDEFINED if value is None else f"{value:+.3f}"


def percent(value: float | None) -> str:
    """A fraction in per cent, one decimal."""
    return UNDEFINED if value is None else f"{value:.1%}"


def seconds(value: float | None) -> str:
    """One decimal."""
    return UNDEFINED if value is None else f"{value:.1f}"


def whole(value: int | None) -> str:
    """An integer with thousands separated."""
    return UNDEFINED if value is None else f"{value:,}"


def p_value(p: float) -> str:
    """Two significant digits; below 0.0001 only that."""
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def interval(
    record: Mapping[str, float | None], text: Callable[[float | None], str] = decimal
) -> str:
    """Low and high of a record of `medqnn.evaluation`; empty where it has none."""
    low, high = record.get("low"), record.get("high")
    return "" if low is None or high is None else f"{text(low)} to {text(high)}"
