"""Other readings of the paper's words, tried before GVCO's equations were settled.

Every alternative is one optimiser with more switches than GVCO has, slow and plain. The tasks are
smaller than those of the final comparison, and the seeds others: its tuning seeds.
``python benchmarks/gvco.py --tables`` shows the results.

    python benchmarks/gvco_alternatives.py --data FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from _gvco_tasks import SETS, load_task
from gvco import GRADIENTS, TRIED, TUNING_SEEDS, Make, proceed
from pytorch_optimizer import AdaBelief
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer

from medqnn.training.gvco import noise_share

SIZES, EPOCHS = {"train": 600, "val": 400}, {"hqcnn-gvco": 10, "hqcm-ebtc": 8}


class Alternative(Optimizer):
    """GVCO as written in docs/gvco.md, with its parts exchangeable.

    Args:
        params: Parameters.
        lr: η.
        beta: β of m.
        beta_square: β of v, or of the variance about the running mean.
        variance: "moments": from v̂ - m̂²; "innovations": mean of (g - m̂)² / (1 + ρ), each with the
            m̂ before it.
        normaliser: What the direction is divided by: "rms" √v̂, "deviation" √s, "signal" the
            root of m̂² + ρ s; "sign" takes the direction's sign, "none" the direction.
        noise: "mean" compares m̂² with ρ s, "gradient" with s.
        power: Exponent of the trust in the learning rate and the momentum.
        floor: γ_min.
        momentum: μ_min and 1.
        clip: k, or None.
        vary_decay: Whether μ is the decay of a momentum buffer instead of a mixing weight.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        beta: float = 0.9,
        beta_square: float = 0.9,
        variance: str = "moments",
        normaliser: str = "rms",
        noise: str = "mean",
        power: float = 1.0,
        floor: float = 0.1,
        momentum: tuple[float, float] = (0.5, 1.0),
        clip: float | None = 3.0,
        vary_decay: bool = False,
    ) -> None:
        self.options = {name: value for name, value in locals().items() if name != "params"}
        self.steps = 0
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One step."""
        self.steps += 1
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group["lr"])

    def _move(self, weight: Tensor, lr: float) -> None:
        o: dict[str, Any] = self.options
        state = self.state[weight]
        if not state:
            for name in ("mean", "square", "variance", "buffer"):
                state[name] = torch.zeros_like(weight)
        gradient, mean, square, variance = self._moments(weight.grad, state)
        noise = variance * (noise_share(o["beta"], self.steps) if o["noise"] == "mean" else 1.0)
        signal = mean.square() + 1e-16
        trust = (signal / (signal + noise)) ** o["power"]
        low, high = o["momentum"]
        momentum = low + (high - low) * (1 - trust)
        if o["vary_decay"]:
            direction = state["buffer"].mul_(momentum).add_((1 - momentum) * gradient)
        else:
            direction = momentum * mean + (1 - momentum) * gradient
        scale = {
            "rms": square + 1e-16,
            "deviation": variance + 1e-16 if self.steps > 1 else square + 1e-16,
            "signal": signal + noise,
            "sign": direction.square() + 1e-30,
            "none": torch.ones_like(mean),
        }[o["normaliser"]]
        weight.sub_(lr * (o["floor"] + (1 - o["floor"]) * trust) * direction / scale.sqrt())

    def _moments(self, gradient: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Clipped gradient, its mean, mean square and variance."""
        o, t = self.options, self.steps
        beta, beta_square = o["beta"], o["beta_square"]
        mean = state["mean"] / (1 - beta ** (t - 1)) if t > 1 else state["mean"]
        if o["clip"] and t > 1 + 1 / (1 - beta):
            bound = o["clip"] * (state["variance"] + 1e-16).sqrt()
            gradient = gradient.clamp(mean - bound, mean + bound)
        surprise = gradient - mean
        state["mean"].lerp_(gradient, 1 - beta)
        state["square"].lerp_(gradient.square(), 1 - beta_square)
        mean = state["mean"] / (1 - beta**t)
        square = state["square"] / (1 - beta_square**t)
        if o["variance"] == "moments" and t > 1:
            spread = (square - mean.square()).clamp_min(0)
            state["variance"] = spread / (1 - noise_share(beta, t))
        elif t > 1:
            one = surprise.square() / (1 + noise_share(beta, t - 1))
            newest = (1 - beta_square) / (1 - beta_square ** (t - 1))
            state["variance"].lerp_(one, newest)
            square = mean.square() + state["variance"]
        return gradient, mean, square, state["variance"]


RATES, LARGE, SMALL = (0.003, 0.01, 0.03), (0.1, 0.3, 1.0), (0.0003, 0.001, 0.003)
ALTERNATIVES: dict[str, tuple[Make, tuple[float, ...]]] = {
    "Adam": (Adam, RATES),
    "Adam, both betas 0.9": (partial(Adam, betas=(0.9, 0.9)), RATES),
    "AdaBelief": (AdaBelief, RATES),
    "SGD, momentum 0.9": (partial(SGD, momentum=0.9), (0.01, 0.03, 0.1)),
    "**as kept**": (Alternative, RATES),
    "no clipping": (partial(Alternative, clip=None), RATES),
    "clipping at k = 1.5": (partial(Alternative, clip=1.5), RATES),
    "learning rate fixed (γ_min = 1)": (partial(Alternative, floor=1.0), RATES),
    "γ_min = 0.3": (partial(Alternative, floor=0.3), RATES),
    "γ_min = 0": (partial(Alternative, floor=0.0), RATES),
    "momentum fixed, μ = 1": (partial(Alternative, momentum=(1.0, 1.0)), RATES),
    "momentum fixed, μ = 0.75": (partial(Alternative, momentum=(0.75, 0.75)), RATES),
    "momentum fixed, μ = 0.5": (partial(Alternative, momentum=(0.5, 0.5)), RATES),
    "μ_min = 0": (partial(Alternative, momentum=(0.0, 1.0)), RATES),
    "decay of the momentum varies, 0 to 0.9": (
        partial(Alternative, momentum=(0.0, 0.9), vary_decay=True),
        RATES,
    ),
    "trust without ρ": (partial(Alternative, noise="gradient"), RATES),
    "square root of the trust": (partial(Alternative, power=0.5), RATES),
    "divided by √s": (partial(Alternative, normaliser="deviation"), (0.001, 0.003, 0.01)),
    "divided by √(m̂² + ρ s)": (partial(Alternative, normaliser="signal"), RATES),
    "sign of the direction": (partial(Alternative, normaliser="sign"), SMALL),
    "not divided": (partial(Alternative, normaliser="none"), LARGE),
    "β = 0.8": (partial(Alternative, beta=0.8, beta_square=0.8), RATES),
    "β = 0.95": (partial(Alternative, beta=0.95, beta_square=0.95), RATES),
    "β = 0.99 for v": (partial(Alternative, beta_square=0.99), RATES),
    "β = 0.99 for v, no clipping": (partial(Alternative, beta_square=0.99, clip=None), RATES),
    "s about the running mean": (partial(Alternative, variance="innovations"), RATES),
    "s about the running mean, β = 0.99 for it, no clipping": (
        partial(Alternative, variance="innovations", beta_square=0.99, clip=None),
        RATES,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with both data sets")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tasks = {system: load_task(system, options.data, SIZES) for system in SETS}
    for (name, (make, rates)), seed in product(ALTERNATIVES.items(), TUNING_SEEDS):
        for system, gradients in product(SETS, GRADIENTS):
            keys = [(system, gradients, name, rate, seed) for rate in rates]
            proceed(TRIED, tasks[system], keys, make, EPOCHS[system], whole=False)


if __name__ == "__main__":
    main()
