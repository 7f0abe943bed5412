"""What is left of a run on devices, read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medqnn.errors import RunError
from medqnn.hardware.found import read_found


def write(run: Path, name: str, content: object) -> None:
    folder = run / "devices" / name
    folder.mkdir(parents=True)
    (folder / "device.json").write_text(json.dumps(content))


def test_every_device_that_is_done_is_read(tmp_path: Path) -> None:
    assert read_found(tmp_path) == []
    about = [{"target": {"device": name}, "images": 4, "variants": {}} for name in "ab"]
    write(tmp_path, "b", about[1])
    write(tmp_path, "a", about[0])
    (tmp_path / "devices" / "c" / "parts").mkdir(parents=True)  # broke off
    assert read_found(tmp_path) == about


@pytest.mark.parametrize("content", [{"target": {}, "images": 4}, [1], None])
def test_a_broken_one_is_named(tmp_path: Path, content: object) -> None:
    write(tmp_path, "a", content)
    with pytest.raises(RunError, match=r"a/device\.json is broken .*evaluate .* --device NAME"):
        read_found(tmp_path)
