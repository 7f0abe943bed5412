from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medqnn.training.recipe_errors import explain


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    learning_rate: float = Field(gt=0)
    batch_size: int = 64


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner
    name: str = "x"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"inner": {"learning_rate": 1, "bs": 2}},
            "unknown key 'inner.bs' in the recipe: did you mean 'batch_size'?",
        ),
        (
            {"inner": {"learning_rate": 1}, "nam": 2},
            "unknown key 'nam' in the recipe: did you mean 'name'?",
        ),
        (
            {"inner": {"learning_rate": 1}, "?": 2},
            "unknown key '?' in the recipe: known are inner, name",
        ),
        (
            {"inner": {}},
            "the recipe lacks 'inner.learning_rate': add it, or start from `medqnn recipe show`",
        ),
        (
            {"inner": {"learning_rate": -1}},
            "'inner.learning_rate' in the recipe is -1: input should be greater than 0",
        ),
    ],
)
def test_first_fault_with_its_mend(values: dict, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer(**values)
    assert explain(caught.value, Outer) == expected
