"""Quantum convolution: a circuit as the kernel, a drop-in beside ``nn.Conv2d``."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.circuits.circuit import COMPILED_QUBITS, Circuit, Entangler
from medqnn.circuits.expectation import expectations
from medqnn.errors import CircuitError
from medqnn.layers.quantum import Evaluate

Pair = tuple[int, int]


class QuantumConv2d(nn.Module):
    """Circuits slide over each input channel by itself, as with ``groups=in_channels``.

    The k_h·k_w pixels of a patch, row by row, are angles in radians, one R_y and qubit each; then
    come strongly entangling layers, perhaps pooling, and the readout (quanvolution: Henderson et
    al. 2020). Padding is angle 0, a qubit in |0⟩. Exact simulation, no shots.

    Args:
        in_channels: Channels C of the input.
        out_channels: A multiple of C·outputs, where outputs is what one circuit gives: k_h·k_w for
            each readout, or ⌈k_h·k_w / 2⌉ with pooling. Each input channel is read by
            out_channels / (C·outputs) circuits, all with their own weights.
        kernel_size: Patch height and width k_h and k_w, or one number for both; 1 to 10 pixels.
        stride: Step from patch to patch, one number or (vertical, horizontal).
        padding: Rows and columns added on each side, one number or (vertical, horizontal).
        depth: Strongly entangling layers of each circuit.
        readouts: Pauli operators measured on each qubit, letters of ``XYZ``.
        entangler: Two-qubit gate of the rings: ``cnot``, ``cz``, or ``none`` for none.
        pooling: Whether quantum pooling halves each circuit's outputs.

    Attributes:
        weight: Rotation angles in radians, (circuits, *circuit.weight_shape), drawn uniformly
            from [0, 2π).
        evaluate: How the circuits are evaluated: ``circuits.expectations``, or what else takes its
            arguments.

    Raises:
        CircuitError: If an argument or an input's shape does not fit.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair = 0,
        depth: int = 2,
        readouts: str = "Z",
        entangler: Entangler = "cnot",
        pooling: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = _pair(kernel_size, "kernel_size", least=1)
        self.stride = _pair(stride, "stride", least=1)
        self.padding = _pair(padding, "padding", least=0)
        qubits = math.prod(self.kernel_size)
        if qubits > COMPILED_QUBITS:
            raise CircuitError(
                f"kernel_size is {kernel_size}: give at most {COMPILED_QUBITS} pixels, one a qubit"
            )
        self.circuit = Circuit(qubits, depth, "angle", readouts, entangler, pooling=pooling)
        if in_channels < 1:
            raise CircuitError(f"in_channels is {in_channels}: give at least 1")
        step = in_channels * self.circuit.outputs
        if out_channels < 1 or out_channels % step:
            raise CircuitError(
                f"out_channels is {out_channels}: give a multiple of {step}, in_channels "
                f"({in_channels}) times the outputs of one circuit ({self.circuit.outputs})"
            )
        self.evaluate: Evaluate = expectations
        self.in_channels = in_channels
        self.out_channels = out_channels
        circuits = out_channels // self.circuit.outputs
        self.weight = nn.Parameter(torch.empty(circuits, *self.circuit.weight_shape))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every angle uniformly from [0, 2π)."""
        nn.init.uniform_(self.weight, 0.0, 2.0 * math.pi)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, in_channels, H, W), or one image without B, to values in [-1, 1].

        Returns:
            (B, out_channels, H', W') with H' and W' as for ``nn.Conv2d``. Channels are ordered by
            input channel, then circuit, readout and measured qubit.
        """
        self._check(inputs)
        batch = inputs if inputs.dim() == 4 else inputs.unsqueeze(0)
        values = self._evaluate(batch)
        return values if inputs.dim() == 4 else values.squeeze(0)

    def _evaluate(self, images: Tensor) -> Tensor:
        pad_h, pad_w = self.padding
        if pad_h or pad_w:
            images = F.pad(images, (pad_w, pad_w, pad_h, pad_h))
        patches = _patches(images, self.kernel_size, self.stride)
        _, qubits, *where = patches.shape
        angles = patches.reshape(self.in_channels, qubits, math.prod(where))
        per_channel = len(self.weight) // self.in_channels
        if per_channel > 1:
            angles = angles.repeat_interleave(per_channel, dim=0)
        values = self.evaluate(self.circuit, angles.permute(2, 0, 1), self.weight)
        channels_first = values.permute(1, 2, 0).reshape(self.out_channels, *where)
        return channels_first.transpose(0, 1).contiguous()

    def _check(self, inputs: Tensor) -> None:
        if inputs.dim() not in (3, 4) or inputs.shape[-3] != self.in_channels:
            raise CircuitError(
                f"input has shape {tuple(inputs.shape)}: give (B, {self.in_channels}, H, W) or "
                f"({self.in_channels}, H, W)"
            )
        spans = [size + 2 * pad for size, pad in zip(inputs.shape[-2:], self.padding, strict=True)]
        if any(span < kernel for span, kernel in zip(spans, self.kernel_size, strict=True)):
            raise CircuitError(
                f"input of {inputs.shape[-2]}×{inputs.shape[-1]} pixels with padding "
                f"{self.padding} is smaller than the kernel {self.kernel_size}: enlarge it"
            )

    def extra_repr(self) -> str:
        """Widths and geometry as ``nn.Conv2d`` shows them, then the circuit."""
        spec = self.circuit
        padding = f", padding={self.padding}" if any(self.padding) else ""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}{padding}, depth={spec.depth}, readouts={spec.readouts!r}, "
            f"entangler={spec.entangler!r}, pooling={spec.pooling}"
        )


def _pair(value: int | Pair, name: str, least: int) -> Pair:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or min(pair) < least:
        raise CircuitError(f"{name} is {value!r}: give one or two whole numbers of {least} or more")
    return pair


def _patches(images: Tensor, kernel: Pair, stride: Pair) -> Tensor:
    """Every patch's pixels, (C, k_h k_w, B, H', W'): long dimensions last, for the circuits."""
    batch, channels, height, width = images.shape
    if kernel == stride and not (height % kernel[0] or width % kernel[1]):
        rows, columns = height // kernel[0], width // kernel[1]
        tiles = images.reshape(batch, channels, rows, kernel[0], columns, kernel[1])
        return tiles.permute(1, 3, 5, 0, 2, 4).flatten(1, 2)
    down, right = height - kernel[0] + 1, width - kernel[1] + 1
    pixels = [
        images[:, :, row : row + down : stride[0], column : column + right : stride[1]]
        for row in range(kernel[0])
        for column in range(kernel[1])
    ]
    return torch.stack([pixel.transpose(0, 1) for pixel in pixels], dim=1)
