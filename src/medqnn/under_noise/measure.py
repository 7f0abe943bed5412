"""What a run's networks answer when their circuits run on noisy devices, with finite shots.

Only the circuits change, so what comes before them is computed once, and the rest of the network
anew under each setting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from medqnn.data.cache import Progress
from medqnn.layers.evaluated import quantum_layers
from medqnn.layers.noisy import noisy
from medqnn.training.batches import Images, split_evenly
from medqnn.training.predict import BATCH_SIZE
from medqnn.training.trained import Trained
from medqnn.under_noise.settings import DRAWS, IDEAL, MITIGATIONS, Devices, Setting

TOGETHER = 256  # images whose circuits run at once: what noise does to the weights is found for all


class Answers(NamedTuple):
    """A network's answers on n images under one setting.

    Attributes:
        logits: float64 (draws, n, K); one draw without shots.
        deviation: Mean distance of the circuits' values from the exact ones, in [0, 2]; NaN for a
            network without circuits.
    """

    logits: np.ndarray
    deviation: float


Key = tuple[str, Setting]


class Network:
    """A network whose head is asked again and again, on inputs that are computed once.

    Args:
        model: In evaluation mode, with submodules ``head`` and ``classifier`` as in
            ``models.catalogue``.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.head, self.classifier = model.get_submodule("head"), model.get_submodule("classifier")
        self.has_circuits = bool(quantum_layers(model))
        self.seen: list[Tensor] = []
        self.exact: list[Tensor] = []

    @torch.no_grad()
    def see(self, images: Tensor) -> None:
        """Compute and keep what the head reads of images (B, C, H, W)."""
        hook = self.head.register_forward_pre_hook(lambda _, read: self.seen.append(read[0]))
        try:
            self.model(images.contiguous(memory_format=torch.channels_last))
        finally:
            hook.remove()

    @torch.no_grad()
    def answer(self, devices: Devices, setting: Setting, seed: int) -> Answers:
        """Logits (1, n, K) of all images seen; the exact ones are asked for first."""
        if setting == IDEAL:
            values = self.exact = self._values()
        else:
            noise, mitigation = devices.noise(setting), MITIGATIONS[setting.mitigation]
            with noisy(self.model, noise, setting.shots, seed, mitigation):
                values = self._values()
        logits = torch.cat([self.classifier(own) for own in values])
        deviation = float("nan")
        if self.has_circuits:
            deviation = float((torch.cat(values) - torch.cat(self.exact)).abs().mean())
        return Answers(logits.double().numpy()[None], deviation)

    def _values(self) -> list[Tensor]:
        return [self.head(read).flatten(1) for read in torch.cat(self.seen).split(TOGETHER)]


def measure(
    trained: Trained,
    rows: np.ndarray,
    devices: Devices,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[Key, Answers]:
    """Answers of every network under every setting.

    A network without circuits, which no quantum device changes, is asked once, as it is.

    Args:
        trained: The run.
        rows: Of the images.
        devices: Which, and how many shots.
        seed: Of the shots, the same for all networks.
        progress: Wraps the work, called with an iterable and its length.
    """
    source = Images(trained.inputs.decoded, trained.inputs.labels)
    networks = {name: Network(model) for name, model in trained.models.items()}
    found: dict[Key, list[Answers]] = defaultdict(list)

    def ask(name: str, setting: Setting, draw: int) -> None:
        answers = networks[name].answer(devices, setting, _seed(seed, draw))
        found[name, setting].append(answers)

    def show(chunk: list[int]) -> None:
        images = source[chunk].images
        for network in networks.values():
            network.see(images)

    work: list[Callable[[], None]] = []
    work += [partial(show, chunk.tolist()) for chunk in split_evenly(rows, BATCH_SIZE)]
    for name, network in networks.items():
        for setting in devices.settings() if network.has_circuits else [IDEAL]:
            draws = range(DRAWS if setting.shots else 1)
            work += [partial(ask, name, setting, draw) for draw in draws]
    for step in progress(work, len(work)) if progress else work:
        step()
    return {key: _joined(draws) for key, draws in found.items()}


def _seed(seed: int, draw: int) -> int:
    return int(np.random.SeedSequence([seed, draw]).generate_state(1)[0])


def _joined(draws: list[Answers]) -> Answers:
    return Answers(
        np.concatenate([draw.logits for draw in draws]),
        float(np.mean([draw.deviation for draw in draws])),
    )
