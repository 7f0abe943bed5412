from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from medqnn.data.fetching import download as module
from medqnn.data.fetching.download import download
from medqnn.data.fetching.remote_file import RemoteFile
from medqnn.errors import DataError

from .http_files import (
    FileServer,
    Handler,
    breaks_after,
    ignores_range,
    redirect,
    serving,
    status,
    whole,
)

BODY = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(BODY).hexdigest()
Get = Callable[..., Path]

SLOW = """
import sys, time
from pathlib import Path
from medqnn.data.fetching.download import download
from medqnn.data.fetching.remote_file import RemoteFile

def slowly(what, done, total):
    print(done, flush=True)
    time.sleep(0.2)

try:
    download(RemoteFile(*sys.argv[1:4]), Path(sys.argv[4]), progress=slowly, pauses=())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with serving() as running:
        running.files["set.npz"] = BODY
        yield running


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def get(server: FileServer, tmp_path: Path, told: list[str]) -> Get:
    """Fetch the file without pauses; known by its MD5 unless told otherwise."""

    def call(**known: str | int | None) -> Path:
        file = RemoteFile("set.npz", server.url("set.npz"), **{"checksum": f"md5:{MD5}"} | known)
        return download(file, tmp_path / "data", tell=told.append, pauses=(0, 0, 0))

    return call


def left(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "data").iterdir() if path.suffix != ".lock"}


def test_file_comes_whole_and_alone(get: Get, tmp_path: Path) -> None:
    assert get() == tmp_path / "data" / "set.npz"
    assert get().read_bytes() == BODY
    assert left(tmp_path) == {"set.npz"}


def test_file_that_is_there_and_right_is_not_asked_for(
    get: Get, server: FileServer, told: list[str]
) -> None:
    get()
    get()
    assert len(server.seen) == 1
    assert told[-1].endswith("set.npz is there, its MD5 right")


def test_file_that_is_wrong_is_replaced(get: Get, told: list[str], tmp_path: Path) -> None:
    get().write_bytes(b"wrong")
    assert get().read_bytes() == BODY
    assert f"expected {MD5}" in told[0]


def test_wrong_file_stays_until_the_right_one_is_there(
    get: Get, server: FileServer, tmp_path: Path
) -> None:
    get().write_bytes(b"wrong")
    server.answers = [status(404)]
    with pytest.raises(DataError):
        get()
    assert (tmp_path / "data" / "set.npz").read_bytes() == b"wrong"


def test_progress_counts_all_bytes(server: FileServer, tmp_path: Path) -> None:
    seen: list[tuple] = []
    file = RemoteFile("set.npz", server.url("set.npz"))
    download(file, tmp_path, progress=lambda *args: seen.append(args))
    assert seen[-1] == ("set.npz", len(BODY), len(BODY))
    assert sorted(seen) == seen


@pytest.mark.parametrize("tag", ['"one"', None])
def test_broken_connection_is_resumed_where_it_broke(
    get: Get, server: FileServer, told: list[str], tag: str | None
) -> None:
    server.tag = tag
    server.answers = [breaks_after(200_000), breaks_after(70_000)]
    assert get().read_bytes() == BODY
    starts = [int(asked.removeprefix("bytes=")[:-1]) for asked in server.asked("Range")[1:]]
    assert starts == sorted(starts)
    assert starts[0] > 100_000
    assert server.asked("If-Range")[1:] == [tag, tag]
    assert all("next attempt in 0 s" in line for line in told)


def test_file_that_changed_meanwhile_is_not_mixed(get: Get, server: FileServer) -> None:
    def changes(handler: Handler, body: bytes) -> None:
        breaks_after(200_000)(handler, b"x" * 300_000)
        server.tag = '"two"'

    server.answers = [changes]
    assert get(checksum=None).read_bytes() == BODY
    assert server.asked("If-Range") == [None, '"one"']


@pytest.mark.parametrize("length", [299_999, 300_001])
def test_file_of_another_size_is_not_mixed_though_nothing_else_tells(
    get: Get, server: FileServer, length: int
) -> None:
    server.tag = None
    server.answers = [lambda handler, body: breaks_after(200_000)(handler, b"x" * length)]
    assert get(checksum=None).read_bytes() == BODY
    assert len(server.seen) == 3


def test_mixed_file_is_found_by_its_checksum_and_comes_once_more(
    get: Get, server: FileServer, told: list[str]
) -> None:
    server.tag = None
    server.answers = [lambda handler, body: breaks_after(200_000)(handler, b"x" * len(body))]
    assert get().read_bytes() == BODY
    assert "came in pieces" in told[-1]


def test_server_that_sends_another_piece_than_asked(get: Get, server: FileServer) -> None:
    def the_first_bytes(handler: Handler, body: bytes) -> None:
        count = len(body) - int(handler.headers["Range"].removeprefix("bytes=")[:-1])
        handler.send(206, body[:count], Content_Range=f"bytes 0-{count - 1}/{len(body)}")

    server.answers = [breaks_after(200_000), the_first_bytes]
    assert get(checksum=None).read_bytes() == BODY


def test_server_that_ignores_ranges_sends_all_again(get: Get, server: FileServer) -> None:
    server.answers = [breaks_after(200_000), ignores_range]
    assert get().read_bytes() == BODY
    assert len(server.seen) == 2


def test_part_that_is_complete_is_only_put_in_its_place(
    get: Get, server: FileServer, tmp_path: Path
) -> None:
    get().rename(tmp_path / "data" / "set.npz.part")
    assert get().read_bytes() == BODY
    assert len(server.seen) == 2


def test_part_longer_than_the_file_is_dropped(get: Get, server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "set.npz.part").write_bytes(BODY + b"more")
    assert get(checksum=None).read_bytes() == BODY


@pytest.mark.parametrize("notes", ["", "[]", "{}", "not json", '{"validator": 3}'])
def test_damaged_notes_on_a_part_do_no_harm(get: Get, tmp_path: Path, notes: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "set.npz.part").write_bytes(b"x" * 1000)
    (tmp_path / "data" / "set.npz.part.json").write_text(notes)
    assert get().read_bytes() == BODY


def test_length_too_large_is_a_broken_connection(get: Get, server: FileServer) -> None:
    server.answers = [lambda handler, body: handler.send(200, body, Content_Length=400_000)] * 9
    with pytest.raises(DataError, match="save that address with a browser as"):
        get()
    assert len(server.seen) == 4


def test_length_too_small_ends_in_a_wrong_checksum(
    get: Get, server: FileServer, tmp_path: Path
) -> None:
    server.answers = [lambda handler, body: handler.send(200, body, Content_Length=1000)]
    with pytest.raises(DataError, match=f"sends has the MD5 .* expected {MD5}"):
        get()
    assert left(tmp_path) == set()


def test_length_not_given(get: Get, server: FileServer) -> None:
    server.answers = [lambda handler, body: handler.send(200, body, Content_Length="")]
    assert get().read_bytes() == BODY


def test_wrong_file_is_refused_and_not_kept(get: Get, server: FileServer, tmp_path: Path) -> None:
    server.files["set.npz"] = BODY[::-1]
    with pytest.raises(DataError, match=f"expected {MD5}.*md5 {MD5}.*run the command again"):
        get()
    assert len(server.seen) == 1
    assert left(tmp_path) == set()


def test_wrong_size_and_web_pages_are_refused_before_they_come_and_spare_the_part(
    get: Get, server: FileServer, tmp_path: Path
) -> None:
    server.answers = [breaks_after(200_000), *[status(503)] * 3]
    with pytest.raises(DataError, match="503"):
        get()
    held = (tmp_path / "data" / "set.npz.part").read_bytes()
    server.answers = [
        lambda handler, body: handler.send(200, b"<html>", Content_Type="text/html; charset=utf-8")
    ]
    with pytest.raises(DataError, match="a web page comes instead"):
        get()
    server.answers = [lambda handler, body: handler.send(200, b"abc")]
    with pytest.raises(DataError, match="a file of 3 bytes comes, expected 300,000"):
        get(size=300_000)
    assert (tmp_path / "data" / "set.npz.part").read_bytes() == held
    assert get().read_bytes() == BODY


@pytest.mark.parametrize("code", [202, 429, 500, 503])
def test_passing_trouble_is_waited_out(get: Get, server: FileServer, code: int) -> None:
    server.answers = [status(code), status(code)]
    assert get().read_bytes() == BODY


@pytest.mark.parametrize("code", [403, 404, 410])
def test_refusal_is_final(get: Get, server: FileServer, code: int) -> None:
    server.answers = [status(code)]
    with pytest.raises(DataError, match=f"the server answers {code} .* with a browser"):
        get()
    assert len(server.seen) == 1


def test_pause_that_the_server_asks_for_is_kept_within_reason(
    get: Get, server: FileServer, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(module.time, "sleep", slept.append)
    server.answers = [status(429, Retry_After=7), status(503, Retry_After=9999)]
    get()
    assert slept == [7, 120]
    assert "next attempt in 7 s" in told[0]


def test_attempts_begin_anew_once_a_mebibyte_has_come(
    get: Get, server: FileServer, tmp_path: Path
) -> None:
    server.files["set.npz"] = large = BODY * 20
    server.answers = [breaks_after(1_300_000), breaks_after(1_300_000), *[status(500)] * 2]
    assert get(checksum=None).read_bytes() == large
    server.answers = [breaks_after(1_300_000), breaks_after(900_000), *[status(500)] * 2]
    (tmp_path / "data" / "set.npz").unlink()
    with pytest.raises(DataError, match="500"):
        get(checksum=None)


def test_redirect_is_followed_with_the_range(get: Get, server: FileServer) -> None:
    server.files["elsewhere"] = BODY
    server.answers = [
        redirect("elsewhere"),
        breaks_after(200_000),
        redirect("elsewhere"),
        whole,
    ]
    assert get().read_bytes() == BODY
    assert server.asked("Range")[3] == server.asked("Range")[2] is not None


def test_endless_redirects_end(get: Get, server: FileServer) -> None:
    server.answers = [redirect("set.npz")] * 200
    with pytest.raises(DataError, match="30 redirects"):
        get()


def test_no_network_is_one_line_with_the_steps_by_hand(tmp_path: Path, told: list[str]) -> None:
    file = RemoteFile("set.npz", "http://nowhere.invalid/set.npz", f"md5:{MD5}")
    with pytest.raises(DataError) as caught:
        download(file, tmp_path, tell=told.append, pauses=(0,))
    message = str(caught.value)
    assert "cannot fetch set.npz from http://nowhere.invalid/set.npz" in message
    assert f"as {tmp_path / 'set.npz'} (md5 {MD5})" in message
    assert "\n" not in message
    assert len(told) == 1


def test_full_disk_is_refused_before_anything_comes(
    get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = shutil._ntuple_diskusage(10**9, 10**9, 10**5)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: few)
    with pytest.raises(DataError, match=r"0\.07 GB are needed in .* 0\.00 GB are free.*--out"):
        get()
    assert left(tmp_path) == set()


def test_folder_that_cannot_be_made(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*--out"):
        download(RemoteFile("a", server.url("a")), tmp_path / "file" / "data")


def test_ctrl_c_leaves_a_part_that_is_resumed(get: Get, server: FileServer, tmp_path: Path) -> None:
    words = ["set.npz", server.url("set.npz"), f"md5:{MD5}", str(tmp_path / "data")]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NO_PROXY": "*"},
    )
    for _ in range(3):
        assert process.stdout.readline().strip().isdecimal()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert out.splitlines()[-1] == "interrupted"
    assert not err
    assert left(tmp_path) == {"set.npz.part", "set.npz.part.json"}
    about = json.loads((tmp_path / "data" / "set.npz.part.json").read_text())
    assert about == {"validator": '"one"', "total": 300_000}
    held = (tmp_path / "data" / "set.npz.part").stat().st_size
    assert 100_000 < held < 300_000
    assert get().read_bytes() == BODY
    assert server.asked("Range")[1] == f"bytes={held}-"


def test_two_at_once_fetch_once(get: Get, server: FileServer) -> None:
    threads = [Thread(target=get) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.seen) == 1


def test_weak_tag_does_not_name_a_version_but_the_date_does(
    get: Get, server: FileServer, tmp_path: Path
) -> None:
    date = "Wed, 01 Jan 2025 00:00:00 GMT"

    def dated(handler: Handler, body: bytes) -> None:
        handler.send(
            200, body[:200_000], Content_Length=len(body), ETag='W/"one"', Last_Modified=date
        )

    server.answers = [dated]
    assert get().read_bytes() == BODY
    assert server.asked("If-Range")[1] == date
