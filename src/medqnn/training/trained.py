"""A finished run's data and networks, as they were when it was scored."""

from __future__ import annotations

from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from medqnn.data.cache import Progress
from medqnn.errors import RunError
from medqnn.training.fit import build_model
from medqnn.training.folder import RunFolder
from medqnn.training.inputs import Inputs, load_inputs
from medqnn.training.run import recipe_of
from medqnn.training.sections import Recipe


class Trained(NamedTuple):
    """Data, and each variant's model by its name, in evaluation mode and with fixed weights."""

    inputs: Inputs
    models: dict[str, nn.Module]


def load_trained(folder: RunFolder, progress: Progress | None = None) -> Trained:
    """Load what a complete run was made of.

    Args:
        folder: The run.
        progress: Wraps the decoding of images.

    Raises:
        RunError: If the run is not complete, its data have changed, or a model cannot be read.
    """
    facts = folder.require_complete()
    data = facts["data"]
    own = {"split_file": data["split_file"], "skip_bad": data["skip_bad"]}
    inputs = load_inputs(recipe_of(folder), data["source"], progress, **own)
    if inputs.decoded.fingerprint != data["fingerprint"]:
        raise RunError(
            f"the data of {folder.path} have changed since it was trained: put them back, or "
            "train a new run"
        )
    return Trained(inputs, load_models(folder))


def load_models(folder: RunFolder) -> dict[str, nn.Module]:
    """A complete run's models without its data, in evaluation mode and with fixed weights.

    Raises:
        RunError: If the run is not complete, or a model cannot be read.
    """
    facts, recipe = folder.require_complete(), recipe_of(folder)
    classes = len(facts["data"]["classes"])
    return {name: _model(folder, name, recipe, classes) for name in facts["variants"]}


def _model(folder: RunFolder, variant: str, recipe: Recipe, classes: int) -> nn.Module:
    path = folder.path / variant / "model.safetensors"
    with torch.random.fork_rng(devices=[]):
        model = build_model(recipe, variant, classes)
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise RunError(
            f"{path} is missing or broken ({reason}): the run is not whole, train it again"
        ) from error
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in training
    return model.eval().requires_grad_(False)
