"""Recipes: everything that decides a training run, as one validated YAML file."""

from __future__ import annotations

from functools import cache
from importlib import resources
from inspect import signature
from pathlib import Path
from typing import Any, Literal, get_type_hints

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from medqnn.errors import RecipeError
from medqnn.layers import VARIANTS
from medqnn.models import SYSTEMS
from medqnn.training.recipe_errors import explain

FROM_DATA = ("classes", "image_size", "channels", "variant")
"""Model arguments that the recipe's other sections decide."""


class Section(BaseModel):
    """A part of a recipe: frozen, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class About(Section):
    """Where the system was published, and what it claimed."""

    title: str
    authors: str
    year: int
    task: str
    data_sets: str
    published: dict[str, str] = {}


class Split(Section):
    """Shares of the parts, and which of a set's own divisions they follow."""

    by: Literal["auto", "given", "fold", "patient"] = "auto"
    train: float = Field(0.70, gt=0, lt=1)
    val: float = Field(0.15, gt=0, lt=1)
    test: float = Field(0.15, gt=0, lt=1)
    test_folds: tuple[int, ...] = ()
    val_folds: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Split:
        if abs(self.train + self.val + self.test - 1.0) > 1e-6:
            raise ValueError(f"train + val + test is {self.train + self.val + self.test:g}, not 1")
        return self


class Augmentation(Section):
    """Random transforms of training images, their masks moving along."""

    rotation_degrees: float = Field(15.0, ge=0, le=180)
    horizontal_flip: float = Field(0.5, ge=0, le=1)
    vertical_flip: float = Field(0.5, ge=0, le=1)


class Data(Section):
    """What the model is shown."""

    classes: tuple[str, ...] = Field(min_length=2)
    image_size: int = Field(128, ge=16, le=1024, multiple_of=8)
    channels: Literal[1, 3] = 1
    split: Split = Split()
    augmentation: Augmentation = Augmentation()


class Loss(Section):
    """L = α·CE + β·(ζ·BCE + γ·Dice); see ``training.losses``."""

    classification: float = Field(1.0, ge=0)
    attention: float = Field(1.0, ge=0)
    bce: float = Field(0.3, ge=0)
    dice: float = Field(0.7, ge=0)
    epsilon: float = Field(1.0, gt=0)


class Training(Section):
    """AdamW with gradient clipping, learning rate cut on a plateau, early stopping.

    ``warmup_epochs`` is the number of first epochs over which the learning rate rises linearly.

    ``weight_averaging`` is the decay of the moving average of the weights that is validated and
    kept; 0 keeps the weights themselves.
    """

    learning_rate: float = Field(gt=0)
    warmup_epochs: int = Field(0, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    gradient_clip: float = Field(1.0, gt=0)
    plateau_factor: float = Field(0.5, gt=0, lt=1)
    plateau_patience: int = Field(3, ge=0)
    early_stopping: int = Field(5, ge=1)
    epochs: int = Field(40, ge=1)
    batch_size: int = Field(64, ge=2)
    weight_averaging: float = Field(0.0, ge=0, lt=1)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"


class Evaluation(Section):
    """How test predictions are scored."""

    thresholds: tuple[float, ...] = (0.99, 0.90, 0.75)
    resamples: int = Field(1000, ge=100)

    @field_validator("thresholds")
    @classmethod
    def _levels(cls, thresholds: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < t < 1 for t in thresholds) or len(set(thresholds)) < len(thresholds):
            raise ValueError("give levels between 0 and 1, each once")
        return thresholds


class Recipe(Section):
    """One system's recipe. ``model`` holds the arguments of the system's model class."""

    system: str
    about: About
    variants: tuple[str, ...] = Field(("hybrid", "dense"), min_length=1)
    seed: int = Field(0, ge=0, lt=2**32)
    data: Data
    model: Section
    loss: Loss = Loss()
    training: Training
    evaluation: Evaluation = Evaluation()

    @field_validator("variants")
    @classmethod
    def _known_variants(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        if not set(variants) <= set(VARIANTS) or len(set(variants)) < len(variants):
            raise ValueError(f"name each variant once, out of {', '.join(VARIANTS)}")
        return variants


@cache
def recipe_class(system: str) -> type[Recipe]:
    """A system's recipe; its ``model`` section is the constructor of the system's model.

    Raises:
        RecipeError: If there is no such system.
    """
    if system not in SYSTEMS:
        raise RecipeError(f"unknown system '{system}' in the recipe: give {' or '.join(SYSTEMS)}")
    constructor = SYSTEMS[system].__init__
    hints = get_type_hints(constructor)
    fields: dict[str, Any] = {
        name: (hints[name], parameter.default)
        for name, parameter in signature(constructor).parameters.items()
        if name != "self" and name not in FROM_DATA
    }
    section = create_model("Model", __base__=Section, **fields)
    return create_model("Recipe", __base__=Recipe, model=(section, section()))


def names() -> list[str]:
    """Names of the recipes that come with medqnn."""
    folder = resources.files("medqnn.recipes")
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def text(name: str) -> str:
    """A packaged recipe as commented YAML.

    Raises:
        RecipeError: If there is no such recipe.
    """
    if name not in names():
        raise RecipeError(f"no recipe '{name}': give one of {', '.join(names())}, or a YAML file")
    return (resources.files("medqnn.recipes") / f"{name}.yaml").read_text(encoding="utf-8")


def load(name_or_path: str, overrides: tuple[str, ...] = ()) -> Recipe:
    """Read a packaged recipe or a YAML file, then apply ``section.key=value`` overrides.

    Raises:
        RecipeError: If it cannot be read, has an unknown key, or a value out of range.
    """
    path = Path(name_or_path)
    is_file = path.suffix in (".yaml", ".yml")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8") if is_file else text(name_or_path))
    except OSError as error:
        raise RecipeError(f"cannot read recipe {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{path} holds no recipe: start from `medqnn recipe show hqcm-ebtc`")
    for override in overrides:
        _override(values, override)
    return validate(values)


def validate(values: dict[str, Any]) -> Recipe:
    """A recipe from plain values.

    Raises:
        RecipeError: With the first fault, and the nearest known key if one is misspelt.
    """
    kind = recipe_class(str(values.get("system")))
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise RecipeError(explain(error, kind)) from error


def dump(recipe: Recipe) -> str:
    """The recipe as YAML, every default written out."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"cannot read --set {override}: give section.key=value")
    *sections, last = key.strip().split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise RecipeError(f"--set {override}: '{section}' is a value, not a section")
    try:
        values[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise RecipeError(f"cannot read the value of --set {override} as YAML") from error
