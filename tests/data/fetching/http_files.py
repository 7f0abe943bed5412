"""A local HTTP server of files that fails as told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = Callable[["Handler", bytes], None]


class FileServer(ThreadingHTTPServer):
    """Serves `files` by path with ETag and Range, but for the next requests the `answers`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.answers: list[Answer] = []  # each answers one request
        self.seen: list[dict[str, str]] = []  # headers of each request
        self.tag: str | None = '"one"'

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def asked(self, header: str) -> list[str | None]:
        return [headers.get(header) for headers in self.seen]


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))
        body = self.server.files.get(self.path.strip("/"), b"")
        answer = self.server.answers.pop(0) if self.server.answers else whole
        answer(self, body)

    def log_message(self, *words: object) -> None:
        pass

    def send(self, status: int, body: bytes = b"", **headers: str | int) -> None:
        """A response; header names with _ for -; a header of "" is left out."""
        self.send_response(status)
        for name, value in ({"Content_Length": len(body)} | headers).items():
            if value != "":
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)


def whole(handler: Handler, body: bytes) -> None:
    """Good: the file, or the part asked for if the version is that of If-Range."""
    tag = handler.server.tag
    about = {"ETag": tag} if tag else {}
    wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if not wanted or handler.headers.get("If-Range", tag) != tag:
        return handler.send(200, body, **about)
    start = int(wanted[1])
    if start >= len(body):
        return handler.send(416, Content_Range=f"bytes */{len(body)}")
    about["Content_Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    return handler.send(206, body[start:], **about)


def breaks_after(count: int) -> Answer:
    """Send so many bytes of what was asked for, then close the connection."""

    def answer(handler: Handler, body: bytes) -> None:
        send = handler.send

        def short(status: int, body: bytes = b"", **headers: str | int) -> None:
            send(status, body[:count], Content_Length=len(body), **headers)

        handler.send = short  # type: ignore[method-assign]
        whole(handler, body)

    return answer


def status(code: int, **headers: str | int) -> Answer:
    return lambda handler, body: handler.send(code, b"", **headers)


def redirect(path: str) -> Answer:
    return lambda handler, body: handler.send(302, Location=f"/{path}")


def ignores_range(handler: Handler, body: bytes) -> None:
    handler.send(200, body)


@contextmanager
def serving() -> Iterator[FileServer]:
    server = FileServer()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
