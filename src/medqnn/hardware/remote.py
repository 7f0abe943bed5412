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
from medqnn.kernels.contract import LEAST_SQUARED_NORM

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
        pairs = [pair for image in numbers for pair in zip(image, turns, strict=True)]
        found = np.zeros((len(pairs), circuit.outputs))
        sent = [index for index, (own, _) in enumerate(pairs) if _is_state(circuit, own)]
        tapes = [tape(circuit, *pairs[index]).copy(shots=self.target.shots) for index in sent]
        device = self._device(circuit.qubits)
        for start in range(0, len(tapes), BATCH):
            part = slice(start, start + BATCH)
            found[sent[part]] = self._execute(device, tapes[part])
        self.values.append(found.ravel())
        self.exact.append(exact.detach().double().cpu().numpy().ravel())
        self.circuits += len(tapes)
        return torch.from_numpy(found).to(exact).reshape(exact.shape)

    def _device(self, qubits: int) -> Any:
        if qubits not in self.devices:
            self.devices[qubits] = self.target.open(qubits)
        return self.devices[qubits]

    def _execute(self, device: Any, tapes: list[Any]) -> np.ndarray:
        for number in range(1, TRIES + 1):
            try:
                results = qml.execute(tapes, device, diff_method=None)
                rows = [np.atleast_1d(np.asarray(one, dtype=np.float64)) for one in results]
                return _finite(np.stack(rows), self.target.device)
            except (RunError, TypeError, NotImplementedError, qml.exceptions.DeviceError) as error:
                raise RunError(
                    f"the device {self.target.device!r} does not take these circuits "
                    f"({' '.join(str(error).split())}): choose another, or other options"
                ) from error
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


def _is_state(circuit: Circuit, numbers: Tensor) -> bool:
    """Whether there is a state to prepare: an amplitude vector of zeros has none, and gives 0."""
    return circuit.embedding != "amplitude" or float(numbers @ numbers) >= LEAST_SQUARED_NORM


def _finite(values: np.ndarray, device: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise RunError(f"{device} answered with numbers that are not finite")
    return values
