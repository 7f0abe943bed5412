from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medqnn.explain.no_network import blind_maps, usual_place
from training.tiny import small_inputs, write_folder


def test_the_usual_place_is_where_masks_lie_in_training(tmp_path: Path) -> None:
    inputs = small_inputs(write_folder(tmp_path / "squares", ("healthy", "glioma", "pituitary")))
    found = usual_place(inputs)
    counts = np.zeros((16, 16))
    for row in inputs.rows("train"):
        counts += inputs.decoded.masks[row]
    assert found is not None
    assert found.dtype == np.float32
    assert found == pytest.approx(counts / counts.max())
    assert 0 < found[2, 10] <= 1  # the first tumour's square
    assert found[15, 15] == 0


def test_without_tumours_in_training_there_is_none(tmp_path: Path) -> None:
    assert usual_place(small_inputs(write_folder(tmp_path / "squares", annotate=False))) is None


def test_maps_know_the_id_and_the_seed_alone() -> None:
    usual = np.eye(4, dtype=np.float32)
    found = blind_maps(usual, ["a", "b"], 4, 0)
    assert {name: maps.shape for name, maps in found.items()} == dict.fromkeys(
        ("flat", "random", "usual place"), (2, 4, 4)
    )
    assert (found["flat"] == 1).all()
    assert np.array_equal(found["usual place"][1], usual)
    again = blind_maps(None, ["b"], 4, 0)
    assert list(again) == ["flat", "random"]
    assert np.array_equal(again["random"][0], found["random"][1])
    assert not np.array_equal(found["random"][0], found["random"][1])
    assert not np.array_equal(blind_maps(None, ["b"], 4, 1)["random"], again["random"])
