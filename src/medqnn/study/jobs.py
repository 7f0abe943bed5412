"""The trainings that a study consists of: what a worker is told to do, alone with the folder.

A worker keeps the data of the last fold that it trained on, so that loading costs once.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from medqnn.errors import RunError
from medqnn.study.folder import TUNED, Cell, StudyFolder
from medqnn.study.search import search
from medqnn.training import recipe as recipes
from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.plan import begin, data_facts
from medqnn.training.run import train
from medqnn.training.sections import Recipe


class Job(Protocol):
    """Something to do that can be done again after an interruption without doing it twice."""

    @property
    def name(self) -> str:
        """What it is called."""

    def done(self, study: StudyFolder) -> bool:
        """Whether it was done."""

    def do(self, study: StudyFolder) -> None:
        """Do it, or what is left of it."""

    def steps(self, study: StudyFolder) -> int:
        """Of how many steps it consists, at most."""

    def history(self, study: StudyFolder) -> Path:
        """The file that tells of its steps, a line each below the heads, once there are any."""


@dataclass(frozen=True)
class TrainCell:
    """Train, predict and score one cell.

    Attributes:
        cell: Which.
    """

    cell: Cell

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.cell.name

    def done(self, study: StudyFolder) -> bool:
        """Whether its run is complete."""
        return study.complete(self.cell)

    def do(self, study: StudyFolder) -> None:
        """Begin its run, or go on with it."""
        cell, folder = self.cell, study.run(self.cell)
        inputs, data = fold_data(study.path, cell.fold)
        inputs = replace(inputs, recipe=cell_recipe(study, cell))
        if not (folder.path / "run.json").is_file():
            begin(inputs, data, folder.path)
        train(folder, inputs, bar=False)
        shutil.rmtree(folder.path / cell.variant / "checkpoints", ignore_errors=True)

    def steps(self, study: StudyFolder) -> int:
        """Epochs of the recipe."""
        return study.recipe().training.epochs

    def history(self, study: StudyFolder) -> Path:
        """The run's history."""
        return study.run(self.cell).path / self.cell.variant / "history.csv"


@dataclass(frozen=True)
class Search:
    """Search the recipe of one variant on one fold, on its validation part alone.

    Attributes:
        variant: ``hybrid`` or a twin.
        fold: Number of the split.
    """

    variant: str
    fold: int

    @property
    def name(self) -> str:
        """The search's name."""
        return f"tune-{self.variant}-fold{self.fold}"

    def done(self, study: StudyFolder) -> bool:
        """Whether its result is written."""
        return self.result(study).is_file()

    def do(self, study: StudyFolder) -> None:
        """Go through the trials that are left."""
        inputs, _ = fold_data(study.path, self.fold)
        folder = self.result(study).with_suffix("")
        found = search(study.recipe(), self.variant, inputs, study.plan().tune, folder)
        study.write_json(str(self.result(study).relative_to(study.path)), found)
        shutil.rmtree(folder)

    def steps(self, study: StudyFolder) -> int:
        """Trials."""
        return study.plan().tune

    def history(self, study: StudyFolder) -> Path:
        """The trials so far."""
        return self.result(study).with_suffix("") / "trials.csv"

    def result(self, study: StudyFolder) -> Path:
        """The file of what was found."""
        return study.path / "tuning" / f"{self.variant}-fold{self.fold}.json"


def cell_recipe(study: StudyFolder, cell: Cell) -> Recipe:
    """A cell's recipe: the study's, its seed and variant, and what the search found if tuned."""
    settings: dict[str, Any] = {"seed": cell.seed, "variants": [cell.variant]}
    if cell.recipe == TUNED:
        found = json.loads(Search(cell.variant, cell.fold).result(study).read_text("utf-8"))
        settings |= found["chosen"]
    return recipes.changed(study.recipe(), settings)


@lru_cache(maxsize=1)
def fold_data(path: Path, fold: int) -> tuple[Inputs, dict[str, Any]]:
    """The data of a fold, and what its runs say of them.

    Raises:
        RunError: If the data have changed since the study began.
    """
    study = StudyFolder(path)
    facts = study.facts()
    data = facts["data"]
    given = {"split_file": str(study.split(fold)), "skip_bad": data["skip_bad"]}
    inputs = load_inputs(study.recipe(), data["source"], **given)
    if inputs.decoded.fingerprint != data["fingerprint"]:
        raise RunError(
            f"the data of {path} have changed since it began: put them back, or start a new study"
        )
    leak = facts["folds"][fold - 1]["leak"]
    return inputs, data_facts(inputs, data["source"], leak=leak, **given)
