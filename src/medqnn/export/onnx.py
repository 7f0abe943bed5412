"""A network as an ONNX file that needs neither PyTorch nor medqnn, checked before it is kept."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from medqnn.errors import RunError
from medqnn.export.constants import constant
from medqnn.export.extras import extra
from medqnn.training.folder import cannot_write

with extra("export"):
    import onnx
    import onnxruntime
    import onnxscript  # noqa: F401 - which PyTorch's exporter is written in

OPSET = 18
"""Of 2022: old enough for the runtimes in use, and what PyTorch's exporter writes itself."""

TOLERANCE = 1e-5
"""Largest difference from PyTorch, relative to the largest number of an output if above 1."""

INPUT = "images"
BATCH = 32  # images checked at once


class Written(NamedTuple):
    """An ONNX file and its check.

    Attributes:
        path: Of the file.
        difference: Largest difference from PyTorch over all images and outputs; see ``TOLERANCE``.
        images: How many images it was checked with.
    """

    path: Path
    difference: float
    images: int


class Deployed(nn.Module):
    """A network as it is used: from images to probabilities, logits, and perhaps attention.

    Args:
        model: Of ``models.SYSTEMS``.
        multilabel: Whether the classes are findings that may stand together.
    """

    def __init__(self, model: nn.Module, multilabel: bool) -> None:
        super().__init__()
        self.model = model
        self.multilabel = multilabel

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map images float32 (B, C, H, W) in [0, 1].

        Returns:
            Probabilities (B, K), logits (B, K), and of a model with attention its map
            (B, 1, h, w) in [0, 1].
        """
        output = self.model(images)
        logits = output.logits
        told = logits.sigmoid() if self.multilabel else logits.softmax(dim=1)
        if output.attention is None:
            return told, logits
        return told, logits, output.attention.sigmoid()


def write_onnx(
    model: nn.Module, images: Tensor, path: Path, facts: Mapping[str, Any], multilabel: bool
) -> Written:
    """Write a model, its quantum layers multiplied out, and compare it with PyTorch's answers.

    The file appears only if the comparison succeeds. The number of images at once is free.

    Args:
        model: Of ``models.SYSTEMS``, with the weights that count; left as it is.
        images: To compare with, float32 (B, C, H, W) in [0, 1]; one at least.
        path: Where to write.
        facts: What the file is to say of itself: text, or values for JSON.
        multilabel: See ``Deployed``.

    Raises:
        CircuitError: If a quantum layer is no constant matrix.
        RunError: If the file cannot be written, or its numbers differ from PyTorch's.
    """
    truth = Deployed(model.eval(), multilabel)
    program = _exported(Deployed(constant(model), multilabel).eval(), images[:1])
    _describe(program, facts)
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(program, partial)
        difference = compare(partial, truth, images)
        os.replace(partial, path)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return Written(path, difference, len(images))


def compare(path: Path, truth: nn.Module, images: Tensor) -> float:
    """Run a file in ONNX Runtime, one image alone and then in batches, beside PyTorch.

    Returns:
        The largest difference, relative to the largest number of an output if that is above 1.

    Raises:
        RunError: If it is above ``TOLERANCE``, or no number.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch in (images[:1], *images.split(BATCH)):
        with torch.inference_mode():
            expected = truth(batch)
        for ours, theirs in zip(expected, session.run(None, {INPUT: batch.numpy()}), strict=True):
            off = np.abs(ours.numpy() - theirs).max() / max(1.0, float(ours.abs().max()))
            worst = max(worst, float(off)) if np.isfinite(off) else float("inf")
    if worst > TOLERANCE:
        raise RunError(
            f"ONNX Runtime differs from PyTorch by {worst:.1e} (at most {TOLERANCE:.0e}), so the "
            "file was removed: try another version of onnxruntime"
        )
    return worst


def _exported(model: Deployed, images: Tensor) -> onnx.ModelProto:
    names = ["probabilities", "logits", "attention"]
    with torch.no_grad():
        count = len(model(images))
    with _quiet():
        program = torch.onnx.export(
            model,
            (images.repeat(2, 1, 1, 1),),  # of one image the batch would be taken for a constant
            dynamo=True,
            opset_version=OPSET,
            verbose=False,
            input_names=[INPUT],
            output_names=names[:count],
            dynamic_shapes={INPUT: {0: "batch"}},
        )
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of its steps, of packages it lacks, and of PyTorch's own old calls."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stdout(None):
            yield
    finally:
        log.setLevel(level)


def _describe(program: onnx.ModelProto, facts: Mapping[str, Any]) -> None:
    """Put the facts in, and take out what tells of this machine: nodes name files of source."""
    graph = program.graph
    for holder in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del holder.metadata_props[:]
        holder.doc_string = ""
    for function in program.functions:
        for holder in (function, *function.node):
            del holder.metadata_props[:]
            holder.doc_string = ""
    text = {key: v if isinstance(v, str) else json.dumps(v) for key, v in facts.items()}
    onnx.helper.set_model_props(program, text)
