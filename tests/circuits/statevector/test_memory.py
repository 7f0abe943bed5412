from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from medqnn.circuits import Circuit, expectations
from medqnn.circuits.statevector import memory
from medqnn.errors import CircuitError

CPU = torch.device("cpu")


def batch(circuit: Circuit, images: int, circuits: int = 1) -> torch.Tensor:
    """A batch that takes no memory itself."""
    return torch.zeros(()).expand(circuits, images, circuit.inputs)


def free(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda device: int(size))


def test_a_narrow_batch_is_one_part() -> None:
    assert memory.parts(Circuit(8, 2), batch(Circuit(8, 2), 64)) == (64, True)


def test_a_part_holds_about_so_many_amplitudes() -> None:
    circuit = Circuit(14, 2, "angle")
    images, keep = memory.parts(circuit, batch(circuit, 64, circuits=2))
    assert images * 2 * 2**14 == memory.AT_ONCE
    assert keep


def test_states_are_kept_only_where_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = Circuit(20, 2, "angle")  # 8 MB an image
    free(monkeypatch, 2e9)
    assert memory.parts(circuit, batch(circuit, 64)) == (1, True)
    free(monkeypatch, 500e6)
    assert memory.parts(circuit, batch(circuit, 64)) == (1, False)


def test_an_image_that_does_not_fit_is_refused_before_it_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    circuit = Circuit(24, 2, "angle")
    free(monkeypatch, 0.5e9)
    with pytest.raises(CircuitError) as caught:
        expectations(circuit, torch.zeros(2, 3, 24).double(), torch.zeros(3, 2, 24, 3).double())
    assert str(caught.value) == (
        "3 circuits of 24 qubits need 5.2 GB for one image in float64, and 0.5 GB are free: give "
        "fewer qubits, or fewer circuits, or float32, or free memory"
    )


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="no /proc here")
def test_free_memory_is_some_and_no_more_than_there_is() -> None:
    known = memory.free_bytes(CPU)
    assert 0 < known <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_free_memory_of_another_kind_of_device_is_not_known() -> None:
    assert memory.free_bytes(torch.device("meta")) is None
