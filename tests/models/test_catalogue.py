from __future__ import annotations

import inspect

import pytest
from torch import nn

from medqnn.models import HQCMEBTC, SYSTEMS


def test_hqcm_ebtc_is_there() -> None:
    assert SYSTEMS["hqcm-ebtc"] is HQCMEBTC


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_takes_what_the_rest_of_a_recipe_gives(name: str) -> None:
    assert issubclass(SYSTEMS[name], nn.Module)
    parameters = inspect.signature(SYSTEMS[name]).parameters
    assert {"classes", "image_size", "channels", "variant"} <= set(parameters)
    assert all(p.default is not p.empty for p in parameters.values())


def test_nobody_can_change_the_catalogue() -> None:
    with pytest.raises(TypeError):
        SYSTEMS["other"] = HQCMEBTC
