"""The beginning of a study: data checked, splits drawn, all written down before any training."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from medqnn.data.cache import Progress
from medqnn.errors import RecipeError, RunError
from medqnn.layers.twins import HYBRID
from medqnn.study.folder import Plan, StudyFolder
from medqnn.study.folds import Folds, Splits, make_splits, split_file, with_split
from medqnn.training import recipe as recipes
from medqnn.training.folder import cannot_write, environment
from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.leak import check_leak
from medqnn.training.plan import check_models, check_validation, data_facts
from medqnn.training.sections import Choices, Recipe


def start(
    recipe: Recipe,
    source: str,
    path: Path,
    progress: Progress | None = None,
    *,
    seeds: int,
    folds: Folds = None,
    tune: int = 0,
    margin: float,
    split: str | None = None,
    skip_bad: bool = False,
    allow_leak: bool = False,
) -> StudyFolder:
    """Check and decode the data, draw the splits, then make the study's folder.

    Args:
        recipe: What to run; its variants are the study's.
        source: Data set, see ``data.catalogue.open_table``.
        path: The folder to make; nothing is made if anything fails.
        progress: Wraps the decoding of images.
        seeds: How many, from the recipe's on.
        folds: See ``folds.make_splits``.
        tune: Trials of each variant's search.
        margin: See ``folder.Plan``.
        split: Split file of `medqnn data split`, for the set's own.
        skip_bad: Whether images that cannot be used are left out.
        allow_leak: Whether to train on splits whose sides share images.

    Raises:
        RunError: If the folder exists and is not empty, or cannot be written.
        DataError: If the data do not fit, cannot be split so, or a split leaks.
        RecipeError: If no model can be built from the recipe, or it has nothing to tune, or
            nothing to tune it on.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(
            f"{path} exists: choose another folder with --out, or go on with an unfinished study "
            f"by `medqnn study {path}`"
        )
    if len(recipe.variants) < 2 or HYBRID not in recipe.variants:
        raise RecipeError(
            f"a study of {', '.join(recipe.variants)} compares nothing: give the hybrid and a twin"
        )
    if tune:
        _check_space(recipe)
    inputs = load_inputs(recipe, source, progress, split_file=split, skip_bad=skip_bad)
    check_models(inputs.recipe, len(inputs.classes))
    splits = make_splits(inputs, folds, progress)
    for parts in splits.parts:
        check_validation(with_split(inputs, parts))
        if tune and not (parts == "val").any():
            raise RecipeError("no validation images to search on: set data.split.val above 0")
    leak = [check_leak(with_split(inputs, parts), allow_leak, progress) for parts in splits.parts]
    chosen = tuple(range(recipe.seed, recipe.seed + seeds))
    plan = Plan(inputs.recipe.variants, chosen, len(splits.parts), tune, margin)
    facts = _facts(inputs, source, plan, splits, leak, skip_bad)
    return _write(path, inputs, splits, facts)


def _check_space(recipe: Recipe) -> None:
    """Refuse to search what a recipe does not have, or what changes the data.

    Raises:
        RecipeError: If the space is empty, or names such a setting.
    """
    if not recipe.tuning:
        raise RecipeError(
            "the recipe names nothing to tune: fill its section tuning, see `medqnn recipe show`"
        )
    for key, space in recipe.tuning.items():
        if not key.startswith(("training.", "model.", "loss.")):
            raise RecipeError(f"tuning.{key}: name settings of training, model or loss")
        values = space.choices if isinstance(space, Choices) else (space.low, space.high)
        for value in values:
            recipes.changed(recipe, {key: value})


def _facts(
    inputs: Inputs,
    source: str,
    plan: Plan,
    splits: Splits,
    leak: list[str | None],
    skip_bad: bool,
) -> dict[str, Any]:
    data = data_facts(inputs, source, split_file=None, skip_bad=skip_bad, leak=None)
    return {
        "system": inputs.recipe.system,
        "plan": dataclasses.asdict(plan),
        **environment(),
        "data": data | {"split_rule": splits.rule},
        "folds": [
            {**{part: int((parts == part).sum()) for part in ("train", "val", "test")}, "leak": own}
            for parts, own in zip(splits.parts, leak, strict=True)
        ],
    }


def _write(path: Path, inputs: Inputs, splits: Splits, facts: dict[str, Any]) -> StudyFolder:
    """Write the folder beside its place, then move it there."""
    path = path.absolute()  # which has a name, even that of the working directory
    partial = StudyFolder(path.with_name(f".{path.name}.partial"))
    shutil.rmtree(partial.path, ignore_errors=True)  # a killed process left it
    text = recipes.dump(_of_split_files(inputs.recipe))
    try:
        partial.write_text("recipe.yaml", text)
        for fold, parts in enumerate(splits.parts, start=1):
            name = str(partial.split(fold).relative_to(partial.path))
            partial.write(name, _as_csv(split_file(inputs, parts, splits.group)))
        partial.write_json("study.json", facts)
        partial.path.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(partial.path, ignore_errors=True)
    return StudyFolder(path)


def _as_csv(table: pd.DataFrame) -> Callable[[Path], None]:
    return lambda file: table.to_csv(file, index=False)


def _of_split_files(recipe: Recipe) -> Recipe:
    """The recipe, told to take the split that it is given."""
    own = {"by": "given", "test_folds": (), "val_folds": ()}
    data = recipe.data.model_copy(update={"split": recipe.data.split.model_copy(update=own)})
    return recipe.model_copy(update={"data": data})
