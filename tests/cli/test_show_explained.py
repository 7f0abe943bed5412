from __future__ import annotations

import pytest

from explain.scored import IMAGES, Scored, scored
from medqnn.cli.show import console
from medqnn.cli.show_explained import ON_MASKS, WITHOUT_MASKS, show_explained
from medqnn.explain.score_words import words

__all__ = ["scored"]


@pytest.fixture
def shown(
    scored: Scored, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.setattr(console, "_width", 80)
    show_explained(scored.scores)
    return capsys.readouterr().out


def test_the_tables_show_the_summarys_numbers(shown: str, scored: Scored) -> None:
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines()]
    scores = scored.scores.summary["scores"]
    first = {"occlusion": scores["hybrid"]["occlusion"], "flat": scores["no network"]["flat"]}
    keys = ("pointing", "energy", "average_precision", "best_dice", "jaccard@q0.99")
    for head, own in first.items():
        cells = next(line for line in lines if line and line[0] == head)
        assert cells[2:] == [f"{own[key]['estimate']:.3f}" for key in keys]
    own = scores["hybrid"]["occlusion"]
    keys = ("deletion_gain", "insertion_gain", "sanity_head", "sanity_all", "stability")
    cells = [line for line in lines if line and line[0] == "occlusion"][1]
    assert cells[2:] == [f"{own[key]['estimate']:.3f}" for key in keys]
    assert f"{IMAGES} test images, the last three {IMAGES}" in shown


def test_the_words_follow_within_80_columns(shown: str, scored: Scored) -> None:
    text = " ".join(shown.split())
    assert all(" ".join(one.split()) in text for one in words(scored.scores.summary))
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    heads = " ".join(line for line in shown.splitlines() if line.startswith("┃"))
    for head in (*ON_MASKS.values(), *WITHOUT_MASKS.values()):
        assert all(f" {part} ┃" in heads for part in head.split("\n"))


def test_without_masks_their_table_is_left_out(
    scored: Scored, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = scored.scores.summary | {"located": 0, "ahead": {"flat": {}, "usual place": {}}}
    show_explained(scored.scores._replace(summary=bare))
    out = capsys.readouterr().out
    assert "tumour masks" not in out
    assert "Maps and the network" in out
