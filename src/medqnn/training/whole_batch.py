"""Batch norm and dropout of a batch that several processes share, as one process has them."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812
from lightning.pytorch.plugins import TorchSyncBatchNorm
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from medqnn.training.distributed import gathered, on_gpus, place


class WholeBatch(TorchSyncBatchNorm):
    """Gives batch norm the whole batch's statistics and dropout the whole batch's masks.

    On GPUs batch norm is PyTorch's ``SyncBatchNorm``, which refuses tensors of a CPU; there it is
    ``normalise``. Parameters, buffers and their names stay as they are.
    """

    def apply(self, model: nn.Module) -> nn.Module:
        """Replace the layers' forward passes."""
        for layer in model.modules():
            if isinstance(layer, _DropoutNd):
                layer.forward = partial(drop, layer)
            elif isinstance(layer, _BatchNorm) and not on_gpus():
                layer.forward = partial(normalise, layer)  # type: ignore[method-assign]
        return super().apply(model) if on_gpus() else model

    def revert(self, model: nn.Module) -> nn.Module:
        """Give the layers their own forward passes again."""
        for layer in model.modules():
            if isinstance(layer, _DropoutNd | _BatchNorm):
                vars(layer).pop("forward", None)
        return super().revert(model) if on_gpus() else model


def drop(layer: _DropoutNd, inputs: Tensor) -> Tensor:
    """Dropout with this process's part of the mask that one process would draw.

    Every process draws the whole mask, so all must have the same random state.

    Args:
        layer: The dropout layer.
        inputs: (B, ...), of a batch of which this process has B images.
    """
    own = type(layer).forward
    if not layer.training or layer.p == 0:
        return own(layer, inputs)
    start, whole = place(len(inputs))
    ones = torch.empty_like(inputs[:1]).expand(whole, *inputs.shape[1:])
    ones = torch.ones_like(ones, memory_format=_memory_format(inputs))
    return inputs * own(layer, ones)[start : start + len(inputs)]


def normalise(layer: Any, inputs: Tensor) -> Tensor:
    """Batch norm by the statistics of all processes' images, also in its running statistics.

    Args:
        layer: The batch norm, a ``_BatchNorm`` with weights and running statistics.
        inputs: (B, C, ...), of a batch of which this process has B images.
    """
    own = type(layer).forward
    if not layer.training:
        return own(layer, inputs)
    outputs, mean, variance, size = _Normalised.apply(inputs, layer.weight, layer.bias, layer.eps)
    with torch.no_grad():
        layer.num_batches_tracked.add_(1)
        momentum = layer.momentum or 1.0 / float(layer.num_batches_tracked)
        layer.running_mean.lerp_(mean, momentum)
        layer.running_var.lerp_(variance * size / (size - 1), momentum)
    return outputs


class _Normalised(torch.autograd.Function):
    """(x - m) / √(v + ε) · w + b, with m and v over all images and places.

    Of the output's gradient g, with y the normalised input and N its numbers a channel:
    dx = w / √(v + ε) · (g - Σg / N - y Σ(g y) / N) (Ioffe and Szegedy 2015), sums over all.
    """

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, float]:
        mean, variance = torch.batch_norm_update_stats(inputs.to(weight), None, None, 0.0)
        size = inputs.numel() // inputs.shape[1]
        parts = gathered(torch.cat([mean, variance, mean.new_tensor([size])]).double())
        means, variances, sizes = parts.split([len(mean), len(mean), 1], dim=1)
        shares = sizes / sizes.sum()
        mean = (shares * means).sum(0)
        variance = (shares * (variances + (means - mean).square())).sum(0)
        mean, variance = mean.to(weight), variance.to(weight)
        ctx.save_for_backward(inputs, weight, mean, variance)
        ctx.mark_non_differentiable(mean, variance)
        ctx.eps, ctx.size = eps, float(sizes.sum())
        outputs = F.batch_norm(inputs, mean, variance, weight, bias, eps=eps)
        return outputs, mean, variance, ctx.size

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        inputs, weight, mean, variance = ctx.saved_tensors
        by_input, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            *(gradients[0], inputs, weight, mean, variance),
            *(None, None, False, ctx.eps, [True, True, True]),
        )
        sums = torch.stack([by_weight, by_bias])
        dist.all_reduce(sums)
        scale = (variance + ctx.eps).rsqrt()
        slope = weight * scale.square() * sums[0] / ctx.size
        shift = weight * scale * sums[1] / ctx.size - slope * mean
        slope, shift = (one.view(-1, *[1] * (inputs.ndim - 2)) for one in (slope, shift))
        return (by_input - inputs * slope - shift).to(inputs), by_weight, by_bias, None


def _memory_format(inputs: Tensor) -> torch.memory_format:
    """In which a whole batch's draws come in the order of one process's."""
    last = inputs.ndim == 4 and inputs.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
