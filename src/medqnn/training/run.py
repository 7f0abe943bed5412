"""A whole run: a recipe on a data set, hybrid and twins, from pixels to scores in one folder."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import nn

from medqnn.data.cache import Progress
from medqnn.errors import RecipeError, RunError
from medqnn.evaluation.predictions import write_predictions
from medqnn.layers.twins import HYBRID
from medqnn.training import recipe as recipes
from medqnn.training.assess import compare_variants, localisation, score_variant
from medqnn.training.fit import build_model, fit
from medqnn.training.folder import RunFolder, cannot_write, environment
from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.predict import predict
from medqnn.training.recipe import Recipe

GALLERY = 4  # training images of each class that the report shows
PANELS = 3  # test images of each class that the report explains

Announce = Callable[[str], None]


def start(recipe: Recipe, source: str, path: Path, progress: Progress | None = None) -> RunFolder:
    """Check and decode the data, then make the run folder; nothing is made if that fails.

    Args:
        recipe: What to run.
        source: Data set, see ``data.catalogue.open_table``.
        path: The folder to make.
        progress: Wraps the decoding of images.

    Raises:
        RunError: If the folder exists and is not empty, or cannot be written.
        DataError: If the data do not fit.
        RecipeError: If no model can be built from the recipe.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(
            f"{path} exists: choose another folder with --out, or go on with an interrupted run "
            f"by `medqnn train {path}`"
        )
    inputs = load_inputs(recipe, source, progress)
    _check_model(recipe, len(inputs.classes))
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # a killed process left it
    try:
        _write_plan(RunFolder(partial), recipe, source, inputs)
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return RunFolder(path)


def _write_plan(folder: RunFolder, recipe: Recipe, source: str, inputs: Inputs) -> None:
    """Write all that is known before training."""
    text = recipes.dump(recipe)
    folder.write("recipe.yaml", lambda file: file.write_text(text, encoding="utf-8"))
    folder.write("split.csv", lambda file: _split_table(inputs).to_csv(file, index=False))
    folder.write("gallery.npz", lambda file: _save(file, **_gallery(inputs)))
    folder.write("panels.npz", lambda file: _save(file, **_panels(inputs)))
    facts = {
        "status": "running",
        "system": recipe.system,
        "variants": list(recipe.variants),
        "seed": recipe.seed,
        **environment(),
        "data": inputs.facts(_anywhere(source, inputs)),
    }
    folder.write_json("run.json", facts)


def proceed(
    folder: RunFolder, progress: Progress | None = None, announce: Announce = lambda _: None
) -> None:
    """Train and score what a run still lacks; a variant that is done is left alone.

    Raises:
        RunError: If the data have changed since the run began, or a file cannot be written.
    """
    facts = folder.facts()
    recipe = recipe_of(folder)
    inputs = load_inputs(recipe, facts["data"]["source"], progress)
    if inputs.decoded.fingerprint != facts["data"]["fingerprint"]:
        raise RunError(
            f"the data of {folder.path} have changed since it began: put them back, or start a "
            "new run"
        )
    folder.mark("running")
    try:
        for variant in recipe.variants:
            if not (folder.path / variant / "metrics.json").is_file():
                announce(variant)
                _run_variant(recipe, variant, inputs, folder)
        folder.write_json("comparisons.json", _comparisons(recipe, folder))
    except OSError as error:
        raise cannot_write(folder.path, error) from error
    except (KeyboardInterrupt, SystemExit) as error:  # Lightning turns Ctrl-C into an exit
        folder.mark("interrupted")
        raise KeyboardInterrupt from error
    folder.mark("complete")


def _check_model(recipe: Recipe, classes: int) -> None:
    """Build and try every variant, so that what cannot be trained is never begun."""
    size = recipe.data.image_size
    images = torch.zeros(2, recipe.data.channels, size, size)
    for variant in recipe.variants:
        try:
            with torch.inference_mode(), warnings.catch_warnings(action="ignore"):
                build_model(recipe, variant, classes)(images)
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise RecipeError(
                f"no {variant} model can be built from the recipe's model section ({reason}): "
                "see `medqnn recipe show`"
            ) from error


def _anywhere(source: str, inputs: Inputs) -> str:
    """The data's name as it holds in any working directory."""
    return source if inputs.table.synthetic else str(Path(source).expanduser().absolute())


def recipe_of(folder: RunFolder) -> Recipe:
    """The recipe that a run was started with."""
    return recipes.load(str(folder.path / "recipe.yaml"))


def _run_variant(recipe: Recipe, variant: str, inputs: Inputs, folder: RunFolder) -> None:
    model = fit(recipe, variant, inputs, _variant_folder(folder, variant))
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    folder.write(f"{variant}/model.safetensors", lambda file: save_file(weights, file))
    _predict_variant(recipe, variant, inputs, folder, model)
    scores = score_variant(folder, variant, recipe.evaluation, recipe.seed)
    folder.write_json(f"{variant}/metrics.json", scores | _training_facts(folder, variant, model))


def _predict_variant(
    recipe: Recipe, variant: str, inputs: Inputs, folder: RunFolder, model: nn.Module
) -> None:
    """Write predictions of the validation and test parts, and the test images' attention."""
    validation, test = predict(model, inputs, "val"), predict(model, inputs, "test")
    for name, outputs in (("validation", validation), ("predictions", test)):
        write_predictions(folder.path / variant / f"{name}.csv", outputs.predictions)
    ids = test.predictions.ids
    folder.write(f"{variant}/attention.npz", lambda file: _save(file, ids=ids, maps=test.attention))
    masks = inputs.decoded.masks[inputs.rows("test")] > 0
    indices = localisation(test.predictions, test.attention, masks, recipe.evaluation)
    folder.write(f"{variant}/localisation.csv", lambda file: indices.to_csv(file, index=False))


def _training_facts(folder: RunFolder, variant: str, model: nn.Module) -> dict[str, Any]:
    history = pd.read_csv(folder.path / variant / "history.csv")
    return {
        "parameters": _count(model),
        "head_parameters": _count(model.get_submodule("head")),
        "epochs": len(history),
        "best_epoch": int(history["epoch"].iloc[history["val_loss"].argmin()]),
        "seconds_per_epoch": float(history["seconds"].median()),
    }


def _count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


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


def _split_table(inputs: Inputs) -> pd.DataFrame:
    table = inputs.table.rows[["id", "label", "patient"]]
    return table.assign(part=inputs.split.to_numpy())


def _gallery(inputs: Inputs) -> dict[str, np.ndarray]:
    """A few training images of each class, evenly spaced over the part."""
    rows = _spread(inputs, "train", GALLERY)
    return _pixels(inputs, rows) | {"labels": inputs.table.rows["label"].to_numpy(str)[rows]}


def _panels(inputs: Inputs) -> dict[str, np.ndarray]:
    """Test images of each class for the attention panels: chosen before any model is trained."""
    rows = _spread(inputs, "test", PANELS)
    return _pixels(inputs, rows) | {"ids": inputs.table.rows["id"].to_numpy(str)[rows]}


def _spread(inputs: Inputs, part: str, each: int) -> np.ndarray:
    rows = inputs.rows(part)
    chosen = []
    for label in range(len(inputs.classes)):
        own = rows[inputs.labels[rows] == label]
        chosen.append(own[np.linspace(0, len(own) - 1, min(each, len(own))).astype(int)])
    return np.concatenate(chosen)


def _pixels(inputs: Inputs, rows: np.ndarray) -> dict[str, np.ndarray]:
    return {"images": inputs.decoded.images[rows][:, 0], "masks": inputs.decoded.masks[rows]}


def _save(path: Path, **arrays: np.ndarray) -> None:
    with path.open("wb") as file:  # an open file keeps NumPy from adding .npz to the name
        np.savez_compressed(file, allow_pickle=False, **arrays)
