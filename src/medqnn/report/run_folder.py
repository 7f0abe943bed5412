"""Read a finished run folder: the only thing that a report is made from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import yaml

from medqnn.data.table import NO_FINDING, indicators
from medqnn.errors import EvaluationError, RunError
from medqnn.evaluation.predictions import AnyPredictions, read_predictions
from medqnn.training.folder import RunFolder

Content = TypeVar("Content")
HISTORY = ("epoch", "train_loss", "train_accuracy")


@dataclass(frozen=True)
class Variant:
    """What one trained network of a run left behind.

    Attributes:
        name: "hybrid", "dense", …
        metrics: `medqnn.evaluation.evaluate.evaluate` and the costs of training.
        history: one row an epoch; columns `HISTORY` at least; those of validation if there was any.
        predictions: of the test images.
        attention: arrays ids (n,) and maps (n, h, w), logits; None if the network has none.
        localisation: Jaccard indices by column for each test image that shows a tumour.
        failures: arrays ids (k,), images uint8 (k, H, W) or (k, H, W, 3) and masks of the surest
            errors; None if not kept.
    """

    name: str
    metrics: dict[str, Any]
    history: pd.DataFrame
    predictions: AnyPredictions
    attention: dict[str, np.ndarray] | None
    localisation: dict[str, dict[str, Any]]
    failures: dict[str, np.ndarray] | None


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        folder: where it lies.
        facts: run.json, of paths their last part.
        recipe: the resolved recipe as text.
        about: the recipe's `about`: title, paper, published figures; empty if it has none.
        split: one row an image; columns id, label (class name, or findings), patient, part.
        gallery: arrays images uint8 (k, H, W) or (k, H, W, 3), masks (k, H, W) and labels (k,), a
            class or finding; None if not kept.
        panels: arrays ids (m,), images and masks likewise; None if not kept.
        comparisons: of the hybrid with each twin; empty for one variant alone.
        variants: in the order of the recipe.
    """

    folder: Path
    facts: dict[str, Any]
    recipe: str
    about: dict[str, Any]
    split: pd.DataFrame
    gallery: dict[str, np.ndarray] | None
    panels: dict[str, np.ndarray] | None
    comparisons: list[dict[str, Any]]
    variants: list[Variant]

    @property
    def classes(self) -> list[str]:
        """Class names in the order of the labels."""
        return list(self.facts["data"]["classes"])

    @property
    def multilabel(self) -> bool:
        """Whether the classes are findings that may occur together."""
        return bool(self.facts["data"].get("multilabel"))  # older runs lack it

    def by_class(self) -> dict[str, pd.DataFrame]:
        """The split's rows of each class; an image stands under each finding that it shows."""
        shown = indicators(self.split["label"], self.multilabel)
        names = [*self.classes, NO_FINDING] if self.multilabel else self.classes
        shown = shown.reindex(columns=names, fill_value=False)  # a class may lack images
        return {name: self.split[shown[name]] for name in names}


def read_run(folder: Path) -> Run:
    """Read what a report needs.

    Raises:
        RunError: if the folder is no run, the run is not complete, or a file is missing or broken.
    """
    facts = without_paths(RunFolder(folder).require_complete())
    return Run(
        folder=folder,
        facts=facts,
        recipe=_read(folder / "recipe.yaml", _text),
        about=_read(folder / "recipe.yaml", _about),
        split=_read(folder / "split.csv", _text_table),
        gallery=_read_if_there(folder / "gallery.npz", _arrays),
        panels=_read_if_there(folder / "panels.npz", _arrays),
        comparisons=_read_if_there(folder / "comparisons.json", _json) or [],
        variants=[_variant(folder / name) for name in facts["variants"]],
    )


def without_paths(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts of a run or study with the data's file names alone: a page goes further than a disk."""
    data = facts["data"]
    names = {key: Path(data[key]).name for key in ("source", "split_file") if data.get(key)}
    return facts | {"data": data | names}


def _variant(folder: Path) -> Variant:
    return Variant(
        name=folder.name,
        metrics=_read(folder / "metrics.json", _json),
        history=_read(folder / "history.csv", _history),
        predictions=_read(folder / "predictions.csv", read_predictions),
        attention=_read_if_there(folder / "attention.npz", _arrays),
        localisation=_read_if_there(folder / "localisation.csv", _localisation) or {},
        failures=_read_if_there(folder / "failures.npz", _arrays),
    )


def _read(path: Path, parse: Callable[[Path], Content]) -> Content:
    try:
        return parse(path)
    except (OSError, ValueError, BadZipFile, yaml.YAMLError, EvaluationError) as error:
        reason = " ".join(str(error).split())
        raise RunError(
            f"{path} is missing or broken ({reason}): the run is not whole, train it again"
        ) from error


def _read_if_there(path: Path, parse: Callable[[Path], Content]) -> Content | None:
    return _read(path, parse) if path.exists() else None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _json(path: Path) -> Any:
    return json.loads(_text(path))


def _about(path: Path) -> dict[str, Any]:
    recipe = yaml.safe_load(_text(path))
    return dict((recipe or {}).get("about") or {})


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def _text_table(path: Path) -> pd.DataFrame:
    """Every cell as text, so that an id such as 007 or NA stays what it is."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _localisation(path: Path) -> dict[str, dict[str, Any]]:
    text = {"id": str, "patient": str, "label": str}
    table = pd.read_csv(path, dtype=text, keep_default_na=False)
    return dict(zip(table["id"], table.to_dict("records"), strict=True))


def _history(path: Path) -> pd.DataFrame:
    history = pd.read_csv(path)
    missing = [name for name in HISTORY if name not in history]
    if missing:
        raise ValueError(f"no column {', '.join(missing)}")
    return history
