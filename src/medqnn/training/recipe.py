"""Recipes: everything that decides a training run, as one validated YAML file."""

from __future__ import annotations

from functools import cache
from importlib import resources
from inspect import signature
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import ValidationError, create_model

from medqnn.errors import RecipeError
from medqnn.models import SYSTEMS
from medqnn.training.recipe_errors import explain
from medqnn.training.sections import Recipe, Section

FROM_DATA = ("classes", "image_size", "channels", "variant")
"""Model arguments that the recipe's other sections decide."""


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


def changed(recipe: Recipe, settings: dict[str, Any]) -> Recipe:
    """The recipe with other values of some settings, such as ``training.learning_rate``.

    Raises:
        RecipeError: If there is no such setting, or its value is out of range.
    """
    values = recipe.model_dump(mode="json")
    for key, value in settings.items():
        _set(values, key, value)
    return validate(values)


def dump(recipe: Recipe) -> str:
    """The recipe as YAML, every default written out."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"cannot read --set {override}: give section.key=value")
    try:
        _set(values, key.strip(), yaml.safe_load(value))
    except yaml.YAMLError as error:
        raise RecipeError(f"cannot read the value of --set {override} as YAML") from error


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for section in sections:
        if values.get(section) is None:  # absent, or null for the defaults
            values[section] = {}
        values = values[section]
        if not isinstance(values, dict):
            raise RecipeError(f"cannot set {key}: '{section}' is a value, not a section")
    values[last] = value
