from __future__ import annotations

import copy
import io
import math
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset

from medqnn.training import gvco
from medqnn.training.gvco import GVCO, Controls, noise_share, update

OPTIONS = (
    {},
    {"beta": 0.8, "momentum_min": 0.2, "momentum_max": 0.9, "rate_floor": 0.3, "clip": 1.5},
    {"momentum_min": 1.0, "rate_floor": 1.0, "clip": math.inf},
    {"beta": 0.95, "weight_decay": 0.1, "eps": 1e-3},
)


def averages(gradients: list[float], beta: float) -> tuple[float, float, float]:
    """m̂, v̂ and ρ of the gradients so far, as sums over all of them."""
    weights = [beta ** (len(gradients) - 1 - i) for i in range(len(gradients))]
    total = sum(weights)
    mean = sum(w * g for w, g in zip(weights, gradients, strict=True)) / total
    square = sum(w * g * g for w, g in zip(weights, gradients, strict=True)) / total
    return mean, square, sum(w * w for w in weights) / total**2


def variance(gradients: list[float], beta: float) -> float:
    mean, square, rho = averages(gradients, beta)
    return max(0.0, (square - mean * mean) / (1 - rho)) if len(gradients) > 1 else 0.0


def reference(weight: float, gradients: list[float], lr: float = 0.01, **options: float) -> float:
    """Where one number ends up: the equations of docs/gvco.md, step by step."""
    defaults = GVCO([torch.zeros(1)], **options).defaults
    beta, eps, clip = defaults["beta"], defaults["eps"], defaults["clip"]
    seen: list[float] = []
    for gradient in gradients:
        g = gradient
        if len(seen) > 1 / (1 - beta):
            centre = averages(seen, beta)[0]
            bound = clip * math.sqrt(variance(seen, beta) + eps**2)
            g = min(max(g, centre - bound), centre + bound)
        seen.append(g)
        mean, square, rho = averages(seen, beta)
        signal = mean**2 + eps**2
        trust = signal / (signal + rho * variance(seen, beta))
        rate = lr * (defaults["rate_floor"] + (1 - defaults["rate_floor"]) * trust)
        most, least = defaults["momentum_max"], defaults["momentum_min"]
        momentum = most - (most - least) * trust
        direction = momentum * mean + (1 - momentum) * g
        weight *= 1 - lr * defaults["weight_decay"]
        weight -= rate * direction / math.sqrt(square + eps**2)
    return weight


def run(optimizer: GVCO, weights: list[Tensor], gradients: list[list[Tensor]]) -> None:
    for step in gradients:
        for weight, gradient in zip(weights, step, strict=True):
            weight.grad = gradient.clone()
        optimizer.step()


def trained(weights: list[Tensor], gradients: list[list[Tensor]], **options: Any) -> list[Tensor]:
    """The weights after a run from copies of these."""
    copies = [weight.clone() for weight in weights]
    run(GVCO(copies, **options), copies, gradients)
    return copies


def noisy(
    shapes: list[tuple[int, ...]], steps: int, dtype: torch.dtype = torch.float64, seed: int = 0
) -> list[list[Tensor]]:
    """Gradients with a mean, noise, and now and then an outlier."""
    random = torch.Generator().manual_seed(seed)
    drawn = []
    for step in range(steps):
        draws = [torch.randn(shape, generator=random, dtype=dtype) + 0.3 for shape in shapes]
        drawn.append([draw * (20.0 if step % 9 == 8 else 1.0) for draw in draws])
    return drawn


@pytest.mark.parametrize("options", OPTIONS)
def test_follows_the_equations(options: dict[str, float]) -> None:
    gradients = noisy([(6,)], 45)
    start = torch.linspace(-1.0, 1.0, 6, dtype=torch.float64)
    (got,) = trained([start], gradients, lr=0.01, **options)
    expected = [
        reference(start[i].item(), [step[0][i].item() for step in gradients], 0.01, **options)
        for i in range(6)
    ]
    torch.testing.assert_close(got, torch.tensor(expected, dtype=got.dtype), rtol=1e-11, atol=0)


@settings(deadline=None, max_examples=25)
@given(
    shapes=st.lists(st.lists(st.integers(0, 5), max_size=4).map(tuple), min_size=1, max_size=5),
    block=st.sampled_from((1, 7, 64)),
    seed=st.integers(0, 2**20),
)
def test_cuts_and_gathers_tensors_as_if_each_number_stood_alone(
    shapes: list[tuple[int, ...]], block: int, seed: int
) -> None:
    gradients = noisy(shapes, 14, seed=seed)
    weights = [torch.ones(shape, dtype=torch.float64) for shape in shapes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gvco, "BLOCK", block)
        cut = trained(weights, gradients, weight_decay=0.1)
    joined = [torch.cat([g.reshape(-1) for g in step]) for step in gradients]
    (whole,) = trained([torch.ones_like(joined[0])], [[g] for g in joined], weight_decay=0.1)
    together = torch.cat([weight.reshape(-1) for weight in cut])
    torch.testing.assert_close(together, whole, rtol=1e-12, atol=0)


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (300, 16, 5, 5)])
def test_memory_format_is_kept_and_does_not_matter(shape: tuple[int, ...]) -> None:
    gradients = noisy([shape], 14, torch.float32)
    plain = torch.zeros(shape)
    last = plain.to(memory_format=torch.channels_last)
    (expected,) = trained([plain], gradients)
    optimizer = GVCO([last])
    run(optimizer, [last], gradients)
    torch.testing.assert_close(last, expected)
    assert last.is_contiguous(memory_format=torch.channels_last)
    mean = optimizer.state[last]["mean"]
    assert mean.is_contiguous(memory_format=torch.channels_last)


def test_float32_stays_near_float64_where_gradients_hardly_vary() -> None:
    """The spread is no difference of two large numbers, which would lose it to rounding."""
    noise = noisy([(500,)], 60)
    gradients = [[1.0 + 1e-4 * step[0]] for step in noise]
    states = []
    for kind in (torch.float64, torch.float32):
        weight = torch.zeros(500, dtype=kind)
        optimizer = GVCO([weight])
        run(optimizer, [weight], [[step[0].to(kind)] for step in gradients])
        states.append(optimizer.state[weight]["spread"].double())
    torch.testing.assert_close(states[1], states[0], rtol=0.05, atol=0)


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("step", [1, 2, 7, 200])
def test_noise_share_is_the_sum_of_squared_weights(beta: float, step: int) -> None:
    assert noise_share(beta, step) == pytest.approx(averages([0.0] * step, beta)[2], rel=1e-9)


@pytest.mark.parametrize("steps", [2, 3, 10, 40])
def test_variance_estimate_is_unbiased(steps: int) -> None:
    """Gradients of constant mean: s averages to σ², and the mean's own variance is ρ σ²."""
    random, sigma, count = torch.Generator().manual_seed(steps), 2.0, 200_000
    mean, spread = torch.zeros(count).double(), torch.zeros(count).double()
    controls = Controls(0.9, 0.5, 1.0, 0.1, math.inf, 1e-8)
    for step in range(1, steps + 1):
        gradient = 0.7 + sigma * torch.randn(count, generator=random, dtype=torch.float64)
        update(gradient, mean, spread, step, controls)
    rho = noise_share(0.9, steps)
    assert (spread / (1 - rho)).mean().item() == pytest.approx(sigma**2, rel=0.02)
    assert mean.mean().item() == pytest.approx(0.7, abs=0.03)
    assert mean.var().item() == pytest.approx(rho * sigma**2, rel=0.02)


@pytest.mark.parametrize("factor", [1e-3, 40.0])
def test_scale_of_the_gradients_does_not_matter(factor: float) -> None:
    gradients = noisy([(50,)], 30)
    start = torch.zeros(50, dtype=torch.float64)
    scaled = [[g * factor for g in step] for step in gradients]
    (one,), (other,) = trained([start], gradients), trained([start], scaled)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=0)


def test_without_its_controls_it_is_adam_with_equal_betas() -> None:
    gradients = noisy([(50,)], 40)
    start = torch.zeros(50, dtype=torch.float64)
    (got,) = trained([start], gradients, momentum_min=1.0, rate_floor=1.0, clip=math.inf)
    adam = torch.optim.Adam([start], lr=0.01, betas=(0.9, 0.9))
    run(adam, [start], gradients)  # type: ignore[arg-type]
    torch.testing.assert_close(got, start, rtol=1e-6, atol=0)


def test_steps_are_bold_where_gradients_agree_and_careful_where_they_are_noise() -> None:
    random = torch.Generator().manual_seed(0)
    agree, noise = torch.zeros(1000), torch.zeros(1000)
    optimizer = GVCO([agree, noise], lr=0.01)
    for _ in range(50):
        before = agree.clone(), noise.clone()
        agree.grad, noise.grad = torch.ones(1000), torch.randn(1000, generator=random)
        optimizer.step()
    bold, careful = (agree - before[0]).abs(), (noise - before[1]).abs()
    torch.testing.assert_close(bold, torch.full((1000,), 0.01))
    assert careful.mean() < 0.2 * 0.01
    plain = Controls(0.9, 1.0, 1.0, 1.0, math.inf, 1e-8)
    state = optimizer.state[noise]
    direction, scale = update(noise.grad, state["mean"], state["spread"], 51, plain)
    assert (direction * scale).abs().mean() > 0.2, "as careful without the controls"


@pytest.mark.parametrize(("steps", "clipped"), [(10, False), (11, True), (30, True)])
def test_an_outlier_is_clipped_but_not_in_the_first_steps(steps: int, clipped: bool) -> None:
    weight = torch.zeros(1, dtype=torch.float64)
    optimizer = GVCO([weight])
    run(optimizer, [weight], noisy([(1,)], steps))
    mean, spread = (optimizer.state[weight][name].item() for name in ("mean", "spread"))
    run(optimizer, [weight], [[torch.full((1,), 1e6, dtype=torch.float64)]])
    bound = 3 * math.sqrt(spread / (1 - noise_share(0.9, steps)))
    newest = 0.1 / (1 - 0.9 ** (steps + 1))
    expected = newest * (bound if clipped else 1e6 - mean)
    moved = optimizer.state[weight]["mean"].item() - mean
    assert moved == pytest.approx(expected, rel=1e-9)


def test_infinite_gradients_are_clipped_and_what_is_no_number_spoils_its_element_alone() -> None:
    weight = torch.zeros(3)
    optimizer = GVCO([weight])
    gradients = [step[0].float() for step in noisy([(3,)], 20)]
    run(optimizer, [weight], [[g] for g in gradients])
    before = weight.clone()
    run(optimizer, [weight], [[torch.tensor([math.inf, math.nan, 1.0])]])
    run(optimizer, [weight], [[g] for g in gradients])
    assert weight[0].isfinite()
    assert weight[0] != before[0]
    assert weight[1].isnan()
    assert weight[2].isfinite()


def test_a_weight_that_slept_wakes_up() -> None:
    """Clipping to a variance of zero would hold its gradient at zero for good."""
    weight = torch.zeros(1)
    optimizer = GVCO([weight], lr=0.01)
    run(optimizer, [weight], [[torch.zeros(1)]] * 50)
    assert weight.item() == 0
    run(optimizer, [weight], [[torch.ones(1)]] * 100)
    assert optimizer.state[weight]["mean"].item() == pytest.approx(1.0, rel=0.05)
    assert weight.item() < -0.8


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_gradients_of_zero_move_nothing(dtype: torch.dtype) -> None:
    (weight,) = trained([torch.ones(4, dtype=dtype)], [[torch.zeros(4, dtype=dtype)]] * 20)
    assert (weight == 1).all()


def test_weight_decay_is_decoupled() -> None:
    options = {"lr": 0.1, "weight_decay": 0.5}
    (weight,) = trained([torch.ones(4)], [[torch.zeros(4)]] * 10, **options)
    torch.testing.assert_close(weight, torch.full((4,), 0.95**10))


def test_maximize_is_the_descent_of_minus_the_loss() -> None:
    gradients = noisy([(50,)], 30)
    start = torch.zeros(50, dtype=torch.float64)
    (up,) = trained([start], gradients, maximize=True)
    (down,) = trained([start], [[-step[0]] for step in gradients])
    assert torch.equal(up, down)


def test_weights_without_gradient_stay_and_count_their_own_steps() -> None:
    early, late = torch.zeros(3), torch.zeros(3)
    optimizer = GVCO([early, late], weight_decay=0.1)
    for step in range(5):
        early.grad = torch.ones(3)
        late.grad = torch.ones(3) if step == 4 else None
        optimizer.step()
        assert step == 4 or not optimizer.state[late]
    assert optimizer.state[early]["step"].item() == 5
    assert optimizer.state[late]["step"].item() == 1
    torch.testing.assert_close(late, torch.full((3,), -0.01))
    optimizer.zero_grad()
    before = early.clone()
    optimizer.step()
    assert torch.equal(early, before)


def test_groups_have_their_own_options() -> None:
    gradients = noisy([(5,), (5,)], 20)
    one, other = (torch.ones(5, dtype=torch.float64) for _ in range(2))
    optimizer = GVCO([{"params": [one], "lr": 0.01, "clip": 1.0}], weight_decay=0.2)
    optimizer.add_param_group({"params": [other], "beta": 0.5})
    run(optimizer, [one, other], gradients)
    start = torch.ones(5, dtype=torch.float64)
    first = [[step[0]] for step in gradients]
    second = [[step[1]] for step in gradients]
    (expected,) = trained([start], first, lr=0.01, clip=1.0, weight_decay=0.2)
    assert torch.equal(one, expected)
    (expected,) = trained([start], second, beta=0.5, weight_decay=0.2)
    assert torch.equal(other, expected)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("lr", -0.1),
        ("lr", math.inf),
        ("lr", math.nan),
        ("lr", torch.tensor(0.1)),
        ("beta", 0.0),
        ("beta", 1.0),
        ("momentum_min", 1.1),
        ("momentum_min", -0.1),
        ("momentum_min", math.nan),
        ("momentum_max", 1.1),
        ("momentum_max", 0.4),
        ("momentum_min", None),
        ("rate_floor", -0.1),
        ("clip", 0.0),
        ("clip", None),
        ("eps", 0.0),
        ("weight_decay", -1e-4),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: Any) -> None:
    message = r"^GVCO's \w+ is .*: give a .*number"
    with pytest.raises(ValueError, match=message):
        GVCO([torch.zeros(1)], **{option: value})
    with pytest.raises(ValueError, match=message):
        GVCO([{"params": [torch.zeros(1)], option: value}])


def test_complex_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="view_as_real"):
        GVCO([torch.zeros(2, dtype=torch.complex64)])


def test_sparse_gradients_are_refused_before_anything_changes() -> None:
    dense, table = nn.Linear(2, 1), nn.Embedding(10, 2, sparse=True)
    optimizer = GVCO([{"params": dense.parameters()}, {"params": table.parameters()}])
    dense(table(torch.tensor([1, 3]))).sum().backward()
    before = copy.deepcopy(dense.state_dict())
    with pytest.raises(RuntimeError, match=r"sparse=False, or .* torch.optim.SparseAdam"):
        optimizer.step()
    assert not optimizer.state
    assert all(torch.equal(before[name], value) for name, value in dense.state_dict().items())


def test_closure_is_evaluated_with_gradients() -> None:
    weight = torch.ones(3, requires_grad=True)
    optimizer = GVCO([weight], lr=0.1)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(20)]
    assert losses[0] == 3
    assert losses[-1] < 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_saved_state_goes_on_bit_by_bit(dtype: torch.dtype) -> None:
    shapes = [(40, 3), (5,), ()]
    gradients = [[g.to(dtype) for g in step] for step in noisy(shapes, 40)]
    whole = [torch.zeros(shape, dtype=dtype) for shape in shapes]
    run(GVCO(whole, clip=2.0), whole, gradients)

    cut = [torch.zeros(shape, dtype=dtype) for shape in shapes]
    first = GVCO(cut, clip=2.0)
    run(first, cut, gradients[:17])
    file = io.BytesIO()
    torch.save({"optimizer": first.state_dict(), "weights": cut}, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    second = GVCO(loaded["weights"])
    second.load_state_dict(loaded["optimizer"])
    run(second, loaded["weights"], gradients[17:])
    for one, other in zip(whole, loaded["weights"], strict=True):
        assert torch.equal(one, other)


def test_schedulers_set_the_rate() -> None:
    weight = torch.zeros(1)
    optimizer = GVCO([weight], lr=0.1)
    schedulers = [CosineAnnealingLR(optimizer, 10), ReduceLROnPlateau(optimizer, patience=2)]
    steps = []
    for _ in range(10):
        before = weight.clone()
        run(optimizer, [weight], [[torch.ones(1)]])
        steps.append((before - weight).item())
        schedulers[0].step()
        schedulers[1].step(1.0)
    cosine = [0.05 * (1 + math.cos(math.pi * step / 10)) for step in range(4)]
    assert steps[:4] == pytest.approx(cosine, rel=1e-5)
    assert steps[4] < 0.2 * cosine[3], "the plateau cuts it tenfold"


def test_learns_a_noisy_quadratic() -> None:
    random = torch.Generator().manual_seed(0)
    target, weight = torch.linspace(-1, 1, 20), torch.zeros(20)
    curvature = torch.logspace(-2, 2, 20)
    optimizer = GVCO([weight], lr=0.02)
    for _ in range(600):
        noise = torch.randn(20, generator=random)
        weight.grad = curvature * (weight - target + 0.3 * noise)
        optimizer.step()
    assert (weight - target).abs().max() < 0.15


class Classifier(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
        self.losses: list[float] = []

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        loss = nn.functional.cross_entropy(self.net(batch[0]).float(), batch[1])
        self.losses.append(loss.item())
        return loss

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = GVCO(self.parameters(), lr=0.02, weight_decay=1e-3)
        return {"optimizer": optimizer, "lr_scheduler": CosineAnnealingLR(optimizer, 8)}


def lightning_run(
    folder: Path, epochs: int, precision: str, checkpoint: Path | None = None
) -> Classifier:
    inputs = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
    batches = DataLoader(TensorDataset(inputs, (inputs[:, 0] > 0).long()), 16, num_workers=0)
    module = Classifier()
    trainer = L.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        precision=precision,  # type: ignore[arg-type]
        gradient_clip_val=0.5,
        callbacks=[ModelCheckpoint(folder, "last", enable_version_counter=False)],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, batches, ckpt_path=checkpoint, weights_only=True)
    return module


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:.*LeafSpec")
@pytest.mark.filterwarnings("ignore:Checkpoint directory .* is not empty")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_lightning_trains_clips_schedules_and_resumes_bit_by_bit(
    tmp_path: Path, precision: str
) -> None:
    whole = lightning_run(tmp_path / "whole", 8, precision)
    assert whole.losses[-1] < 0.5 * whole.losses[0]
    lightning_run(tmp_path / "cut", 3, precision)
    resumed = lightning_run(tmp_path / "cut", 8, precision, tmp_path / "cut" / "last.ckpt")
    assert len(resumed.losses) == 5 * 4
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
