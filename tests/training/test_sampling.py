from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medqnn.training.sampling import chosen_rows, draws
from medqnn.training.trained import Trained
from training.tiny import small_inputs, write_folder, write_medmnist


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """64 images of two classes and 32 patients."""
    folder = write_folder(tmp_path_factory.mktemp("sampling") / "squares", patients=16)
    return Trained(small_inputs(folder), {})


def test_draws_know_the_seed_the_name_and_the_id_alone() -> None:
    first = [draw.random() for draw in draws("blur", ["a", "b"], 0)]
    assert [draw.random() for draw in draws("blur", ["b", "a"], 0)] == first[::-1]
    assert len(set(first)) == 2
    for name, seed in (("blur", 1), ("JPEG", 0)):
        assert not set(first) & {draw.random() for draw in draws(name, ["a", "b"], seed)}


def test_a_limit_takes_images_evenly_over_the_classes(trained: Trained) -> None:
    every, labels = trained.inputs.rows("test"), trained.inputs.labels
    assert np.array_equal(chosen_rows(trained, None, 0), every)
    assert np.array_equal(chosen_rows(trained, len(every), 0), every)
    rows = chosen_rows(trained, 5, 0)
    assert len(rows) == len(set(rows)) == 5
    assert set(rows) <= set(every)
    assert list(rows) == sorted(rows)
    for seed in range(8):
        assert list(np.bincount(labels[chosen_rows(trained, 4, seed)])) == [2, 2]
        assert sorted(np.bincount(labels[chosen_rows(trained, 5, seed)])) == [2, 3]
    assert np.array_equal(rows, chosen_rows(trained, 5, 0))
    assert any(not np.array_equal(rows, chosen_rows(trained, 5, seed)) for seed in (1, 2, 3))


def test_a_limit_of_findings_is_an_even_draw(tmp_path: Path) -> None:
    inputs = small_inputs(
        write_medmnist(tmp_path / "chestmnist.npz", findings=14), "data.classes=[]"
    )
    trained = Trained(inputs, {})
    rows = chosen_rows(trained, 7, 0)
    assert len(set(rows)) == 7
    assert set(rows) <= set(inputs.rows("test"))
