"""What was found of a run on devices, as ``job`` keeps it; reading it needs no PennyLane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medqnn.errors import RunError
from medqnn.training.folder import RunFolder

FOLDER, SUMMARY = "devices", "device.json"
KEYS = {"target", "images", "variants"}


def read_found(run: Path) -> list[dict[str, Any]]:
    """RUN/devices/NAME/device.json of every device, in the names' order.

    A folder without one is of work that broke off.

    Returns:
        For each target (`target.Target.facts`), images (how many) and variants {network:
        `outcome.outcome`, circuits, seconds}; none if the run never was on a device.

    Raises:
        RunError: If one is broken.
    """
    found = []
    for path in sorted((run / FOLDER).glob(f"*/{SUMMARY}")):
        about = RunFolder(path.parent).read_json(SUMMARY)
        if not (isinstance(about, dict) and about.keys() >= KEYS):
            raise RunError(
                f"{path} is broken (it has no {' and '.join(sorted(KEYS))}): make it again with "
                f"`medqnn evaluate {run} --device NAME`"
            )
        found.append(about)
    return found
