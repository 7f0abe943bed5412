from __future__ import annotations

import os
import signal

import pytest

from medqnn.training.interrupt import Interruptible


def test_ctrl_c_waits_for_the_end_of_the_batch() -> None:
    former = signal.getsignal(signal.SIGINT)
    callback = Interruptible()
    callback.on_fit_start(None, None)
    callback.on_train_batch_end()
    os.kill(os.getpid(), signal.SIGINT)  # raises nothing here, where it could get lost
    assert signal.getsignal(signal.SIGINT) is former, "a second one interrupts at once"
    with pytest.raises(KeyboardInterrupt):
        callback.on_train_batch_end()


def test_training_that_ends_gives_the_signal_back() -> None:
    former = signal.getsignal(signal.SIGINT)
    callback = Interruptible()
    callback.on_fit_start(None, None)
    assert signal.getsignal(signal.SIGINT) is not former
    callback.on_fit_end(None, None)
    assert signal.getsignal(signal.SIGINT) is former
