from __future__ import annotations

import pytest

from medqnn.study.changes import changes
from medqnn.training.recipe import load, names


@pytest.mark.parametrize("name", names())
def test_packaged_recipes_are_unchanged(name: str) -> None:
    sets = ("seed=7", "variants=[hybrid,none]", "data.split.by=given", "data.channels=3")
    assert changes(load(name, sets)) == ""


def test_changed_settings_are_named() -> None:
    recipe = load("hqcm-ebtc", ("data.image_size=64", "loss.attention.weight=2", "model.depth=3"))
    assert changes(recipe) == "data.image_size=64, model.depth=3, loss.attention.weight=2.0"


def test_another_recipe_is_told() -> None:
    assert changes(load("hqcm-ebtc", ("about.title=Ours",))) == "a recipe of its own"
