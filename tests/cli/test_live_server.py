"""The loopback server by its protocol: who is let in, what is refused, who is told what."""

import contextlib
import json
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from minigan.cli import live_server
from minigan.cli.live_server import LARGEST, MOST_TABS, Hub, Server
from minigan.errors import ArgumentError

sys.path.append(str(Path(__file__).parent))
from asking import Stream, ask, post


@pytest.fixture
def server():
    hub = Hub("<!doctype html><p>a page")
    hub.hello = '{"hello": 1}'
    one = Server(hub)
    yield one
    hub.end("the test is over")
    one.close()


@contextlib.contextmanager
def obeying(server):
    """Stand in for the thread that trains: obey everything, and keep what was asked."""
    asked, over = [], threading.Event()

    def obey():
        while not over.is_set():
            with contextlib.suppress(Exception):
                command = server.hub.commands.get(timeout=0.02)
                asked.append(command.words)
                command.reply(200, notice="done")

    thread = threading.Thread(target=obey)
    thread.start()
    try:
        yield asked
    finally:
        over.set()
        thread.join()


def test_it_listens_on_loopback_only_and_serves_the_page(server):
    assert server.server_address[0] == "127.0.0.1"
    status, page, headers = ask(server)
    assert status == 200 and page == "<!doctype html><p>a page"
    assert headers["X-Frame-Options"] == "DENY" and headers["Cache-Control"] == "no-store"
    assert ask(server, Host=f"localhost:{server.port}")[0] == 200
    assert ask(server, path="/etc/passwd")[0] == 404
    assert ask(server, path="/favicon.ico")[0] == 204


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:{port}", ""])
@pytest.mark.parametrize("path", ["/", "/events"])
def test_a_foreign_host_is_refused(server, host, path):
    status, answer, _ = ask(server, path=path, Host=host.format(port=server.port))
    assert status == 403 and "the Host must be 127.0.0.1:" in answer


def test_two_hosts_are_refused(server):
    assert ask(server, Host=[f"127.0.0.1:{server.port}", "evil.example"])[0] == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://localhost:1"]
)
def test_a_foreign_origin_is_refused_everywhere(server, origin):
    origin = origin.format(port=server.port)
    with obeying(server) as asked:
        assert ask(server, Origin=origin)[0] == 403
        assert ask(server, path="/events", Origin=origin)[0] == 403
        assert post(server, {"do": "play"}, Origin=origin)[0] == 403
    assert not asked and server.hub.tabs == 0


def test_a_command_must_say_where_it_comes_from(server):
    with obeying(server) as asked:
        assert post(server, {"do": "play"}, Origin=None)[0] == 403
        assert post(server, {"do": "play"}, Sec_Fetch_Site="cross-site")[0] == 403
        assert ask(server, path="/events", Sec_Fetch_Site="cross-site")[0] == 403
        status, answer, _ = post(server, {"do": "play"}, Sec_Fetch_Site="same-origin")
        assert (status, json.loads(answer)) == (200, {"notice": "done"})
    assert asked == [{"do": "play"}]


@pytest.mark.parametrize("body, headers, status", [
    (b"{", {}, 400), (b"[]", {}, 400), (b"[" * 30_000, {}, 400), (b"\xff\xfe", {}, 400), (b"", {}, 400),
    (b"{}", {"Content_Type": "text/plain"}, 400), (b"{}", {"Content_Type": None}, 400),
    (b" " * (LARGEST + 1), {}, 413),
])  # fmt: skip
def test_what_is_no_command_is_refused(server, body, headers, status):
    with obeying(server) as asked:
        found, answer, _ = post(server, body, **headers)
    assert found == status and json.loads(answer)["error"] and not asked


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 30])
def test_a_length_that_is_none_is_refused(server, length):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        host = f"127.0.0.1:{server.port}"
        line.sendall(
            f"POST /do HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        assert line.recv(100).split()[1] in (b"400", b"413")


def test_other_methods_and_paths(server):
    assert ask(server, "PUT", "/do")[0] == 501 and ask(server, "OPTIONS", "/do")[0] == 501
    assert ask(server, "POST", "/", b"{}", Origin=f"http://127.0.0.1:{server.port}")[0] == 404


def test_every_page_gets_hello_the_newest_frame_and_the_end(server):
    server.hub.publish('"old"')
    server.hub.publish('"new"')
    streams = [Stream(server) for _ in range(2)]
    for stream in streams:
        assert stream.event() == ("hello", {"hello": 1}) and stream.event() == ("frame", "new")
    server.hub.publish('"newer"')
    assert [stream.event() for stream in streams] == [("frame", "newer")] * 2
    assert server.hub.tabs == 2 and server.hub.alone() == 0
    server.hub.end("Ctrl-C")
    assert [stream.event() for stream in streams] == [("end", "Ctrl-C")] * 2
    for stream in streams:
        stream.close()


def test_one_tab_too_many_is_told_so_and_a_closed_one_is_noticed(server, monkeypatch):
    monkeypatch.setattr(live_server, "BEAT", 0.02)
    streams = [Stream(server) for _ in range(MOST_TABS)]
    late = Stream(server)
    assert late.answer.status == 503 and b"close one" in late.answer.read()
    late.close()
    for stream in streams:
        stream.close()
    until = time.monotonic() + 10
    while server.hub.tabs and time.monotonic() < until:
        server.hub.publish('"frame"')
        time.sleep(0.01)
    assert server.hub.tabs == 0
    time.sleep(0.01)
    assert server.hub.alone() > 0
    stream = Stream(server)
    assert stream.answer.status == 200 and stream.event()[0] == "hello" and server.hub.alone() == 0
    stream.close()


def test_nobody_is_missed_before_the_first_page():
    assert Hub("").alone() == 0


def test_commands_at_the_end_are_let_go(server):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(post(server, {"do": "play"})[0]))
    thread.start()
    until = time.monotonic() + 10
    while server.hub.commands.empty() and time.monotonic() < until:
        time.sleep(0.005)
    server.hub.end("over")
    thread.join()
    assert answers == [503] and post(server, {"do": "play"})[0] == 503


def test_a_port_in_use_is_one_line(server):
    with pytest.raises(ArgumentError, match=rf"--port {server.port}: .*choose another"):
        Server(Hub(""), server.port)
