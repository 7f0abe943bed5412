from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cli.conftest import Medqnn
from medqnn.training.folder import RunFolder
from medqnn.training.recipe import load, names
from medqnn.training.run import recipe_of
from training.tiny import SMALL, options


def test_list_names_every_system_and_whose_the_figures_are(medqnn: Medqnn) -> None:
    done = medqnn("recipe", "list")
    assert done.code == 0
    for name in names():
        assert name in done.out
        assert str(load(name).about.year) in done.out
    assert "(not ours)" in done.out


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
