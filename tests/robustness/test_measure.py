from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from medqnn.evaluation.localisation import jaccard
from medqnn.robustness import measure as measuring
from medqnn.robustness.attacks import losses
from medqnn.robustness.measure import CLEAN, SETTINGS, Setting, measure
from medqnn.training.sampling import chosen_rows
from robustness.measured import bright

NOISE = Setting("corruption", "Gaussian noise", 4, 0.15)
TURN = Setting("corruption", "Rotation", 5, 30.0)
PGD = Setting("attack", "PGD", 4, 8 / 255)


def test_every_setting_is_there_once() -> None:
    assert len(SETTINGS) == len(set(SETTINGS)) == 1 + 8 * 5 + 2 * 4
    assert SETTINGS[0] == CLEAN


def test_networks_see_the_same_corrupted_pixels(folder: Path) -> None:
    trained = bright(folder, hybrid=30.0, dense=30.0)
    rows = chosen_rows(trained, None, 0)
    found = measure(trained, rows, settings=(CLEAN, NOISE, PGD))
    for setting in (CLEAN, NOISE, PGD):
        hybrid, dense = (found[name, setting].logits for name in ("hybrid", "dense"))
        assert np.array_equal(hybrid, dense)
        assert hybrid.shape == (len(rows), 2)
        assert np.array_equal(hybrid, found["hybrid", CLEAN].logits) == (setting == CLEAN)


def test_each_network_is_attacked_by_its_own_gradient(folder: Path) -> None:
    trained = bright(folder, hybrid=30.0, dense=-30.0)  # what misleads one helps the other
    rows = chosen_rows(trained, None, 0)
    labels = torch.from_numpy(trained.inputs.labels[rows])
    found = measure(trained, rows, settings=(CLEAN, PGD))
    for name in ("hybrid", "dense"):
        clean, attacked = (
            losses(torch.from_numpy(found[name, setting].logits), labels)
            for setting in (CLEAN, PGD)
        )
        assert (attacked > clean).all()


def test_the_batch_size_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = bright(folder, hybrid=30.0)
    rows = chosen_rows(trained, None, 0)
    whole = measure(trained, rows, settings=(NOISE, TURN, PGD))
    monkeypatch.setattr(measuring, "BATCH_SIZE", 3)
    parts = measure(trained, rows, settings=(NOISE, TURN, PGD))
    for key, answers in whole.items():
        assert np.allclose(answers.logits, parts[key].logits, atol=1e-5)
        for column, values in answers.jaccard.items():
            assert np.allclose(values, parts[key].jaccard[column], atol=0.02, equal_nan=True)


def test_another_seed_is_another_draw(folder: Path) -> None:
    trained = bright(folder, hybrid=30.0)
    rows = chosen_rows(trained, None, 0)
    first, other = (measure(trained, rows, seed, (NOISE,))["hybrid", NOISE] for seed in (0, 1))
    assert not np.allclose(first.logits, other.logits)


def test_attention_is_held_against_the_mask_as_it_was_turned(folder: Path) -> None:
    trained = bright(folder, hybrid=30.0)
    rows = chosen_rows(trained, None, 0)
    found = measure(trained, rows, settings=(CLEAN, TURN))
    shown = trained.inputs.decoded.masks[rows].any(axis=(1, 2))
    assert 0 < shown.sum() < len(rows)
    for setting, least in ((CLEAN, 0.99), (TURN, 0.6)):
        values = found["hybrid", setting].jaccard["jaccard@0.75"]
        assert np.array_equal(np.isnan(values), ~shown)
        assert values[shown].min() > least


def test_clean_overlaps_are_those_of_the_evaluation(folder: Path) -> None:
    trained = bright(folder, hybrid=30.0)
    rows = chosen_rows(trained, None, 0)
    found = measure(trained, rows, settings=(CLEAN,))["hybrid", CLEAN].jaccard
    masks = trained.inputs.decoded.masks[rows] > 0
    logits = 40 * (trained.inputs.decoded.images[rows, 0] / np.float32(255) - 0.6)
    expected = jaccard(1 / (1 + np.exp(-logits)), masks)
    assert list(found) == list(expected)
    shown = masks.any(axis=(1, 2))
    for column, values in found.items():
        assert values[shown] == pytest.approx(expected[column].to_numpy()[shown], abs=0.02)


def test_progress_counts_the_batches(folder: Path) -> None:
    trained = bright(folder, hybrid=30.0)
    counted = []

    def progress(items: object, total: int) -> object:
        counted.append((len(list(items)), total))  # type: ignore[call-overload]
        return items

    measure(trained, chosen_rows(trained, None, 0), settings=(CLEAN, TURN), progress=progress)  # type: ignore[arg-type]
    assert counted == [(2, 2)]
