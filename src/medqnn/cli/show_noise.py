"""How noisy devices look in a terminal, within 100 columns."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd
from rich.table import Table

from medqnn.cli.show import console, interval, number
from medqnn.training.assess import finite
from medqnn.under_noise.results import (
    ACCURACY,
    CURVE,
    DIFFERENCE,
    WORDS,
    Results,
    no_better,
    shot_curves,
)
from medqnn.under_noise.settings import EXACT


def show_noise(results: Results) -> None:
    """Accuracy on each device, how far the circuits' values are off, and accuracy by shots."""
    found, about = results
    console.print(_on_devices(found, about))
    console.print(_by_shots(found, about))
    if about["trained_for"]:
        console.print(f"The circuits were trained under the noise of {about['trained_for']}.")
    console.print(
        f"Always giving the commonest answer would be right on {about['baseline']:.1%}. Noise is "
        "simulated from published calibration figures; docs/noise.md tells what is left out."
    )
    for name in no_better(results):
        console.print(
            f"{name} is not surely better without noise than the commonest answer, so what it "
            "keeps under noise says nothing.",
            style="bold",
        )


def _on_devices(found: pd.DataFrame, about: dict[str, Any]) -> Table:
    unit = "patients" if about["patients_known"] else "images"
    table = Table(
        title=f"Accuracy without shot noise, {about['images']} test images; 95% interval by {unit}"
    )
    table.add_column("network")
    table.add_column("circuits run on", no_wrap=True)
    for head in ("accuracy", "minus exact, points", "AUROC", "off by"):
        table.add_column(head, justify="right")
    for name, own in found[found["shots"].isna()].groupby("variant", sort=False):
        for place, row in enumerate(own.to_dict("records")):
            cells = [_ends(row, ACCURACY), "", number(finite(row["auroc"])), ""]
            if row["device"] != EXACT:
                cells[1] = _ends(row, DIFFERENCE, 100, "+.1f")
                cells[3] = f"{row['deviation']:.4f}"
            where = _where(row["device"], row["mitigation"], about["circuits"][name])
            table.add_row("" if place else str(name), where, *cells)
        table.add_section()
    return table


def _by_shots(found: pd.DataFrame, about: dict[str, Any]) -> Table:
    draws = about["options"]["draws"]
    table = Table(title=f"Accuracy by shots, mean of {draws} draws ± their SD; ∞: no shot noise")
    table.add_column("network")
    table.add_column("circuits run on", no_wrap=True)
    for count in (*about["options"]["shots"], "∞"):
        table.add_column(str(count), justify="right")
    for name, curves in shot_curves(found).groupby("variant", sort=False):
        for place, (_, own) in enumerate(curves.groupby(CURVE, sort=False)):
            rows = own.to_dict("records")
            device, mitigation = rows[0]["device"], rows[0]["mitigation"]
            where = "no noise" if device == EXACT else _where(device, mitigation, None)
            table.add_row("" if place else str(name), where, *map(_with_spread, rows))
        table.add_section()
    return table


def _where(device: str, mitigation: str, circuits: int | None) -> str:
    """A device, below it the same with mitigation; or what stands for one."""
    if device == EXACT:
        return "no circuits" if circuits is None else "exact simulation"
    return device if mitigation == "none" else f"  {WORDS[mitigation]}"


def _with_spread(row: dict[Hashable, Any]) -> str:
    spread = "" if pd.isna(row["sd"]) else f" ±{row['sd']:.3f}".replace("0.", ".")
    return f"{row['accuracy']:.3f}{spread}"


def _ends(row: dict[Hashable, Any], columns: list[str], scale: int = 1, form: str = ".3f") -> str:
    """An estimate with its interval, where it has one."""
    values = [finite(scale * row[column]) for column in columns]
    return interval(dict(zip(("estimate", "low", "high"), values, strict=True)), form)
