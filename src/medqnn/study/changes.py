"""How a study's recipe differs from the published one."""

from __future__ import annotations

from typing import Any

from medqnn.training import recipe as recipes
from medqnn.training.sections import Recipe

OF_A_STUDY = ("variants", "seed", "data.split.", "data.channels")  # set by the study or its data


def changes(recipe: Recipe) -> str:
    """The settings that are not those of the packaged recipe, such as ``training.epochs=5``.

    Empty if there are none; "a recipe of its own" for a recipe that does not come with medqnn.
    """
    published = [recipes.load(name) for name in recipes.names()]
    alike = [one for one in published if one.about == recipe.about and one.system == recipe.system]
    if not alike:
        return "a recipe of its own"
    own, theirs = _flat(recipe.model_dump(mode="json")), _flat(alike[0].model_dump(mode="json"))
    return ", ".join(
        f"{key}={value}"
        for key, value in own.items()
        if value != theirs.get(key) and not key.startswith(OF_A_STUDY)
    )


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Settings by their whole names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value
    return flat
