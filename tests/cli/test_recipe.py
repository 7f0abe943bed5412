from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Medqnn
from medqnn.cli.show import console
from medqnn.training.folder import RunFolder
from medqnn.training.recipe import load, names
from medqnn.training.run import recipe_of
from training.tiny import SMALL, options


@pytest.mark.parametrize("columns", [80, 120])
def test_list_tells_all_of_every_system_and_whose_the_figures_are(
    medqnn: Medqnn, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(console, "width", columns)
    done = medqnn("recipe", "list")
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= columns
    blocks = done.out.split("\n" + " " * columns + "\n")
    for name, block in zip(names(), blocks, strict=False):
        about = load(name).about
        assert block.startswith(name)
        words = " ".join(block.split()).replace("(not ours) ", "")
        for fact in (about.title, about.authors, about.year or "unknown", about.task):
            assert str(fact) in words
        assert about.data_sets in words
        for what, value in about.published.items():
            assert f"{what}: {value}" in words
        assert "(not ours)" in block


def test_shown_recipe_is_a_file_that_train_accepts(
    medqnn: Medqnn, folder: Path, tmp_path: Path
) -> None:
    mine, out = tmp_path / "mine.yaml", tmp_path / "run"
    mine.write_text(medqnn("recipe", "show", "hqcm-ebtc").out, encoding="utf-8")
    sets = (*SMALL, "training.epochs=1")
    done = medqnn("train", mine, "--data", folder, "--out", out, *options(*sets))
    assert done.code == 0, done
    assert recipe_of(RunFolder(out)) == load("hqcm-ebtc", sets)


def test_unknown_recipe_lists_the_known(fails: Callable[..., str]) -> None:
    assert "no recipe 'mine': give one of hqcm-ebtc" in fails("recipe", "show", "mine")
