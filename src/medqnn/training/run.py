"""A whole run: a recipe on a data set, hybrid and twins, from pixels to scores in one folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.torch import save_file
from torch import nn

from medqnn.data.cache import Progress
from medqnn.errors import RunError
from medqnn.evaluation.predictions import write_predictions
from medqnn.layers.twins import HYBRID
from medqnn.training import recipe as recipes
from medqnn.training.assess import compare_variants, localisation, score_variant
from medqnn.training.cases import keep_failures
from medqnn.training.distributed import first, in_turn, rank, together
from medqnn.training.fit import fit
from medqnn.training.folder import RunFolder, cannot_write, save_arrays
from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.plan import pixels
from medqnn.training.predict import predict
from medqnn.training.sections import Recipe

Announce = Callable[[str], None]


def proceed(
    folder: RunFolder, progress: Progress | None = None, announce: Announce = lambda _: None
) -> None:
    """Train and score what a run still lacks; a variant that is done is left alone.

    Raises:
        RunError: If the data have changed since the run began, or a file cannot be written.
    """
    data, recipe = first(lambda: folder.facts()["data"]), _recipe_of_all(folder)
    own = {"split_file": data["split_file"], "skip_bad": data["skip_bad"]}
    inputs = in_turn(lambda: load_inputs(recipe, data["source"], progress, **own))
    split = first(lambda: (data["fingerprint"], inputs.split.tolist()))
    together(lambda: _require_same(inputs, *split, folder))
    train(folder, inputs, announce)


def _require_same(inputs: Inputs, fingerprint: str, split: list[str], folder: RunFolder) -> None:
    """Compare data with those that the run began with, and the split with the first process's."""
    if inputs.decoded.fingerprint != fingerprint:
        raise RunError(
            f"the data of {folder.path} have changed since it began: put them back, or start a "
            "new run"
        )
    if inputs.split.tolist() != split:
        raise RunError("the data are split otherwise here: give all machines the same split file")


def train(
    folder: RunFolder,
    inputs: Inputs,
    announce: Announce = lambda _: None,
    *,
    bar: bool = True,
) -> None:
    """Train and score what a run still lacks, on data that are loaded.

    Raises:
        RunError: If a file cannot be written, or training diverges.
        KeyboardInterrupt: If interrupted; the run can go on later.
    """
    recipe = _recipe_of_all(folder)
    first(lambda: folder.mark("running"))
    try:
        for variant in recipe.variants:
            if first(partial(_lacks, folder, variant, announce)):
                _run_variant(recipe, variant, inputs, folder, bar)
        first(lambda: folder.write_json("comparisons.json", _comparisons(recipe, folder)))
    except OSError as error:
        raise cannot_write(folder.path, error) from error
    except (KeyboardInterrupt, SystemExit) as error:  # Lightning turns Ctrl-C into an exit
        if rank() == 0:
            folder.mark("interrupted")
        raise KeyboardInterrupt from error
    first(lambda: folder.mark("complete"))


def _recipe_of_all(folder: RunFolder) -> Recipe:
    """The run's recipe in every process, on machines without the folder too."""
    return recipes.validate(first(lambda: recipe_of(folder).model_dump(mode="json")))


def _lacks(folder: RunFolder, variant: str, announce: Announce) -> bool:
    """Whether a variant is to be trained, which is announced."""
    lacks = not (folder.path / variant / "metrics.json").is_file()
    if lacks:
        announce(variant)
    return lacks


def recipe_of(folder: RunFolder) -> Recipe:
    """The recipe that a run was started with."""
    return recipes.load(str(folder.path / "recipe.yaml"))


def _run_variant(
    recipe: Recipe, variant: str, inputs: Inputs, folder: RunFolder, bar: bool
) -> None:
    path = first(lambda: _variant_folder(folder, variant))
    model = fit(recipe, variant, inputs, path, bar=bar)
    first(lambda: _assess_variant(recipe, variant, inputs, folder, model))


def _assess_variant(
    recipe: Recipe, variant: str, inputs: Inputs, folder: RunFolder, model: nn.Module
) -> None:
    """Write a trained model, its predictions and their scores."""
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    folder.write(f"{variant}/model.safetensors", lambda file: save_file(weights, file))
    _predict_variant(recipe, variant, inputs, folder, model)
    scores = score_variant(folder, variant, recipe.evaluation, recipe.seed)
    folder.write_json(f"{variant}/metrics.json", scores | _training_facts(folder, variant, model))


def _predict_variant(
    recipe: Recipe, variant: str, inputs: Inputs, folder: RunFolder, model: nn.Module
) -> None:
    """Write predictions of the validation and test parts, failures, and any attention on test."""
    rows, test = inputs.rows("test"), predict(model, inputs, "test")
    write_predictions(folder.path / variant / "predictions.csv", test.predictions)
    if len(inputs.rows("val")):
        validation = predict(model, inputs, "val").predictions
        write_predictions(folder.path / variant / "validation.csv", validation)
    keep_failures(folder, variant, test.predictions, lambda own: pixels(inputs, rows[own]))
    if test.attention is None:
        return
    arrays = {"ids": test.predictions.ids, "maps": test.attention}
    folder.write(f"{variant}/attention.npz", lambda file: save_arrays(file, **arrays))
    masks = inputs.decoded.masks[rows] > 0
    indices = localisation(test.predictions, test.attention, masks, recipe.evaluation)
    folder.write(f"{variant}/localisation.csv", lambda file: indices.to_csv(file, index=False))


def _training_facts(folder: RunFolder, variant: str, model: nn.Module) -> dict[str, Any]:
    history = pd.read_csv(folder.path / variant / "history.csv")
    kept = history["val_loss"].argmin() if "val_loss" in history else len(history) - 1
    return {
        "parameters": _count(model),
        "head_parameters": _count(model.get_submodule("head")),
        "epochs": len(history),
        "best_epoch": int(history["epoch"].iloc[kept]),
        "seconds_per_epoch": float(history["seconds"].median()),
    }


def _count(module: nn.Module) -> int:
    """Trainable weights (a frozen twin's circuit has none)."""
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def _comparisons(recipe: Recipe, folder: RunFolder) -> list[dict[str, Any]]:
    """The hybrid against each twin; without it, the first variant against the others."""
    first = HYBRID if HYBRID in recipe.variants else recipe.variants[0]
    return [
        compare_variants(folder, first, twin, recipe.evaluation, recipe.seed)
        for twin in recipe.variants
        if twin != first
    ]


def _variant_folder(folder: RunFolder, variant: str) -> Path:
    path = folder.path / variant
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder.path, error) from error
    return path
