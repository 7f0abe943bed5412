from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from medqnn.cli.main import run
from medqnn.cli.show import console
from training.tiny import tiny_run, write_folder

__all__ = ["tiny_run"]


class Done(NamedTuple):
    """What a command left: its exit code and what it printed, line breaks as spaces in `words`."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        return " ".join((self.out + self.err).split())


Medqnn = Callable[..., Done]


@pytest.fixture
def medqnn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Medqnn:
    """The command as the console script calls it, in this process."""

    def call(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["medqnn", *map(str, words)])
        capsys.readouterr()
        try:
            run()
            code = 0
        except SystemExit as done:
            code = int(done.code or 0)
        return Done(code, *capsys.readouterr())

    return call


@pytest.fixture
def fails(medqnn: Medqnn) -> Callable[..., str]:
    """Call a command that must end in one line on stderr and exit code 2; give the line."""

    def call(*words: object) -> str:
        done = medqnn(*words)
        assert done.code == 2, done
        assert done.err.startswith("error: "), done.err
        assert done.err.endswith("\n")
        assert done.err.count("\n") == 1, done.err
        return done.err

    return call


@pytest.fixture
def hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Width of the terminal, whatever it is."""
    monkeypatch.setattr(console, "_width", 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """32 images of two classes and 16 patients, to be changed at will."""
    return write_folder(tmp_path / "squares")
