from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import medqnn
from medqnn.errors import RunError
from medqnn.training.folder import RunFolder, environment

FACTS = {"status": "running", "variants": ["hybrid"], "seed": 3}
FULL_DISK = """
import resource, sys
from pathlib import Path
from medqnn.errors import RunError
from medqnn.training.folder import RunFolder
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    RunFolder(Path(sys.argv[1])).write_json("run.json", {"status": "x" * 5000})
except RunError as error:
    print(error)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.write_json("run.json", FACTS)
    return folder


def test_what_is_written_is_read(run: RunFolder) -> None:
    run.write_json("deep/er/é.json", {"a": [1, None, "ü"]})
    assert run.read_json("deep/er/é.json") == {"a": [1, None, "ü"]}
    assert run.facts() == FACTS


def test_status_changes_and_the_other_facts_stay(run: RunFolder) -> None:
    run.mark("complete")
    assert run.require_complete() == run.facts() == FACTS | {"status": "complete"}


@pytest.mark.parametrize("status", ["running", "interrupted"])
def test_incomplete_run_is_refused_with_the_mend(run: RunFolder, status: str) -> None:
    run.mark(status)
    with pytest.raises(RunError, match=f"is {status}, not complete: .*`medqnn train .*run`"):
        run.require_complete()


def test_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RunError, match=r"has no run\.json: give the folder of a run"):
            RunFolder(folder).facts()


@pytest.mark.parametrize("content", [b"{", b"", b"\xff"])
def test_broken_json_is_named(run: RunFolder, content: bytes) -> None:
    (run.path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"run\.json is not JSON"):
        run.facts()


@pytest.mark.parametrize("content", [{}, [], {"state": "complete"}])
def test_json_that_is_no_run_is_named(run: RunFolder, content: object) -> None:
    run.write_json("run.json", content)
    with pytest.raises(RunError, match=r"run\.json"):
        run.require_complete()


def test_no_number_that_json_lacks_is_written(run: RunFolder) -> None:
    with pytest.raises(ValueError, match="JSON"):
        run.write_json("run.json", {"loss": float("nan")})
    assert run.facts()["seed"] == 3


def test_failed_writer_leaves_the_old_file_and_no_part(run: RunFolder) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(RunError, match=r"cannot write to .*No space left.*--out"):
        run.write("run.json", fail)
    assert run.facts()["seed"] == 3
    assert [file.name for file in run.path.iterdir()] == ["run.json"]


def test_full_disk_is_one_line_and_leaves_the_old_file(run: RunFolder) -> None:
    before = (run.path / "run.json").read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(run.path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith(f"cannot write to {run.path} (File too large): free space")
    assert done.stdout.count("\n") == 1
    assert (run.path / "run.json").read_bytes() == before
    assert [file.name for file in run.path.iterdir()] == ["run.json"]


def test_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write to"):
        RunFolder(tmp_path / "file").write_json("run.json", {})


def test_environment_tells_what_the_run_ran_on() -> None:
    facts = environment()
    assert facts["medqnn"] == medqnn.__version__
    assert facts["packages"]["torch"] == torch.__version__
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        assert environment()["threads"] == before + 1
    finally:
        torch.set_num_threads(before)
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["created"].endswith("+00:00")
    assert facts["revision"] is None or len(facts["revision"].removesuffix("-dirty")) == 40
    json.dumps(facts)
