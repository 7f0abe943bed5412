"""One file from the web: resumed after a break, checked, and never there in part.

A server is asked for the rest of the version that had begun to come (HTTP Range and If-Range);
from one that has another version now, or cannot send parts, all comes again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests
from filelock import FileLock

from medqnn.data.fetching.partial_file import PartialFile
from medqnn.data.fetching.remote_file import RemoteFile, check_space
from medqnn.errors import DataError

Progress = Callable[[str, int, int | None], None]
"""Told of what is under way, the bytes that are done, and all of them if known."""
Tell = Callable[[str], None]
"""Told of a line for the user."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before a further attempt, unless the last got on
_LONGEST_PAUSE = 120.0  # seconds that a server may ask for
_GOT_ON = 2**20  # bytes
_TIMEOUTS = (10, 60)  # seconds to connect, and without a byte
_BLOCK = 2**16  # bytes, the most that a break can lose
_PASSING = (202, 408, 425, 429)  # and 5xx; 202: figshare, where it suspects a robot


def download(
    file: RemoteFile,
    folder: Path,
    *,
    progress: Progress = lambda what, done, total: None,
    tell: Tell = lambda line: None,
    pauses: Sequence[float] = PAUSES,
) -> Path:
    """Fetch a file into a folder, unless it is there and right; one that is wrong is replaced.

    After Ctrl-C or a lost connection the same call goes on from what had come. Several processes
    may call it at once: one fetches, the others wait.

    Args:
        file: what to fetch.
        folder: where to; made if needed.
        progress: told of the bytes that have come.
        tell: told of what is found and of further attempts.
        pauses: seconds before each further attempt; once a MiB has come they begin anew.

    Returns:
        The file's path.

    Raises:
        DataError: No connection, a server that refuses or sends something else, no space, or a
            folder that cannot be written; the message has the steps by hand.
    """
    target = folder / file.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{file.name}.lock"):
            if not _is_right(file, target, tell):
                _Download(file, PartialFile(target), progress, tell, pauses).run()
    except OSError as error:
        raise DataError(
            f"cannot write {target} ({error.strerror or error}): free some space, or choose a "
            "folder that you may write to with --out"
        ) from error
    return target


def _is_right(file: RemoteFile, target: Path, tell: Tell) -> bool:
    if not target.exists():
        return False
    fault = file.fault(target)
    tell(f"{target} {fault or f'is there, its {file.known_by} right'}")
    return fault is None


class _BrokenError(Exception):
    """An attempt did not bring the whole file, though another may."""

    def __init__(self, reason: str, pause: float = 0) -> None:
        super().__init__(reason)
        self.pause = pause  # seconds that the server asks for


class _Download:
    """A file on its way."""

    def __init__(
        self,
        file: RemoteFile,
        part: PartialFile,
        progress: Progress,
        tell: Tell,
        pauses: Sequence[float],
    ) -> None:
        self._file, self._part = file, part
        self._progress, self._tell, self._pauses = progress, tell, pauses

    def run(self) -> None:
        """Put the file in its place; what came in pieces and is wrong comes once more."""
        for again in (True, False):
            in_pieces = self._complete()
            fault = self._file.fault(self._part.path)
            if fault is None:
                return self._part.finish()
            self._part.drop()
            if not (in_pieces and again):
                break
            self._tell(f"{self._file.name}, which came in pieces, {fault}: fetching it once more")
        raise self._refused(f"what the server sends {fault}")

    def _complete(self) -> bool:
        """Attempt until all bytes are there; whether they came in more than one piece."""
        in_pieces, furthest, failures = self._part.held > 0, self._part.held, 0
        while True:
            try:
                self._attempt()
                return in_pieces
            except _BrokenError as broken:
                if self._part.held >= furthest + _GOT_ON:
                    failures = 0
                if failures == len(self._pauses):
                    raise self._refused(str(broken)) from broken
                pause = max(self._pauses[failures], broken.pause)
                self._tell(f"{self._file.name}: {broken}; next attempt in {pause:.0f} s")
                time.sleep(pause)
                in_pieces, failures = True, failures + 1
                furthest = max(furthest, self._part.held)

    def _attempt(self) -> None:
        """Ask for what is missing and append it."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "medqnn"}
        if self._part.held:
            validator, _ = self._part.version()
            headers["Range"] = f"bytes={self._part.held}-"
            headers |= {"If-Range": validator} if validator else {}
        try:
            with requests.get(
                self._file.url, headers=headers, stream=True, timeout=_TIMEOUTS
            ) as response:
                total = self._accept(response)
                if response.status_code != 416:
                    self._append(response, total)
        except requests.RequestException as error:
            raise _BrokenError(f"the connection failed ({_cause(error)})") from error
        if total is not None and self._part.held != total:
            raise _BrokenError(f"{self._part.held:,} of {total:,} bytes came")

    def _accept(self, response: requests.Response) -> int | None:
        """Bytes in all, once the answer is found to be the file or the rest of its part."""
        status = response.status_code
        if status == 200:
            return self._begin(response)
        if status in (206, 416):
            return self._go_on(response)
        reason = f"the server answers {status} {response.reason}"
        if status in _PASSING or status >= 500:
            wait = response.headers.get("Retry-After", "")
            raise _BrokenError(reason, min(float(wait), _LONGEST_PAUSE) if wait.isdecimal() else 0)
        raise self._refused(reason)

    def _begin(self, response: requests.Response) -> int | None:
        """All of the file comes."""
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        if "text/html" in response.headers.get("Content-Type", ""):  # of a hotel's network, say
            raise self._refused("a web page comes instead")
        if None not in (total, self._file.size) and total != self._file.size:
            raise self._refused(f"a file of {total:,} bytes comes, expected {self._file.size:,}")
        check_space(self._part.target.parent, total or 0)
        tag = response.headers.get("ETag", "")
        is_strong = tag.startswith('"')
        self._part.begin(tag if is_strong else response.headers.get("Last-Modified"), total)
        return total

    def _go_on(self, response: requests.Response) -> int:
        """The rest of the part comes, or nothing as it is complete; else the part is dropped."""
        held, (_, expected) = self._part.held, self._part.version()
        stated = response.headers.get("Content-Range", "")
        found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", stated)
        if found:
            start, total = (int(number) for number in found.groups(default=str(held)))
            is_end = total == held or response.status_code == 206
            if start == held and is_end and total == (expected or total):
                check_space(self._part.target.parent, total - held)
                return total
        self._part.drop()
        raise _BrokenError("the server has another version of the file now")

    def _append(self, response: requests.Response, total: int | None) -> None:
        done = self._part.held
        with open(self._part.path, "ab") as out:
            for block in response.iter_content(_BLOCK):
                out.write(block)
                done += len(block)
                self._progress(self._file.name, done, total)

    def _refused(self, reason: str) -> DataError:
        return self._file.refused(self._part.target, reason)


def _cause(error: Exception) -> str:
    """What happened, in the words of the innermost error."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
