from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from medqnn.data.augment import Augmenter
from medqnn.data.cache import DecodedImages
from medqnn.training.batches import (
    AugmentedImages,
    Batches,
    Images,
    InOrder,
    Shuffled,
    loader,
    split_evenly,
)
from training.tiny import small_inputs, tiny_recipe

ROWS = np.arange(100, 137)


@pytest.fixture
def decoded() -> DecodedImages:
    """Ten images that equal their masks; the last has no annotation."""
    masks = (np.random.default_rng(0).random((10, 16, 16)) < 0.3).astype(np.uint8)
    images = np.ascontiguousarray(masks[:, None] * np.uint8(255))
    return DecodedImages(images, masks, np.arange(10) < 9, "")


@pytest.mark.parametrize(("count", "size"), [(37, 8), (64, 32), (65, 64), (3, 64), (33, 32)])
def test_batches_are_few_and_of_one_size_but_for_one(count: int, size: int) -> None:
    batches = split_evenly(np.arange(count), size)
    sizes = [len(batch) for batch in batches]
    assert np.concatenate(batches).tolist() == list(range(count))
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= size
    assert len(batches) == int(np.ceil(count / size))
    assert min(sizes) > 1


def test_no_rows_make_no_batches() -> None:
    assert split_evenly(np.arange(0), 8) == []


def test_shuffled_has_every_row_once() -> None:
    sampler = Shuffled(ROWS, 8, seed=3, epoch=2)
    drawn = Counter(row for rows, _ in sampler for row in rows)
    assert drawn == Counter(ROWS.tolist())
    assert len(sampler) == len(list(sampler)) == 5


def test_shuffled_is_decided_by_seed_and_epoch() -> None:
    one, same, later, other = (
        list(Shuffled(ROWS, 8, seed, epoch)) for seed, epoch in ((3, 2), (3, 2), (3, 4), (4, 2))
    )
    assert one == same
    assert one != later
    assert one != other
    seeds = [{seed for _, seed in batches} for batches in (one, later, other)]
    assert len(set.union(*seeds)) == 15, "each batch has transforms of its own"


def test_in_order_neither_shuffles_nor_pads() -> None:
    sampler = InOrder(ROWS, 8)
    assert [row for rows in sampler for row in rows] == ROWS.tolist()
    assert len(sampler) == len(list(sampler))


def test_batch_holds_the_named_rows(decoded: DecodedImages) -> None:
    batch = Images(decoded, np.arange(10) % 3)[[9, 0, 4]]
    assert batch.labels.tolist() == [0, 0, 1]
    assert batch.annotated.tolist() == [False, True, True]
    assert batch.images.dtype == batch.masks.dtype == torch.float32
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(batch.images.numpy(), decoded.images[[9, 0, 4]] / 255)
    np.testing.assert_array_equal(batch.masks[:, 0].numpy(), decoded.masks[[9, 0, 4]])


def test_masks_move_with_their_images(decoded: DecodedImages) -> None:
    images = AugmentedImages(decoded, np.zeros(10, dtype=np.int64), Augmenter(0.0, 0.5, 0.5))
    rows = list(range(10))
    batch = images[rows, 1]
    torch.testing.assert_close(batch.images, batch.masks)
    still = Images(decoded, np.zeros(10, dtype=np.int64))[rows]
    moved = (batch.masks != still.masks).flatten(1).any(1)
    assert moved.any()
    assert not moved.all(), "one in four keeps both axes"


def test_turned_masks_stay_masks_and_the_draw_repeats(decoded: DecodedImages) -> None:
    images = AugmentedImages(decoded, np.zeros(10, dtype=np.int64), Augmenter(30.0, 0.5, 0.5))
    first, again, other = (images[list(range(10)), seed] for seed in (1, 1, 2))
    assert set(first.masks.unique().tolist()) == {0, 1}
    assert first.images.min() >= 0
    assert first.images.max() <= 1
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)


def test_loader_gives_whole_batches(decoded: DecodedImages) -> None:
    labels = np.arange(10)
    batches = list(loader(Images(decoded, labels), InOrder(np.arange(10), 4)))
    assert [len(batch.labels) for batch in batches] == [4, 3, 3]
    assert torch.cat([batch.labels for batch in batches]).tolist() == labels.tolist()


def test_training_sees_the_training_part_and_validation_its_own(folder: Path) -> None:
    inputs = small_inputs(folder, "training.batch_size=5")
    batches = Batches(tiny_recipe("training.batch_size=5"), inputs)
    trained = torch.cat([batch.labels for batch in batches.train_dataloader()])
    validated = torch.cat([batch.labels for batch in batches.val_dataloader()])
    assert sorted(trained.tolist()) == sorted(inputs.labels[inputs.rows("train")].tolist())
    assert validated.tolist() == inputs.labels[inputs.rows("val")].tolist()
