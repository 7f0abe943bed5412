"""Pydantic's findings as one line with the mend."""

from __future__ import annotations

from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, recipe: type[BaseModel]) -> str:
    """The first fault of a recipe: where it is, what was given, what is expected."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        known = _keys(recipe, first["loc"][:-1])
        close = _closest(str(first["loc"][-1]), known)
        mend = f"did you mean '{close}'?" if close else f"known are {', '.join(known)}"
        return f"unknown key '{key}' in the recipe: {mend}"
    if first["type"] == "missing":
        return f"the recipe lacks '{key}': add it, or start from `medqnn recipe show`"
    reason = first["msg"].removeprefix("Value error, ")
    given = "" if isinstance(first["input"], dict) else f" is {first['input']!r}"
    return f"'{key}' in the recipe{given}: {reason[0].lower()}{reason[1:]}"


def _keys(recipe: type[BaseModel], sections: tuple[int | str, ...]) -> list[str]:
    """The keys that a section knows."""
    for section in sections:
        annotation = recipe.model_fields[str(section)].annotation
        kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        inner = [kind for kind in kinds if issubclass(kind, BaseModel)]
        if not inner:
            break
        recipe = inner[0]
    return list(recipe.model_fields)


def _closest(key: str, known: list[str]) -> str | None:
    """The known key that was probably meant: by its initials (``lr``), else by its letters."""
    initials = [name for name in known if "".join(word[0] for word in name.split("_")) == key]
    return next(iter(initials or get_close_matches(key, known, n=1)), None)
