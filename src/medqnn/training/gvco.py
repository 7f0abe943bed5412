"""GVCO, the gradient variance-controlled optimiser: a reconstruction.

Yousif and Kamal (2025) describe the optimiser in words, and its equations are not available to us;
the ones here are ours. ``docs/gvco.md`` says how they came about and what they are worth.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from numbers import Real
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

BLOCK = 131072  # elements a thread takes at once: what it works on stays in its cache

RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "lr": ("a finite number from 0", lambda value: 0 <= value < math.inf),
    "beta": ("a number between 0 and 1", lambda value: 0 < value < 1),
    "momentum_min": ("a number from 0 to 1", lambda value: 0 <= value <= 1),
    "momentum_max": ("a number from 0 to 1", lambda value: 0 <= value <= 1),
    "rate_floor": ("a number from 0 to 1", lambda value: 0 <= value <= 1),
    "clip": ("a number above 0, infinity for no clipping", lambda value: value > 0),
    "eps": ("a finite number above 0", lambda value: 0 < value < math.inf),
    "weight_decay": ("a finite number from 0", lambda value: 0 <= value < math.inf),
}


class Controls(NamedTuple):
    """What decides an update apart from its size; see ``GVCO``."""

    beta: float
    momentum_min: float
    momentum_max: float
    rate_floor: float
    clip: float
    eps: float


def noise_share(beta: float, step: int) -> float:
    """ρ: the variance of the bias-corrected mean of ``step`` gradients over that of one gradient.

    ρ = (1 - β)² (1 - β^2t) / ((1 - β^t)² (1 - β²)), from 1 at the first step to (1 - β) / (1 + β).
    """
    return (1 - beta) ** 2 * (1 - beta ** (2 * step)) / ((1 - beta**step) ** 2 * (1 - beta**2))


def update(
    gradient: Tensor, mean: Tensor, spread: Tensor, step: int, c: Controls
) -> tuple[Tensor, Tensor]:
    """One update, element by element, to be scaled by -η.

    Args:
        gradient: g, of any shape.
        mean: m̂, bias-corrected moving average of g; the new one is written in its place.
        spread: v̂ - m̂², v̂ being that of g²; the new one is written in its place.
        step: t, from 1.
        c: The controls.

    Returns:
        Two factors of g's shape: (γ_min + (1 - γ_min) γ) (μ m̂ + (1 - μ) g), and 1 / √(v̂ + ε²).
    """
    floor = mean.new_full((), max(c.eps**2, torch.finfo(mean.dtype).tiny))
    innovation = gradient - mean
    if step > 1 + 1 / (1 - c.beta) and c.clip < math.inf:
        factor = c.clip**2 / (1 - noise_share(c.beta, step - 1))
        bound = torch.add(floor * c.clip**2, spread, alpha=factor).sqrt_()  # k √(s + ε²)
        innovation.clamp_(-bound, bound)
    newest = (1 - c.beta) / (1 - c.beta**step)  # the newest gradient's weight in m̂
    spread.addcmul_(innovation, innovation, value=newest).mul_(1 - newest)
    mean.add_(innovation, alpha=newest)

    rho = noise_share(c.beta, step)
    signal = torch.addcmul(floor, mean, mean)  # m̂² + ε²
    trust = torch.add(signal, spread, alpha=rho / (1 - rho) if step > 1 else 0.0)
    torch.div(signal, trust, out=trust)
    rest = 1 - newest  # times innovation: g - m̂, m̂ being the new one
    mixed = torch.addcmul(mean, innovation, trust, value=rest * (c.momentum_max - c.momentum_min))
    if c.momentum_max < 1:
        mixed.add_(innovation, alpha=rest * (1 - c.momentum_max))
    rate = torch.add(mean.new_full((), c.rate_floor), trust, alpha=1 - c.rate_floor)
    return mixed.mul_(rate), signal.add_(spread).rsqrt_()


class GVCO(Optimizer):
    """Gradient variance-controlled optimiser, a reconstruction (after Yousif and Kamal 2025).

    From the moving averages of each parameter's gradient g and its square come the variance s of
    the gradient and ρ s, that of its mean m̂ (Balles and Hennig 2018). The trust
    γ = m̂² / (m̂² + ρ s) is near 1 where gradients agree and near 0 where they are noise; it decides
    learning rate and momentum, element by element, and s bounds what a single gradient can do.

    A gradient that is not a number spoils its element for good, as in PyTorch's own optimisers; an
    infinite one is clipped, once the first steps are over.

    Args:
        params: Parameters, or groups of them with options of their own.
        lr: Learning rate η.
        beta: β, decay of the moving averages.
        momentum_min: μ_min: the update follows μ m̂ + (1 - μ) g, with μ = μ_max - (μ_max - μ_min) γ.
        momentum_max: μ_max; the same as μ_min fixes the momentum.
        rate_floor: γ_min: the learning rate is η (γ_min + (1 - γ_min) γ); 1 fixes it.
        clip: k: gradients are clipped to m̂ ± k √s; infinity for no clipping.
        eps: ε, a gradient to be taken for zero.
        weight_decay: Decoupled: each step first shrinks the weights by η times this.
        maximize: Whether to climb.

    Raises:
        ValueError: If an option is out of its range, or a parameter is complex.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 0.01,
        *,
        beta: float = 0.9,
        momentum_min: float = 0.5,
        momentum_max: float = 1.0,
        rate_floor: float = 0.1,
        clip: float = 3.0,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        controls = Controls(beta, momentum_min, momentum_max, rate_floor, clip, eps)
        others = {"lr": lr, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, controls._asdict() | others)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, which are checked."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for name, (expected, holds) in RANGES.items():
            if not isinstance(group[name], Real) or not holds(group[name]):
                raise ValueError(f"GVCO's {name} is {group[name]}: give {expected}")
        if group["momentum_min"] > (most := group["momentum_max"]):
            raise ValueError(f"GVCO's momentum_min is above momentum_max: give a number to {most}")
        if any(weight.is_complex() for weight in group["params"]):
            raise ValueError("GVCO got a complex parameter: give its torch.view_as_real")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; parameters without a gradient stay as they are.

        Args:
            closure: Evaluates the model again and returns the loss.

        Returns:
            The closure's loss, or None.

        Raises:
            RuntimeError: If a gradient is sparse; nothing has changed then.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._refuse_sparse()
        for group in self.param_groups:
            for step, pieces in self._alike(group):
                for block in _blocks(pieces):
                    _advance(block, step, group)
        return loss

    def _refuse_sparse(self) -> None:
        weights = (weight for group in self.param_groups for weight in group["params"])
        if any(weight.grad is not None and weight.grad.is_sparse for weight in weights):
            raise RuntimeError(
                "GVCO got a sparse gradient, of which it knows no variance: build the layer with "
                "sparse=False, or give its parameters to torch.optim.SparseAdam"
            )

    def _alike(self, group: dict[str, Any]) -> list[tuple[int, list[Piece]]]:
        """Parameters with a gradient, by steps taken, device and dtype; the new step counted."""
        alike = defaultdict(list)
        for weight in group["params"]:
            if weight.grad is None:
                continue
            state = self.state[weight]
            if not state:
                state["step"] = torch.tensor(0.0)
                state["mean"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
                state["spread"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
            state["step"] += 1
            piece = Piece(weight, weight.grad, state["mean"], state["spread"])
            alike[int(state["step"]), weight.device, weight.dtype].append(piece)
        return [(step, pieces) for (step, *_), pieces in alike.items()]


class Piece(NamedTuple):
    """A parameter or some of its rows, with gradient and averages, all of one shape."""

    weight: Tensor
    gradient: Tensor
    mean: Tensor
    spread: Tensor


def _blocks(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """Cut large pieces and gather small ones, so that a block fits the processor's cache.

    Another device works through all at once.
    """
    if pieces[0].weight.device.type != "cpu":
        yield pieces
        return
    most = BLOCK * torch.get_num_threads()
    gathered: list[Piece] = []
    room = most
    for piece in pieces:
        elements = piece.weight.numel()
        if elements > most:
            rows = max(1, most * len(piece.weight) // elements)
            for cut in zip(*(tensor.split(rows) for tensor in piece), strict=True):
                yield [Piece(*cut)]
            continue
        if elements > room:
            yield gathered
            gathered, room = [], most
        gathered.append(piece)
        room -= elements
    if gathered:
        yield gathered


def _advance(block: list[Piece], step: int, group: dict[str, Any]) -> None:
    """Move a block's weights, its pieces taken as one long vector."""
    weights, gradients, means, spreads = (list(tensors) for tensors in zip(*block, strict=True))
    gradient, mean, spread = _join(gradients), _join(means), _join(spreads)
    controls = Controls(*(group[name] for name in Controls._fields))
    ascent = -gradient if group["maximize"] else gradient
    direction, scale = update(ascent, mean, spread, step, controls)
    if group["weight_decay"]:
        torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
    parts = _part(direction, weights), _part(scale, weights)
    torch._foreach_addcmul_(weights, *parts, value=-group["lr"])
    if len(block) > 1:
        torch._foreach_copy_(means, _part(mean, means))
        torch._foreach_copy_(spreads, _part(spread, spreads))


def _join(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat([t.reshape(-1) for t in tensors])


def _part(joined: Tensor, like: list[Tensor]) -> list[Tensor]:
    if len(like) == 1:
        return [joined]
    parts = joined.split([tensor.numel() for tensor in like])
    return [part.view(tensor.shape) for part, tensor in zip(parts, like, strict=True)]
