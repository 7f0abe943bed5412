"""Circuits evaluated by a device: what takes the place of the exact simulation in a layer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medqnn.circuits import Circuit, expectations
from medqnn.errors import RunError
from medqnn.export.extras import extra
from medqnn.export.pennylane import tape
from medqnn.hardware.target import Target

with extra("pennylane"):
    import pennylane as qml

TRIES = 5
WAIT = 2.0  # seconds before the second try; doubled before each further one
BATCH = 50  # circuits sent together

Say = Callable[[str], None]


class Remote:
    """Evaluates circuits on a device, as ``circuits.expectations`` does exactly.

    Circuits are sent `BATCH` at a time. When that fails, for whatever reason, it is tried again
    after a pause, `TRIES` times in all.

    Args:
        target: The device.
        say: Told of each failure.
        sleep: Waits for so many seconds.

    Attributes:
        values: Expectation values of every call, from the device, flattened.
        exact: The same from the exact simulation.
        circuits: How many circuits were run.
    """

    def __init__(self, target: Target, say: Say, sleep: Callable[[float], None] = time.sleep):
        self.target, self.say, self.sleep = target, say, sleep
        self.devices: dict[int, Any] = {}
        self.clear()

    def clear(self) -> None:
        """Forget the values so far."""
        self.values: list[np.ndarray] = []
        self.exact: list[np.ndarray] = []
        self.circuits = 0

    def __call__(self, circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
        """Expectation values (..., c, circuit.outputs) of inputs (..., c, circuit.inputs).

        Raises:
            RunError: If the device cannot be opened, or failed `TRIES` times.
        """
        exact = expectations(circuit, inputs, weights)
        numbers = inputs.detach().double().cpu().reshape(-1, *inputs.shape[-2:])
        turns = weights.detach().double().cpu()
        tapes = [
            tape(circuit, own, turn).copy(shots=self.target.shots)
            for image in numbers
            for own, turn in zip(image, turns, strict=True)
        ]
        device = self._device(circuit.qubits)
        rows: list[np.ndarray] = []
        for start in range(0, len(tapes), BATCH):
            rows += self._execute(device, tapes[start : start + BATCH])
        found = np.stack(rows)
        self.values.append(found.ravel())
        self.exact.append(exact.detach().double().cpu().numpy().ravel())
        self.circuits += len(tapes)
        return torch.from_numpy(found).to(exact).reshape(exact.shape)

    def _device(self, qubits: int) -> Any:
        if qubits not in self.devices:
            self.devices[qubits] = self.target.open(qubits)
        return self.devices[qubits]

    def _execute(self, device: Any, tapes: list[Any]) -> list[np.ndarray]:
        for number in range(1, TRIES + 1):
            try:
                results = qml.execute(tapes, device, diff_method=None)
                return [np.atleast_1d(np.asarray(one, dtype=np.float64)) for one in results]
            except Exception as error:  # a plugin may raise anything when its line breaks
                reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
                if number == TRIES:
                    raise RunError(
                        f"the device {self.target.device!r} failed {TRIES} times ({reason}): what "
                        "was done is kept; give the same command again to go on"
                    ) from error
                pause = WAIT * 2 ** (number - 1)
                self.say(f"{reason}; trying again in {pause:g} s ({number} of {TRIES - 1})")
                self.sleep(pause)
        raise AssertionError  # the last try returns or raises
