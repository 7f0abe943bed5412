"""The beginning of a run: everything checked and written down before training."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from medqnn.circuits.noise.exact import MAX_QUBITS
from medqnn.data.cache import Progress
from medqnn.errors import RecipeError, RunError
from medqnn.layers.evaluated import quantum_layers
from medqnn.training import recipe as recipes
from medqnn.training.cases import ATTRIBUTES, attribute_table
from medqnn.training.fit import build_model
from medqnn.training.folder import RunFolder, cannot_write, environment, save_arrays
from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.leak import check_leak
from medqnn.training.optimizers import build_optimizer
from medqnn.training.sections import Recipe

GALLERY = 4  # training images of each class that the report shows
PANELS = 3  # test images of each class that the report explains


def start(
    recipe: Recipe,
    source: str,
    path: Path,
    progress: Progress | None = None,
    *,
    split_file: str | None = None,
    skip_bad: bool = False,
    allow_leak: bool = False,
) -> RunFolder:
    """Check and decode the data, then make the run folder; nothing is made if that fails.

    Args:
        recipe: What to run.
        source: Data set, see ``data.catalogue.open_table``.
        path: The folder to make.
        progress: Wraps the decoding of images.
        split_file: See ``load_inputs``.
        skip_bad: See ``load_inputs``.
        allow_leak: Whether to train on a split whose sides share images.

    Raises:
        RunError: If the folder exists and is not empty, or cannot be written.
        DataError: If the data do not fit, or the split leaks.
        RecipeError: If no model can be built from the recipe.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(
            f"{path} exists: choose another folder with --out, or go on with an interrupted run "
            f"by `medqnn train {path}`"
        )
    inputs = load_inputs(recipe, source, progress, split_file=split_file, skip_bad=skip_bad)
    data = data_facts(
        inputs,
        source,
        split_file=split_file,
        skip_bad=skip_bad,
        leak=check_leak(inputs, allow_leak, progress),
    )
    return begin(inputs, data, path)


def data_facts(
    inputs: Inputs, source: str, *, split_file: str | None, skip_bad: bool, leak: str | None
) -> dict[str, Any]:
    """What a run says of its data, and how to load them again from any working directory."""
    return inputs.facts(_anywhere(source, inputs)) | {
        "split_file": split_file and str(Path(split_file).expanduser().absolute()),
        "skip_bad": skip_bad,
        "leak": leak,
    }


def begin(inputs: Inputs, data: dict[str, Any], path: Path) -> RunFolder:
    """Make the run folder of data that are loaded and checked; see `start`.

    Args:
        inputs: The data, and the recipe to run.
        data: What `data_facts` says of them.
        path: The folder to make; there is none, or an empty one.

    Raises:
        RunError: If it cannot be written.
        RecipeError: If no model can be built from the recipe.
    """
    check_validation(inputs)
    attends = check_models(inputs.recipe, len(inputs.classes))
    path = path.absolute()  # which has a name, even that of the working directory
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # a killed process left it
    try:
        _write_plan(RunFolder(partial), inputs, data, attends)
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return RunFolder(path)


def _write_plan(folder: RunFolder, inputs: Inputs, data: dict[str, Any], attends: bool) -> None:
    """Write all that is known before training."""
    recipe = inputs.recipe
    text = recipes.dump(recipe)
    folder.write_text("recipe.yaml", text)
    folder.write("split.csv", lambda file: _split_table(inputs).to_csv(file, index=False))
    folder.write("gallery.npz", lambda file: save_arrays(file, **_gallery(inputs)))
    attributes = attribute_table(inputs)
    if len(attributes.columns) > 1:
        folder.write(ATTRIBUTES, lambda file: attributes.to_csv(file, index=False))
    if inputs.skipped:
        skipped = pd.DataFrame(inputs.skipped)
        folder.write("skipped.csv", lambda file: skipped.to_csv(file, index=False))
    if attends:
        folder.write("panels.npz", lambda file: save_arrays(file, **_panels(inputs)))
    facts = {
        "status": "running",
        "system": recipe.system,
        "variants": list(recipe.variants),
        "seed": recipe.seed,
        "trained_under": recipe.noise and recipe.noise.title,
        **environment(),
        "data": data,
    }
    folder.write_json("run.json", facts)


def check_validation(inputs: Inputs) -> None:
    """Refuse to watch the loss of a validation part that is not there.

    Raises:
        RecipeError: If the plateau or early stopping would.
    """
    spec = inputs.recipe.training
    watched = {"plateau_patience": spec.plateau_patience, "early_stopping": spec.early_stopping}
    keys = [key for key, value in watched.items() if value is not None]
    if keys and not len(inputs.rows("val")):
        raise RecipeError(
            f"the split has no validation images, whose loss training.{keys[0]} watches: set "
            + " and ".join(f"training.{key}=null" for key in keys)
            + ", or data.split.val above 0"
        )


def check_models(recipe: Recipe, classes: int) -> bool:
    """Build and try every variant, so that what cannot be trained is never begun.

    Returns:
        Whether the models have attention maps.
    """
    size, channels = recipe.data.image_size, recipe.data.channels
    images = torch.zeros(2, int(channels), size, size)
    for variant in recipe.variants:
        try:
            with warnings.catch_warnings(action="ignore"):
                model = build_model(recipe, variant, classes)
                with torch.inference_mode():
                    output = model(images)
            check_noise(recipe, model)
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise RecipeError(
                f"no {variant} model can be built from the recipe's model section ({reason}): "
                "see `medqnn recipe show`"
            ) from error
    attends = output.attention is not None
    if recipe.loss.attention is not None and not attends:
        raise RecipeError(
            f"{recipe.system} has no attention that could be trained: set loss.attention=null"
        )
    build_optimizer(recipe.training, [nn.Parameter(torch.zeros(1))])
    return attends


def check_noise(recipe: Recipe, model: nn.Module) -> None:
    """Refuse circuits that are too wide to be trained under noise.

    Raises:
        RecipeError: If the recipe names a device and such a circuit.
    """
    widest = max((layer.circuit.qubits for layer in quantum_layers(model)), default=0)
    if recipe.noise is not None and widest > MAX_QUBITS:
        raise RecipeError(
            f"a circuit of {widest} qubits cannot be trained under noise: give at most "
            f"{MAX_QUBITS}, or set noise=null"
        )


def _anywhere(source: str, inputs: Inputs) -> str:
    """The data's name as it holds in any working directory."""
    return source if inputs.table.synthetic else str(Path(source).expanduser().absolute())


def _split_table(inputs: Inputs) -> pd.DataFrame:
    table = inputs.table.rows[["id", "label", "patient"]]
    return table.assign(part=inputs.split.to_numpy())


def _gallery(inputs: Inputs) -> dict[str, np.ndarray]:
    """A few training images of each class, evenly spaced over the part."""
    rows = _spread(inputs, "train", GALLERY)
    labels = [name for name, own in zip(inputs.classes, rows, strict=True) for _ in own]
    return pixels(inputs, np.concatenate(rows)) | {"labels": np.array(labels)}


def _panels(inputs: Inputs) -> dict[str, np.ndarray]:
    """Test images of each class for the attention panels: chosen before any model is trained."""
    rows = np.array(list(dict.fromkeys(np.concatenate(_spread(inputs, "test", PANELS)))))
    return pixels(inputs, rows) | {"ids": inputs.table.rows["id"].to_numpy(str)[rows]}


def _spread(inputs: Inputs, part: str, each: int) -> list[np.ndarray]:
    """So many rows of each class."""
    every = [inputs.rows(part, label) for label in range(len(inputs.classes))]
    return [own[np.linspace(0, len(own) - 1, min(each, len(own))).astype(int)] for own in every]


def pixels(inputs: Inputs, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays images uint8 (k, H, W) or (k, H, W, 3) and masks uint8 (k, H, W) of rows (k,)."""
    images = inputs.decoded.images[rows]
    shown = np.moveaxis(images, 1, -1) if images.shape[1] == 3 else images[:, 0]
    return {"images": shown, "masks": inputs.decoded.masks[rows]}
