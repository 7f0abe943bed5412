"""Batches from decoded images: gathered whole, augmented by batch, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import lightning as L  # noqa: N812
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from medqnn.data.augment import Augmenter, change
from medqnn.data.cache import DecodedImages
from medqnn.errors import RunError
from medqnn.training.distributed import count, share
from medqnn.training.inputs import Inputs
from medqnn.training.sections import Recipe

Part = Callable[[int], slice]


class Batch(NamedTuple):
    """B images, float32 in [0, 1], in channels-last memory format."""

    images: Tensor  # (B, C, H, W)
    masks: Tensor  # (B, 1, H, W), 0 or 1
    annotated: Tensor  # bool (B,)
    labels: Tensor  # int64 (B,), or float32 (B, L), 1 where a finding is present


class Images(Dataset[Batch]):
    """Decoded images with their labels; an item is a batch, named by the rows it holds.

    Args:
        decoded: The pixels.
        labels: The labels of all rows.
        part: What part to give of a batch of so many images; all of it by default.
    """

    def __init__(self, decoded: DecodedImages, labels: np.ndarray, part: Part = slice) -> None:
        self.decoded = decoded
        self.labels = torch.from_numpy(labels)
        self.part = part

    def __getitem__(self, rows: list[int]) -> Batch:
        rows = rows[self.part(len(rows))]
        pixels = torch.from_numpy(self.decoded.images[rows]).float().div_(255.0)
        masks = torch.from_numpy(self.decoded.masks[rows])[:, None].float()
        annotated = torch.from_numpy(self.decoded.annotated[rows])
        images = pixels.contiguous(memory_format=torch.channels_last)
        return Batch(images, masks, annotated, self.labels[rows])


class AugmentedImages(Images):
    """Images turned and flipped; an item is named by its rows and the seed of its transforms."""

    def __init__(
        self,
        decoded: DecodedImages,
        labels: np.ndarray,
        augmenter: Augmenter,
        part: Part = slice,
    ) -> None:
        super().__init__(decoded, labels, part)
        self.augmenter = augmenter

    def __getitem__(self, item: tuple[list[int], int]) -> Batch:  # type: ignore[override]
        rows, seed = item
        batch = super().__getitem__(rows)
        changes = self.augmenter.draw(len(rows), seed)[self.part(len(rows))]
        images, masks = change(batch.images, batch.masks, changes)
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
    """Every row once, in an order and with transforms that seed and epoch decide.

    So a resumed run sees what an uninterrupted one would have seen.
    """

    def __init__(self, rows: np.ndarray, batch_size: int, seed: int, epoch: int) -> None:
        random = np.random.default_rng((seed, epoch))
        order = split_evenly(random.permutation(rows), batch_size)
        seeds = random.integers(2**63, size=len(order))
        self.batches = [(rows.tolist(), int(draw)) for rows, draw in zip(order, seeds, strict=True)]

    def __iter__(self) -> Iterator[tuple[list[int], int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class Batches(L.LightningDataModule):
    """Training batches made anew for each epoch, and validation batches.

    Processes that train together have the same batches, of which each has its part.

    Args:
        recipe: Says size, seed and transforms.
        inputs: The data.

    Raises:
        RunError: If a batch has fewer images than there are processes.
    """

    def __init__(self, recipe: Recipe, inputs: Inputs) -> None:
        super().__init__()
        self.recipe, self.inputs = recipe, inputs
        for part in ("train", "val"):
            batches = split_evenly(inputs.rows(part), recipe.training.batch_size)
            least = min(map(len, batches), default=0)
            if least < count() > 1:
                raise RunError(
                    f"a batch of the {part} part has {least} images for {count()} processes: start "
                    "fewer processes, or raise training.batch_size"
                )

    def train_dataloader(self) -> DataLoader[Batch]:
        """The coming epoch's batches; the trainer asks for them before each epoch."""
        spec, inputs = self.recipe.data.augmentation, self.inputs
        augmenter = Augmenter(**dict(spec))
        epoch = 0 if self.trainer is None else self.trainer.current_epoch
        size, seed = self.recipe.training.batch_size, self.recipe.seed
        sampler = Shuffled(inputs.rows("train"), size, seed, epoch)
        images = AugmentedImages(inputs.decoded, inputs.labels, augmenter, share)
        return loader(images, sampler)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The validation part, in order."""
        sampler = InOrder(self.inputs.rows("val"), self.recipe.training.batch_size)
        return loader(Images(self.inputs.decoded, self.inputs.labels, share), sampler)


def split_evenly(rows: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """As few batches as hold all rows, of sizes that differ by one at most.

    None is left with a single image, of which batch norm could make nothing.
    """
    return np.array_split(rows, -(-len(rows) // batch_size)) if len(rows) else []


def loader(images: Images, sampler: Sampler[list[int]] | Shuffled) -> DataLoader[Batch]:
    """Batches in the sampler's order, made in this process: they are gathered from memory."""
    return DataLoader(images, batch_size=None, sampler=sampler)
