"""Ctrl-C while training."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import lightning as L  # noqa: N812


class Interruptible(L.Callback):
    """Turns Ctrl-C into an interruption between two batches, where none can get lost.

    Python raises KeyboardInterrupt wherever it happens to be: in a finaliser, it is ignored. A
    second Ctrl-C interrupts at once.
    """

    def __init__(self) -> None:
        self.asked = False
        self.former: Any = None

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Listen; Python allows that in the main thread alone."""
        if threading.current_thread() is threading.main_thread():
            self.former = signal.signal(signal.SIGINT, self._ask)

    def on_train_batch_end(self, *_: Any) -> None:
        """Interrupt if asked to."""
        self._interrupt()

    def on_validation_batch_end(self, *_: Any, **__: Any) -> None:
        """Interrupt if asked to."""
        self._interrupt()

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Listen no more."""
        self._restore()
        self._interrupt()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Listen no more."""
        self._restore()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _interrupt(self) -> None:
        if self.asked:
            raise KeyboardInterrupt

    def _restore(self) -> None:
        if self.former is not None:
            signal.signal(signal.SIGINT, self.former)
            self.former = None
