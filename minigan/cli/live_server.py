"""The laboratory's loopback server: one page, a stream of events, and commands, for this machine alone.

GET /         the page
GET /events   server-sent events: "hello" once, then a "frame" whenever there is one, "end" at the end
POST /do      a command, {"do": "play", ...}; the answer is {"notice": ...} or, refused, {"error": ...}

It listens on 127.0.0.1 only.  A page of another site that is open in the same browser could still send
requests here, so what names another host (a name that was pointed at this address) or another origin is
refused, and a command must say that it comes from this page.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

from minigan.errors import ArgumentError

MOST_TABS = 4  # a browser keeps six connections to a host; a stream takes one each, and commands need one
LARGEST = 64_000  # bytes of a command
BEAT = 0.5  # seconds between signs of life: how soon a closed page is noticed
ANSWER = 20.0  # seconds that a command may take
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


@dataclass
class Command:
    """One request of a page, and the answer once it was obeyed: (status, what to say)."""

    words: dict[str, Any]
    done: threading.Event = field(default_factory=threading.Event)
    answer: tuple[int, dict[str, str]] = (503, {"error": "the session has ended"})

    def reply(self, status: int, **words: str) -> None:
        """Answer, and let the request go."""
        self.answer = status, words
        self.done.set()


class Hub:
    """What stands between the thread that trains and those that serve: the newest frame, and commands.

    A slow page misses frames and gets the newest; nothing piles up.
    """

    def __init__(self, page: str):
        self.page = page.encode()
        self.commands: queue.Queue[Command] = queue.Queue()
        self.hello = "{}"  # JSON of what a page needs to begin
        self.ended = ""  # why, for the pages
        self.tabs = 0
        self.seen = False  # a page was here
        self.left = time.monotonic()  # when the last page went
        self._frame = (0, "")
        self._news = threading.Condition()

    def publish(self, frame: str) -> None:
        """Hand the newest frame, JSON, to every page."""
        with self._news:
            self._frame = self._frame[0] + 1, frame
            self._news.notify_all()

    def end(self, why: str) -> None:
        """Tell every page that it is over, and let waiting commands go."""
        with self._news:
            self.ended = why
            self._news.notify_all()
        while not self.commands.empty():
            self.commands.get().done.set()

    def newer(self, number: int) -> tuple[int, str] | None:
        """Wait for a frame after ``number``, at most a beat: (its number, JSON), or None."""
        with self._news:
            self._news.wait_for(lambda: self._frame[0] > number or bool(self.ended), BEAT)
            return self._frame if self._frame[0] > number else None

    @contextmanager
    def tab(self) -> Iterator[bool]:
        """Count a page inside the block; False where there are too many already."""
        with self._news:
            free = self.tabs < MOST_TABS
            self.tabs += free
            self.seen = self.seen or free
        try:
            yield free
        finally:
            with self._news:
                self.tabs -= free
                self.left = time.monotonic()

    def alone(self) -> float:
        """Return for how many seconds no page has been here; 0 where one is, or none was yet."""
        with self._news:
            return 0.0 if self.tabs or not self.seen else time.monotonic() - self.left


class Server(ThreadingTCPServer):
    """Serve a hub on 127.0.0.1 from a thread of its own; port 0 takes a free one.

    Raises ArgumentError for a port that is in use or not allowed.
    """

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let two programs share a port

    def __init__(self, hub: Hub, port: int = 0):
        self.hub = hub
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except OSError as error:
            raise ArgumentError(
                f"--port {port}: {error.strerror}; choose another, or leave --port out for a free one"
            ) from error
        self.port = int(self.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a page that is closed in the middle of an answer is no error."""

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 20  # seconds without a byte; a page that is not read any more goes
    server: Server

    def do_GET(self) -> None:
        """The page, or the stream."""
        if self._foreign():
            return
        if self.path == "/":
            self._send(200, self.server.hub.page, "text/html; charset=utf-8")
        elif self.path == "/events":
            self._stream()
        elif self.path == "/favicon.ico":
            self._send(204, b"", "image/x-icon")
        else:
            self._say(404, error="there is nothing here")

    def do_POST(self) -> None:
        """A command."""
        if self._foreign(command=True):
            return
        if self.path != "/do":
            self._say(404, error="there is nothing here")
            return
        words = self._command()
        if words is None:
            return
        command = Command(words)
        if not self.server.hub.ended:
            self.server.hub.commands.put(command)
            command.done.wait(ANSWER)
        status, answer = command.answer
        self._say(status, **answer)

    def _command(self) -> dict[str, Any] | None:
        """Read the request's body; None, and an answer, where it is no command."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != "application/json" or not length.isdecimal():
            self._refuse(400, "expected a body of JSON, with its length")
        elif int(length) > LARGEST:
            self._refuse(413, f"expected at most {LARGEST} bytes, got {length}")
        else:
            try:
                words = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                words = None
            if isinstance(words, dict):
                return words
            self._say(400, error='expected an object of JSON, such as {"do": "play"}')
        return None

    def _foreign(self, *, command: bool = False) -> bool:
        """Refuse, and say so, what does not come from this page or was not meant for this address."""
        names = [f"{host}:{self.server.port}" for host in ("127.0.0.1", "localhost")]
        hosts, origin = self.headers.get_all("Host", []), self.headers.get("Origin")
        if len(hosts) != 1 or hosts[0] not in names:
            self._refuse(403, f"the Host must be {names[0]}")
        elif origin not in [*([] if command else [None]), *(f"http://{name}" for name in names)]:
            self._refuse(403, f"the Origin must be http://{names[0]}")
        elif self.path != "/" and self.headers.get("Sec-Fetch-Site", "same-origin") not in (
            "same-origin",
            "none",
        ):
            self._refuse(403, "only the laboratory's own page may ask")
        else:
            return False
        return True

    def _stream(self) -> None:
        """Send events until the page goes or the session ends."""
        hub = self.server.hub
        with hub.tab() as free:
            if not free:
                self._say(503, error=f"{MOST_TABS} pages show this session already; close one")
                return
            self._head(200, "text/event-stream", None)
            self._event("hello", hub.hello)
            number = 0
            while not hub.ended:
                frame = hub.newer(number)
                if frame is None:
                    self.wfile.write(b": still here\n\n")
                else:
                    number = frame[0]
                    self._event("frame", frame[1])
            self._event("end", json.dumps(hub.ended))

    def _event(self, name: str, data: str) -> None:
        self.wfile.write(f"event: {name}\ndata: {data}\n\n".encode())
        self.wfile.flush()

    def _refuse(self, status: int, why: str) -> None:
        """Answer and hang up: what is left of the request is not read."""
        self.close_connection = True
        self._say(status, error=why)

    def _say(self, status: int, **words: str) -> None:
        self._send(status, json.dumps(words).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self._head(status, kind, len(body))
        self.wfile.write(body)

    def _head(self, status: int, kind: str, length: int | None) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        if length is None:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal quiet."""
