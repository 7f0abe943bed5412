"""The study's folder: its plan, its splits, its runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from medqnn.errors import RunError
from medqnn.training import recipe as recipes
from medqnn.training.folder import Folder, RunFolder
from medqnn.training.sections import Recipe

SHARED, TUNED = "shared", "tuned"


class Cell(NamedTuple):
    """One run of a study.

    Attributes:
        recipe: "shared", the study's recipe, the same for all variants; or "tuned", what a search
            of the same budget found for this variant on this fold.
        variant: ``hybrid`` or a twin.
        fold: Number of the split, from 1.
        seed: Of the weights and of the order of images.
    """

    recipe: str
    variant: str
    fold: int
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        tuned = "tuned-" if self.recipe == TUNED else ""
        return f"{tuned}{self.variant}-fold{self.fold}-seed{self.seed}"


@dataclass(frozen=True)
class Plan:
    """What a study consists of.

    Attributes:
        variants: ``hybrid`` and twins.
        seeds: One run each.
        folds: Number of splits.
        tune: Trials of each search; 0 for no tuned recipes.
        margin: Differences in accuracy smaller than that count as none; a share, not points.
    """

    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    folds: int
    tune: int
    margin: float

    def cells(self, recipe: str) -> list[Cell]:
        """The runs of one recipe; those that are compared with each other next to each other."""
        return [
            Cell(recipe, variant, fold, seed)
            for seed in self.seeds
            for fold in range(1, self.folds + 1)
            for variant in self.variants
        ]


class StudyFolder(Folder):
    """A study's files.

    ``study.json`` holds the plan and the facts, ``recipe.yaml`` the recipe, ``splits/`` a file a
    fold, ``tuning/`` the searches, ``runs/`` one run folder a cell, and the study's results stand
    beside them.
    """

    KIND = "study"
    MAKER = "medqnn study"

    def facts(self) -> dict[str, Any]:
        """What ``study.json`` says.

        Raises:
            RunError: If this is no study's folder.
        """
        facts = self.read_json("study.json")
        if not (isinstance(facts, dict) and {"plan", "data", "folds"} <= facts.keys()):
            raise RunError(f"{self.path / 'study.json'} tells of no study: give a study's folder")
        return facts

    def plan(self) -> Plan:
        """The study's plan."""
        given = self.facts()["plan"]
        lists = {key: tuple(given[key]) for key in ("variants", "seeds")}
        return Plan(**{**given, **lists})

    def recipe(self) -> Recipe:
        """The recipe that all variants share."""
        return recipes.load(str(self.path / "recipe.yaml"))

    def split(self, fold: int) -> Path:
        """The split file of a fold."""
        return self.path / "splits" / f"fold-{fold}.csv"

    def run(self, cell: Cell) -> RunFolder:
        """The run folder of a cell, whether there is one or not."""
        return RunFolder(self.path / "runs" / cell.name)

    def complete(self, cell: Cell) -> bool:
        """Whether a cell's run is whole."""
        folder = self.run(cell)
        return (folder.path / "run.json").is_file() and folder.facts()["status"] == "complete"


def is_study(path: Path) -> bool:
    """Whether a folder is a study's."""
    return (path / "study.json").is_file()
