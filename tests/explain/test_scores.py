from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from explain.scored import IMAGES, Scored, scored, untrained
from medqnn.errors import RunError
from medqnn.evaluation.pointing import pointing
from medqnn.explain import scores as scoring
from medqnn.explain.faithfulness import area
from medqnn.explain.judge import Depth, Judge
from medqnn.explain.methods import METHODS, targets_of
from medqnn.explain.sanity import rank_correlation, redrawn
from medqnn.explain.scores import SUMMARY, TABLE, is_scored, read_scores, score, write_scores
from medqnn.training.batches import Images
from medqnn.training.folder import RunFolder
from medqnn.training.sampling import chosen_rows
from training.tiny import write_folder, write_medmnist

__all__ = ["scored"]

SLOW = ("integrated gradients", "occlusion")


def of(table: pd.DataFrame, variant: str, method: str) -> pd.DataFrame:
    own = table[(table["variant"] == variant) & (table["method"] == method)]
    return own.set_index("id")


def test_fast_methods_are_held_against_every_mask_slow_ones_against_the_chosen(
    scored: Scored,
) -> None:
    inputs, table = scored.trained.inputs, scored.scores.table
    test, chosen = inputs.rows("test"), chosen_rows(scored.trained, IMAGES, 0)
    ids, shown = inputs.table.rows["id"].to_numpy(), inputs.decoded.masks.any(axis=(1, 2))
    every, few = set(ids[test[shown[test]]]), set(ids[chosen[shown[chosen]]])
    assert few < every
    for variant in ("hybrid", "dense"):
        for method in METHODS:
            own = of(table, variant, method)
            assert set(own.index[own["energy"].notna()]) == (few if method in SLOW else every)
            names = ("deletion", "insertion_gain", "sanity_all", "stability")
            for name in names[:2] if method == "grad-cam" else names:  # dead: it ranks nothing
                assert set(own.index[own[name].notna()]) == set(ids[chosen])
        random = of(table, variant, "random")
        assert random["deletion"].notna().all()
        assert random.drop(columns=["deletion", "insertion"]).iloc[:, 3:].isna().all(axis=None)
    blind = table[table["variant"] == "no network"]
    assert set(blind["method"]) == {"flat", "random", "usual place"}
    assert set(blind["id"]) == every
    assert scored.scores.summary["located"] == len(every)
    assert scored.scores.summary["images"] == scored.scores.summary["checked"] == IMAGES


def test_scores_are_those_of_the_maps(scored: Scored) -> None:
    inputs, table = scored.trained.inputs, scored.scores.table
    rows = chosen_rows(scored.trained, IMAGES, 0)
    ids = inputs.table.rows["id"].to_numpy()[rows]
    batch = Images(inputs.decoded, inputs.labels)[rows.tolist()]
    masks = batch.masks[:, 0].numpy() > 0
    shown = masks.any(axis=(1, 2))
    for variant, model in scored.trained.models.items():
        with torch.no_grad():
            targets = targets_of(model(batch.images).logits)
        others = redrawn(model, inputs.recipe, variant, 2, 0)
        for method in ("attention", "grad-cam"):
            maps = METHODS[method](model, batch.images, targets).numpy()
            found = of(table, variant, method).loc[ids]
            expected = pointing(maps[shown], masks[shown])
            assert found.loc[shown, list(expected)].to_numpy() == pytest.approx(
                expected.to_numpy(), abs=0.02
            )
            again = METHODS[method](others["all"], batch.images, targets).numpy()
            assert found["sanity_all"].to_numpy() == pytest.approx(
                np.abs(rank_correlation(maps, again)), abs=0.02
            )
        assert of(table, variant, "attention")["sanity_head"].dropna().to_numpy() == pytest.approx(
            1.0
        )


def test_gains_are_over_the_random_order_and_curves_are_means(scored: Scored) -> None:
    table, found = scored.scores.table, scored.scores.summary
    for variant in ("hybrid", "dense"):
        chance = of(table, variant, "random")
        for method in METHODS:
            own = of(table, variant, method).loc[chance.index]
            for kind, sign in (("deletion", -1), ("insertion", 1)):
                gain = sign * (own[kind] - chance[kind])
                assert own[f"{kind}_gain"].to_numpy() == pytest.approx(gain.to_numpy())
                curve = np.array([found["curves"][variant][method][kind]])
                assert area(curve)[0] == pytest.approx(own[kind].mean())
        ends = [found["curves"][variant]["occlusion"][kind] for kind in ("deletion", "insertion")]
        assert ends[0][0] == pytest.approx(ends[1][-1])


def test_the_summary_is_of_the_table(scored: Scored) -> None:
    table, found = scored.scores.table, scored.scores.summary
    a, b = (of(table, name, "occlusion") for name in ("hybrid", "dense"))
    for name in ("energy", "jaccard@q0.90", "deletion_gain", "stability"):
        known = a[name].notna()
        one = found["scores"]["hybrid"]["occlusion"][name]
        assert one["estimate"] == pytest.approx(a[name].mean())
        assert one["images"] == known.sum()
        assert one["patients"] == a["patient"][known].nunique()
        assert one["low"] <= one["estimate"] <= one["high"]
        ahead = found["differences"]["dense"]["occlusion"][name]
        assert ahead["estimate"] == pytest.approx((a[name] - b[name]).mean())
        means = (a[name] - b.loc[a.index, name])[known].groupby(a["patient"][known]).mean()
        moved = means[means != 0]
        expected = stats.wilcoxon(moved).pvalue if len(moved) else 1.0
        assert ahead["p"] == pytest.approx(expected)
        assert ahead["patients"] == len(means)
    place = of(table, "no network", "usual place")
    for method in ("attention", "occlusion"):
        own = of(table, "dense", method)["average_precision"].dropna()
        one = found["ahead"]["usual place"]["dense"][method]["average_precision"]
        gap = own - place.loc[own.index, "average_precision"]
        assert one["estimate"] == pytest.approx(gap.mean())
        assert one["images"] == len(own)
    assert found["reference"] == "hybrid"
    assert found["patients_known"]


def test_the_batch_changes_nothing(scored: Scored) -> None:
    rows = chosen_rows(scored.trained, IMAGES, 0)[:2]
    judge = Judge(scored.trained._replace(models={"dense": scored.trained.models["dense"]}), 0)
    whole = judge(rows, Depth.CURVES).table
    parts = pd.concat([judge(rows[i : i + 1], Depth.CURVES).table for i in range(2)])
    for method in ("grad-cam", "integrated gradients", "random"):
        a, b = (of(one, "dense", method).iloc[:, 3:] for one in (whole, parts))
        assert a.to_numpy() == pytest.approx(b[list(a)].to_numpy(), abs=0.03, nan_ok=True)


def test_without_masks_the_rest_is_scored(tmp_path: Path) -> None:
    trained = untrained(write_folder(tmp_path / "squares", annotate=False), "frozen")
    found = score(trained, trained.inputs.rows("test")[:2])
    assert not [name for name in found.table if "jaccard" in name or name == "energy"]
    assert set(found.table["variant"]) == {"frozen"}
    assert found.summary["located"] == 0
    assert found.summary["reference"] == "frozen"
    assert found.summary["ahead"] == {"flat": {}, "usual place": {}}
    assert found.summary["differences"] == {}
    assert json.dumps(found.summary, allow_nan=False)


def test_findings_are_followed_each_by_its_own_probability(tmp_path: Path) -> None:
    folder = write_medmnist(tmp_path / "chestmnist.npz", findings=14)
    trained = untrained(folder, "dense", overrides=("data.classes=[]",))
    rows = trained.inputs.rows("test")[:2]
    found = Judge(trained, 0)(rows, Depth.CURVES)
    batch = Images(trained.inputs.decoded, trained.inputs.labels)[rows.tolist()]
    with torch.no_grad():
        chances = trained.models["dense"](batch.images).logits.sigmoid().amax(1)
    assert found.curves["dense", "grad-cam"].deletion[:, 0] == pytest.approx(chances.numpy())


def test_only_scores_of_the_same_options_count(scored: Scored) -> None:
    assert is_scored(scored.folder, IMAGES, 0)
    assert not is_scored(scored.folder, IMAGES, 1)
    assert not is_scored(scored.folder, None, 0)
    assert not is_scored(RunFolder(scored.folder.path / "none"), IMAGES, 0)


def test_an_interruption_leaves_what_was_there(scored: Scored) -> None:
    path = scored.folder.path
    kept = {file.name: file.read_bytes() for file in path.iterdir()}
    seen = []

    def interrupt(items: Iterable[Any], total: int) -> Iterator[Any]:
        seen.append((len(list(items)), total))
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        write_scores(scored.folder, scored.trained, IMAGES, 1, interrupt)
    assert {file.name: file.read_bytes() for file in path.iterdir()} == kept
    assert set(kept) == {TABLE, SUMMARY}


def test_progress_counts_the_batches(scored: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def count(items: Iterable[Any], total: int) -> list[Any]:
        seen.extend(items)
        assert total == len(seen)
        raise KeyboardInterrupt

    monkeypatch.setattr(scoring, "CHECKED", 2)
    with pytest.raises(KeyboardInterrupt):
        score(scored.trained, chosen_rows(scored.trained, IMAGES, 0), 0, count)
    rows = {depth: [row for own, at in seen if at == depth for row in own] for depth in Depth}
    assert [len(rows[depth]) for depth in (Depth.CHECKS, Depth.CURVES)] == [2, 4]
    together = [row for own in rows.values() for row in own]
    assert len(together) == len(set(together))
    assert scored.trained.inputs.decoded.masks[rows[Depth.MASKS]].any(axis=(1, 2)).all()


@pytest.mark.parametrize("damage", ["empty", "column", "gone", "summary"])
def test_broken_files_are_named_with_the_mend(scored: Scored, tmp_path: Path, damage: str) -> None:
    for name in (TABLE, SUMMARY):
        (tmp_path / name).write_bytes((scored.folder.path / name).read_bytes())
    if damage == "gone":
        (tmp_path / TABLE).unlink()
    elif damage == "empty":
        (tmp_path / TABLE).write_text("")
    elif damage == "summary":
        (tmp_path / SUMMARY).write_text("{}")
    else:
        pd.read_csv(tmp_path / TABLE).drop(columns="method").to_csv(tmp_path / TABLE)
    with pytest.raises(RunError, match=r"explain\.\w+ is missing or broken .*medqnn explain"):
        read_scores(RunFolder(tmp_path))


def test_no_images_are_refused(scored: Scored) -> None:
    with pytest.raises(RunError, match="no images to explain"):
        score(scored.trained, np.array([], dtype=np.int64))
