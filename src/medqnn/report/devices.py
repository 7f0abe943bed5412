"""What devices, or their simulated noise, leave of a run's networks, as items of the model card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from medqnn.hardware.found import read_found
from medqnn.hardware.outcome import DEVICE, EXACT
from medqnn.report.formatting import interval, percent, whole
from medqnn.report.on_devices import named
from medqnn.report.run_folder import Run
from medqnn.report.scores import scores
from medqnn.training.folder import RunFolder
from medqnn.under_noise.results import SUMMARY, Results, no_better, read_results, without_device
from medqnn.under_noise.settings import EXACT as NO_DEVICE


def section(run: Run) -> dict[str, list[str]]:
    """What was measured, in sentences.

    Returns:
        under_noise: one a network and simulated device (``medqnn noise``); on_devices: one a
        network and device that its circuits ran on (``medqnn evaluate --device``). Empty if
        nothing was.

    Raises:
        RunError: If a measurement's file is broken.
    """
    noisy = (run.folder / SUMMARY).is_file()
    return {
        "under_noise": [*_under_noise(read_results(RunFolder(run.folder)))] if noisy else [],
        "on_devices": [line for one in read_found(run.folder) for line in _on_device(one)],
    }


def _under_noise(results: Results) -> Iterator[str]:
    """Without mitigation and without shot noise, beside the exact simulation."""
    found, about = results
    exact = without_device(found).set_index("variant")["accuracy"]
    plain = found[(found["mitigation"] == "none") & found["shots"].isna()]
    told = f"; trained under the noise of {about['trained_for']}" if about["trained_for"] else ""
    for row in plain[plain["device"] != NO_DEVICE].to_dict("records"):
        name = row["variant"]
        guesses = "; that is not surely better than the commonest answer"
        yield (
            f"{name} under the simulated noise of {row['device']}, unmitigated, without shot "
            f"noise: accuracy {_scored(row | {'estimate': row['accuracy']}, percent)} on "
            f"{whole(about['images'])} test images, without noise {percent(exact[name])}"
            f"{guesses if name in no_better(results) else ''}{told}."
        )


def _on_device(found: dict[str, Any]) -> Iterator[str]:
    for name, one in found["variants"].items():
        score = scores(one[EXACT])[0]
        device, exact = (one[which]["scores"][score.key] for which in (DEVICE, EXACT))
        yield (
            f"{name} on PennyLane's {named(found['target'])}: {score.title} "
            f"{_scored(device, score.text)} "
            f"on {whole(found['images'])} test images, by exact simulation "
            f"{score.text(exact['estimate'])}; the same answers for {percent(one['agreement'])}."
        )


def _scored(record: Mapping[Any, Any], text: Callable[[float | None], str]) -> str:
    """An estimate with its interval, if it has one."""
    spread = interval(record, text)
    return text(record["estimate"]) + (f" ({spread})" if spread else "")
