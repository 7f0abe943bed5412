"""The parameter counts that the documentation prints are those of the models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from torch import nn

from medqnn.layers import VARIANTS
from medqnn.models import SYSTEMS

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROW = re.compile(r"^\| `(\w+)` \|.*\| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)


def trainable(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


@pytest.mark.parametrize("system", SYSTEMS)
def test_counts_of_every_variant_are_documented(system: str) -> None:
    page = (DOCS / f"{system}.md").read_text(encoding="utf-8")
    documented = {
        name: (int(head.replace(",", "")), int(every.replace(",", "")))
        for name, head, every in ROW.findall(page)
    }
    built = {variant: SYSTEMS[system](variant=variant) for variant in VARIANTS}
    assert documented == {
        variant: (trainable(model.head), trainable(model)) for variant, model in built.items()
    }
