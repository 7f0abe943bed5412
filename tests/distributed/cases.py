"""What two processes and one are to do alike, and what each of two says of itself.

Torchrun runs this file: ``cases.py DATA OUT``. Every process writes what it ended with to OUT.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from medqnn.errors import DataError, MedqnnError
from medqnn.training import distributed
from medqnn.training.batches import Batch
from medqnn.training.fit import build_model, fit
from medqnn.training.inputs import load_inputs
from medqnn.training.module import ClassifierModule
from medqnn.training.recipe import Recipe, load
from medqnn.training.whole_batch import WholeBatch
from training.tiny import SMALL

SGD = ("training.optimizer=sgd", "training.learning_rate=0.05", "training.weight_decay=0.01")
TRAINED = {  # batches of odd sizes, so that two shares differ
    "sgd": ("hqcm-ebtc", (*SMALL, *SGD, "training.batch_size=7", "model.dropout=0.3")),
    "gvco": ("hqcm-ebtc", (*SMALL, "training.optimizer=gvco", "training.batch_size=7")),
    "adamw": ("hqcm-ebtc", (*SMALL, "training.batch_size=7")),
    "findings": (
        "hqcnn-medmnist",
        (*SGD, "loss.class_weights=true", "training.batch_size=10", "training.epochs=1"),
    ),
}


def recipe(name: str) -> Recipe:
    system, sets = TRAINED[name]
    return load(system, sets)


def train(name: str, data: Path, folder: Path) -> nn.Module:
    """Train a case's hybrid on the folder of images, or the file of findings, in ``data``."""
    spec = recipe(name)
    source = data / ("findings.npz" if name == "findings" else "squares")
    inputs = load_inputs(spec, str(source))
    folder.mkdir(parents=True, exist_ok=True)
    return fit(inputs.recipe, "hybrid", inputs, folder, bar=False)


def whole_batch(whole: Tensor, part: slice) -> dict[str, Tensor]:
    """Batch norm, then dropout, of a part of a batch; what comes out, and all gradients."""
    torch.manual_seed(0)
    wide = torch.promote_types(whole.dtype, torch.float32)
    layers = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.4)).to(wide)
    nn.init.uniform_(layers[0].weight)
    nn.init.uniform_(layers[0].bias)
    if distributed.count() > 1:
        WholeBatch().apply(layers)
    inputs = whole[part].clone().requires_grad_()
    torch.manual_seed(1)
    outputs = layers(inputs)
    (outputs * torch.arange(20.0).view(4, 5)).sin().sum().backward()
    gradients = {f"gradient.{name}": one.grad for name, one in layers.named_parameters()}
    after = {name: one.clone() for name, one in layers.named_buffers()}
    WholeBatch().revert(layers)
    still = layers.eval()(whole).detach()
    return {
        "outputs": outputs.detach(),
        "gradient.inputs": inputs.grad,
        "still": still,
        **gradients,
        **after,
    }


def losses(part: slice) -> list[float]:
    """Losses of a part of a batch of 7: of classes with attention, then of findings."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(7, 1, 16, 16, generator=generator)
    masks, annotated = (images > 0.7).float(), torch.arange(7) > 2
    weights = torch.tensor([0.2, 0.7, 3.0])
    found = []
    for labels in (torch.tensor([0, 1, 2, 2, 0, 1, 0]), torch.eye(3)[[0, 1, 1, 0, 2, 2, 2]]):
        spec = recipe("adamw")
        module = ClassifierModule(build_model(spec, "hybrid", 3), spec, 3, weights=weights).eval()
        own = Batch(*(one[part] for one in (images, masks, annotated, labels)))
        found += [float(one.detach()) for one in module.losses(own)[0]]
    return found


def batch(dtype: torch.dtype) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    images = 3 + torch.randn(7, 3, 4, 5, generator=generator, dtype=torch.float64)
    return images.to(dtype, memory_format=torch.channels_last)


def agreement() -> dict[str, Any]:
    """What this process hears of the others."""

    def fails(where: int) -> str:
        if distributed.rank() == where:
            raise DataError("spoilt")
        return "whole"

    def heard(work: Any) -> str:
        try:
            return str(work())
        except (MedqnnError, distributed.FailedElsewhereError) as error:
            return f"{type(error).__name__} {error}"

    number = distributed.rank()
    return {
        "first": heard(lambda: distributed.first(lambda: number)),
        "first fails": heard(lambda: distributed.first(lambda: fails(0))),
        "together": heard(lambda: distributed.together(lambda: number)),
        "one fails": heard(lambda: distributed.together(lambda: fails(1))),
        "first of all fails": heard(lambda: distributed.together(lambda: fails(0))),
        "in turn": heard(lambda: distributed.in_turn(lambda: number)),
        "anywhere": distributed.anywhere(number == 1),
        "nowhere": distributed.anywhere(False),
        "shares": [str(distributed.share(size)) for size in (6, 7)],
        "place": distributed.place(4 - number),
        "mean": float(distributed.of_all(torch.tensor(1.0 + number), torch.tensor(3.0 - number))),
        "nothing": float(distributed.of_all(torch.tensor(0.0), torch.tensor(0.0))),
    }


def digest(model: nn.Module) -> str:
    """Of all bits of a model."""
    bits = b"".join(one.numpy().tobytes() for one in model.state_dict().values())
    return hashlib.sha256(bits).hexdigest()


def run(data: Path, out: Path) -> None:
    with distributed.processes():
        number = distributed.rank()
        said: dict[str, Any] = {"agreement": agreement()}
        said["losses"] = losses(distributed.share(7))
        for dtype in (torch.float64, torch.bfloat16):
            part = whole_batch(batch(dtype), distributed.share(7))
            torch.save(part, out / f"{dtype}-{number}.pt")
        for name in TRAINED:
            model = train(name, data, out / name)
            said[name] = digest(model)
            if number == 0:
                torch.save(model.state_dict(), out / f"{name}.pt")
        (out / f"{number}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]), Path(sys.argv[2]))
