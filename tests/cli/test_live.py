"""`minigan lab --live` without a browser: the session, what it obeys, what it keeps."""

import base64
import json
import re
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from minigan import cli
from minigan.cli import live, recording
from minigan.cli.live import CURE_WORDS, DEEDS, SPEEDS, Session
from minigan.cli.live_server import Server
from minigan.gan import live as laboratory
from minigan.gan.live import CURES, SETTINGS, LiveLaboratory

sys.path.append(str(Path(__file__).parent))
from asking import Stream, ask, post


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(laboratory, "POINTS", 500)
    monkeypatch.setattr(live, "RASTER", 6)
    monkeypatch.setattr(live, "GRACE", 0.1)


@pytest.fixture
def running():
    """Start a session with its server and its thread; all end with the test."""
    begun = []

    def start(experiment="ring", **options):
        session = Session(LiveLaboratory(experiment, base=8, batch=16), **options)
        server, said = Server(session.hub), []
        thread = threading.Thread(target=lambda: said.append(session.run()))
        thread.start()
        begun.append((session, server, thread))
        return session, server, thread, said

    yield start
    for session, server, thread in begun:
        session.seconds = 0  # ends it
        thread.join(20)
        server.close()
        assert not thread.is_alive()


def do(server, **words):
    status, answer, _ = post(server, words)
    return status, json.loads(answer)


def frames(stream, wanted, most=400):
    """Read frames until one is as wanted."""
    for _ in range(most):
        name, frame = stream.event()
        if name == "frame" and wanted(frame):
            return frame
    raise AssertionError("no such frame came")


def test_it_waits_for_a_page_plays_and_ends_when_the_last_page_goes(running):
    session, server, thread, said = running()
    time.sleep(0.2)
    assert session.done == 0 and thread.is_alive()
    stream = Stream(server)
    name, hello = stream.event()
    assert name == "hello" and hello["experiment"] == "ring" and hello["settings"].keys() == SETTINGS.keys()
    assert frames(stream, lambda frame: frame["step"] >= 3)["playing"]
    second = Stream(server)  # a second tab sees the same game
    assert second.event()[0] == "hello" and second.event()[1]["step"] >= 3
    stream.close()
    time.sleep(0.25)  # longer than the grace
    assert thread.is_alive()
    second.close()
    thread.join(20)
    assert said == ["the page was closed"]


def test_a_page_that_comes_before_the_first_frame_knows_what_it_is_about():
    session = Session(LiveLaboratory("ring", base=8, batch=16))
    assert json.loads(session.hub.hello) == json.loads(json.dumps(session.hello()))


def test_a_slider_changes_the_trainers_rate_and_pause_pauses(running):
    session, server, *_ = running()
    stream = Stream(server)
    assert do(server, do="set", settings={"lr_d": 0.0123}) == (200, {"notice": ""})
    assert session.lab.trainer.config.lr_d == 0.0123
    frame = frames(stream, lambda frame: frame["set"]["lr_d"] == 0.0123 and frame["step"] > 2)
    assert session.lab.trainer.d_optimizer.param_groups[0]["lr"] == 0.0123
    assert do(server, do="pause")[0] == 200
    step = session.lab.trainer.step
    frame = frames(stream, lambda frame: not frame["playing"])
    time.sleep(0.1)
    assert frame["step"] == session.lab.trainer.step == step
    assert do(server, do="step", who="discriminator") == (200, {"notice": "One step of D."})
    assert do(server, do="step", who="generator")[1] == {"notice": "One step of G."}
    assert do(server, do="step")[1] == {"notice": "One step of both."}
    assert session.lab.trainer.step == step + 3
    assert do(server, do="play")[0] == 200
    frames(stream, lambda frame: frame["step"] > step + 3)
    assert do(server, do="reset", seed=9)[1] == {"notice": "New weights, from seed 9."}
    assert frames(stream, lambda frame: frame["seed"] == 9)["step"] < step + 50
    stream.close()


def test_every_deed_and_what_it_refuses(running):
    session, server, *_ = running("paint")
    stream = Stream(server)
    for name in CURES:
        assert do(server, do="cure", name=name)[0] == 200
        assert session.lab.settings == session.lab.settings | CURES[name]
    spots = len(session.lab.mixture.centres)
    assert (
        do(server, do="paint", spots=[[1.0, 1.0]])[0] == 200 and len(session.lab.mixture.centres) == spots + 1
    )
    for speed in SPEEDS:
        assert do(server, do="show", averaged=True, speed=speed)[0] == 200
    frames(stream, lambda frame: frame["averaged"])
    assert do(server, do="clear")[0] == 200
    empty = frames(stream, lambda frame: not frame["spots"])
    assert "map" not in empty and "Nothing is painted" in empty["words"]
    for words in (
        {}, {"do": "explode"}, {"do": 1}, {"do": "set"}, {"do": "set", "settings": {"self": 1}},
        {"do": "set", "settings": {"warmth": 1}}, {"do": "set", "settings": {"lr_d": None}},
        {"do": "play", "x": 1},
        {"do": "cure", "name": ["none"]}, {"do": "step", "who": "judge"}, {"do": "reset", "seed": "x"},
        {"do": "reset", "seed": 1.5}, {"do": "paint", "spots": {"a": 1}}, {"do": "paint"},
        {"do": "show", "speed": "light"}, {"do": "show", "averaged": 1},
    ):  # fmt: skip
        status, answer = do(server, **words)
        assert status == 400 and answer["error"] and "\n" not in answer["error"], words
    assert set(DEEDS) == {"play", "pause", "step", "reset", "set", "cure", "paint", "clear", "show"}
    stream.close()


def test_a_frame_says_what_the_page_draws(running):
    session, server, *_ = running()
    stream = Stream(server)
    frame = frames(stream, lambda frame: frame["step"] > 1 and "curve" in frame)
    made = np.frombuffer(base64.b64decode(frame["made"]), "<i2").reshape(-1, 2) / 32767
    real = np.frombuffer(base64.b64decode(frame["real"]), "<i2").reshape(-1, 2) / 32767
    assert len(made) == len(real) * 6 / 5 == 600 and (np.abs(real) <= 1).all()
    assert np.linalg.norm(real * session.lab.extent, axis=1).mean() == pytest.approx(1, abs=0.02)
    assert len(base64.b64decode(frame["map"])) == 36 and len(frame["modes"]) == len(frame["spots"]) == 8
    assert (
        frame["curve"][0] == frame["step"]
        and len(frame["curve"]) == 4
        and frame["kind"] in ("", "good", "bad")
    )
    assert CURE_WORDS.keys() == CURES.keys()
    stream.close()


def test_numbers_that_run_off_pause_the_game_and_reset_mends_it(running):
    session, server, *_ = running()
    do(server, do="pause")
    for parameter in session.lab.trainer.generator.parameters():
        parameter.array[...] = np.inf
    stream = Stream(server)
    assert do(server, do="play")[0] == 200
    frame = frames(stream, lambda frame: frame["kind"] == "bad")
    assert "blew up" in frame["words"] and not frame["playing"]
    status, answer = do(server, do="play")
    assert status == 400 and "reset first" in answer["error"]
    assert do(server, do="reset")[0] == 200
    frames(stream, lambda frame: frame["playing"] and frame["step"] > 1)
    stream.close()


def recorded(path):
    (data,) = re.findall(r'id="data">(.*?)</script>', path.read_text(), re.S)
    return json.loads(data)


def test_a_recording_replays_what_was_and_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "KEPT", 4)
    monkeypatch.setattr(live, "FRAME", 0.0)
    monkeypatch.setattr(recording, "SAVED", 0.0)
    path = tmp_path / "session.html"
    session = Session(LiveLaboratory("ring", base=8, batch=16), steps=20, record=path)
    assert session.run() == "20 steps are done"
    data = recorded(path)
    steps = [frame["step"] for frame in data["frames"] if "step" in frame]
    assert 2 <= len(data["frames"]) <= 4 and steps == sorted(steps) and steps[-1] > 12
    assert "real" in data["frames"][0] and not any("real" in frame for frame in data["frames"][1:])
    assert data["hello"]["curve"] == []


@pytest.mark.parametrize("words, said", [
    (["ring", "--steps", "3"], "3 steps are done; 3 steps in all"),
    (["grid", "--seconds", "0.2"], "0.2 seconds are over"),
    (["paint", "--steps", "2", "--cure", "paired"], "2 steps are done"),
])  # fmt: skip
def test_the_command_ends_by_itself(words, said, tmp_path, capsys):
    page = tmp_path / "kept.html"
    assert cli.main(["lab", *words, "--live", "--no-open", "--record", str(page)]) == 0
    out = capsys.readouterr().out
    assert "http://127.0.0.1:" in out and said in out and f"recording: {page}" in out
    assert recorded(page)["frames"]
    assert cli.main(["lab", *words, "--live", "--no-open", "--record", str(page)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_ctrl_c_ends_it_in_order_and_keeps_the_recording(tmp_path, capsys, monkeypatch):
    def interrupted(session):
        session.frame()
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "run", interrupted)
    assert cli.main(["lab", "ring", "--live", "--no-open", "--record", str(tmp_path / "kept.html")]) == 0
    assert "Ctrl-C; 0 steps in all" in capsys.readouterr().out and (tmp_path / "kept.html").exists()


def test_a_browser_that_cannot_be_opened_is_said(capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(live.webbrowser, "open", asked.append)
    assert cli.main(["lab", "ring", "--live", "--steps", "1"]) == 0
    assert asked[0].startswith("http://127.0.0.1:") and "no browser" in capsys.readouterr().err


@pytest.mark.parametrize("words, why", [
    (["paint"], "add --live"), (["stacked", "--live"], "expected ring, grid, paint"),
    (["ring", "--seconds", "3"], "only with --live"), (["ring", "--record", "x.html"], "only with --live"),
    (["ring", "--no-open"], "--no-open: only with --live"), 
    (["ring", "--live", "--seeds", "2"], "--seeds: not with"),
    (["ring", "--live", "--cure", "all"], "--cure all: not with"),
    (["ring", "--live", "--out", "x.gif"], "--out: not with"),
    (["ring", "--live", "--record", "x.txt"], "--record: expected a name that ends in .html"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(words, why, capsys):
    assert cli.main(["lab", *words]) == 2
    assert why in capsys.readouterr().err


def test_the_port_is_the_one_asked_for(running, capsys):
    _, server, *_ = running()
    assert ask(server)[0] == 200
    assert cli.main(["lab", "ring", "--live", "--no-open", "--port", str(server.port)]) == 2
    assert "choose another" in capsys.readouterr().err
