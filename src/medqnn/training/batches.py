"""Batches from decoded images: gathered whole, augmented by batch, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from medqnn.data.augment import Augmenter
from medqnn.data.cache import DecodedImages


class Batch(NamedTuple):
    """B images, float32 in [0, 1], in channels-last memory format."""

    images: Tensor  # (B, C, H, W)
    masks: Tensor  # (B, 1, H, W), 0 or 1
    annotated: Tensor  # bool (B,)
    labels: Tensor  # int64 (B,)


class Images(Dataset[Batch]):
    """Decoded images with their labels; an item is a batch, named by the rows it holds."""

    def __init__(self, decoded: DecodedImages, labels: np.ndarray) -> None:
        self.decoded = decoded
        self.labels = torch.from_numpy(labels)

    def __getitem__(self, rows: list[int]) -> Batch:
        pixels = torch.from_numpy(self.decoded.images[rows]).float().div_(255.0)
        masks = torch.from_numpy(self.decoded.masks[rows])[:, None].float()
        annotated = torch.from_numpy(self.decoded.annotated[rows])
        images = pixels.contiguous(memory_format=torch.channels_last)
        return Batch(images, masks, annotated, self.labels[rows])


class AugmentedImages(Images):
    """Images turned and flipped; an item is named by its rows and the seed of its transforms."""

    def __init__(self, decoded: DecodedImages, labels: np.ndarray, augmenter: Augmenter) -> None:
        super().__init__(decoded, labels)
        self.augmenter = augmenter

    def __getitem__(self, item: tuple[list[int], int]) -> Batch:  # type: ignore[override]
        rows, seed = item
        batch = super().__getitem__(rows)
        images, masks = self.augmenter(batch.images, batch.masks, seed)
        return batch._replace(
            images=images.contiguous(memory_format=torch.channels_last), masks=masks
        )


class InOrder(Sampler[list[int]]):
    """Every row once, in order: what evaluation reads."""

    def __init__(self, rows: np.ndarray, batch_size: int) -> None:
        self.batches = [chunk.tolist() for chunk in split_evenly(rows, batch_size)]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class Shuffled(Sampler[tuple[list[int], int]]):
    """Every row once an epoch, in an order and with transforms that seed and epoch decide.

    So a resumed run sees what an uninterrupted one would have seen. Lightning calls
    ``set_epoch``.
    """

    def __init__(self, rows: np.ndarray, batch_size: int, seed: int) -> None:
        self.rows, self.batch_size, self.seed, self.epoch = rows, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[list[int], int]]:
        random = np.random.default_rng((self.seed, self.epoch))
        for chunk in split_evenly(random.permutation(self.rows), self.batch_size):
            yield chunk.tolist(), int(random.integers(2**63))

    def __len__(self) -> int:
        return len(split_evenly(self.rows, self.batch_size))


def split_evenly(rows: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """As few batches as hold all rows, of sizes that differ by one at most.

    None is left with a single image, of which batch norm could make nothing.
    """
    return np.array_split(rows, -(-len(rows) // batch_size)) if len(rows) else []


def loader(images: Images, sampler: Sampler[list[int]] | Shuffled) -> DataLoader[Batch]:
    """Batches in the sampler's order, made in this process: they are gathered from memory."""
    return DataLoader(images, batch_size=None, sampler=sampler)  # type: ignore[arg-type]
