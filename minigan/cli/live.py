"""``minigan lab ring --live``: train while a page watches and steers."""

from __future__ import annotations

import base64
import json
import queue
import sys
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from minigan.cli.live_server import Command, Hub, Server
from minigan.cli.recording import Recording
from minigan.errors import ArgumentError, BadInput, shown
from minigan.gan import live_view
from minigan.gan.live import CURES, SETTINGS, LiveLaboratory
from minigan.gan.record import Record
from minigan.viz import pages
from minigan.viz.plane import plane_points

FRAME = 0.05  # seconds between frames while it trains, drawing included, if the machine can
RASTER = 40  # D's map is so many places wide
GRACE = 3.0  # seconds after the last page is closed; a page that is loaded again is away for a moment
CURVE = 500  # points of the curves that a page starts with
SHOWN_REAL = 600
SPEEDS = {"slow motion": 0.5, "a step a frame": 0.0, "as fast as it can": None}  # seconds a step
CURE_WORDS = {
    "none": ("plain GAN", "Goodfellow 2014, nothing against collapse"),
    "penalty": ("R1 penalty", "D must be flat at real points; Mescheder 2018"),
    "packing": ("packs of 4", "D judges four points at once; Lin 2018"),
    "minibatch": ("minibatch features", "D sees how close the points of a batch lie; Salimans 2016"),
    "paired": ("pairs + R1 + R2", "real and generated are compared in pairs, D flat at both; Huang 2024"),
}


class Session:
    """The laboratory, its clock, and what the pages may ask of it.

    Args:
        lab: what trains.
        steps, seconds: end by itself after so many; it then plays from the start and needs no page.
        record: file that keeps the session, or None.
    """

    def __init__(
        self, lab: LiveLaboratory, *, steps: int | None = None, seconds: float | None = None,
        record: Path | None = None,
    ):  # fmt: skip
        self.lab, self.steps, self.seconds = lab, steps, seconds
        self.raster = plane_points(lab.extent, RASTER)
        self.endless = steps is None and seconds is None
        self.playing = True
        self.speed, self.averaged, self.notice = "as fast as it can", False, ""
        self.recent: list[Record] = []  # since the last frame
        self.curve: list[list[float]] = []  # step, D's loss, G's loss, modes reached
        self.rates = (0.0, 0.0)  # frames and steps a second
        self.done = 0
        self.hub = Hub(pages.build("lab", title=f"minigan lab {lab.experiment}", data={}))
        self.hub.hello = json.dumps(self.hello())  # a page may come before the first frame
        self.recording = Recording(record, self) if record else None

    # ---- the loop -------------------------------------------------------------------------------------

    def run(self) -> str:
        """Train, show and obey until it is over; returns why it is."""
        begun = self._counted = time.monotonic()
        self._frames = self._steps = 0
        self._show()
        while not (why := self._over(begun)):
            changed = self._obey(0.1 if self._waiting() else 0.0)
            if not self._waiting():
                changed = self._train() or changed
            if changed:
                self._show()
        self.hub.end(why)
        if self.recording:
            self.recording.write()
        return why

    def _waiting(self) -> bool:
        return not self.playing or (self.endless and not self.hub.tabs)

    def _over(self, begun: float) -> str:
        if self.steps is not None and self.done >= self.steps:
            return f"{self.steps} steps are done"
        if self.seconds is not None and time.monotonic() - begun >= self.seconds:
            return f"{self.seconds:g} seconds are over"
        return "the page was closed" if self.endless and self.hub.alone() > GRACE else ""

    def _train(self) -> bool:
        """Take the steps of one frame; a command ends it early.  Say whether there is anything to show."""
        pause = SPEEDS[self.speed]
        until = time.monotonic() + (FRAME if pause is None else 0.0)
        while True:
            if not self._count(self.lab.step()):
                self.playing = False
                return True
            late = time.monotonic() >= until or not self.hub.commands.empty()
            if late or (self.steps is not None and self.done >= self.steps):
                break
        if pause is not None:
            self._obey(max(pause, FRAME))
        return True

    def _count(self, record: Record | None) -> bool:
        if record is None:
            return False
        self.recent.append(record)
        self.done += 1
        self._steps += 1
        return True

    def _obey(self, wait: float) -> bool:
        """Do what the pages asked for; wait at most so many seconds for the first command."""
        obeyed = False
        while True:
            try:
                command = self.hub.commands.get(timeout=wait) if wait else self.hub.commands.get_nowait()
            except queue.Empty:
                return obeyed
            self._answer(command)
            obeyed, wait = True, 0.0

    def _answer(self, command: Command) -> None:
        words, before = dict(command.words), dict(self.lab.settings)
        name = words.pop("do", None)
        try:
            if not isinstance(name, str) or name not in DEEDS:
                raise ArgumentError(f"do: expected one of {', '.join(DEEDS)}, got {shown(name)}")
            self.notice = DEEDS[name](self, **words) or ""
        except BadInput as error:
            command.reply(400, error=str(error))
        except TypeError as error:  # other words than the deed has
            command.reply(400, error=f"{name}: {error}".replace("Session.", ""))
        else:
            if self.recording:
                self.recording.mark(name, before)
            command.reply(200, notice=self.notice)

    # ---- what pages may ask for -----------------------------------------------------------------------

    def play(self) -> None:
        """Go on."""
        if self.lab.failure:
            raise ArgumentError("the numbers are no longer finite; reset first")
        self.playing = True

    def pause(self) -> None:
        """Stand still."""
        self.playing = False

    def step(self, who: str = "both") -> str:
        """Stand still but for one step: of both, or of one network."""
        self.playing = False
        record = self.lab.step() if who == "both" else self.lab.half_step(who)
        self._count(record)
        return "" if record is None else f"One step of {'both' if who == 'both' else who[0].upper()}."

    def reset(self, seed: int | None = None) -> str:
        """Begin again."""
        self.lab.reset(seed)
        self.curve.clear()
        self.recent.clear()
        self.playing = True
        return f"New weights, from seed {self.lab.seed}."

    def change(self, settings: Any = None) -> str:
        """Lay settings over those there are."""
        if not isinstance(settings, dict) or not all(isinstance(name, str) for name in settings):
            raise ArgumentError(f"set: expected settings by name, got {shown(settings)}")
        if "self" in settings:
            raise ArgumentError("no such setting: 'self'")
        return self.lab.change(**settings)

    def cure(self, name: str = "") -> str:
        """Take one of the cures, or none."""
        if not isinstance(name, str) or name not in CURES:
            raise ArgumentError(f"cure: expected one of {', '.join(CURES)}, got {shown(name)}")
        return self.lab.change(**CURES[name])

    def paint(self, spots: Any = None) -> None:
        """Add points."""
        self.lab.paint(spots)
        if self.lab.trainer is not None and self.lab.trainer.step == 0:
            self.playing = True

    def clear(self) -> None:
        """Take all painted points away."""
        self.lab.clear()
        self.curve.clear()

    def show(self, averaged: bool = False, speed: str = "as fast as it can") -> None:
        """Choose what is drawn, and how fast it goes."""
        if not isinstance(averaged, bool) or not isinstance(speed, str) or speed not in SPEEDS:
            raise ArgumentError(f"show: expected a truth and one of {', '.join(SPEEDS)}")
        self.averaged, self.speed = averaged, speed

    # ---- what pages get -------------------------------------------------------------------------------

    def hello(self) -> dict[str, Any]:
        """Return what stays the same, and the curves so far."""
        lab = self.lab
        return {
            "experiment": lab.experiment,
            "extent": lab.extent,
            "raster": RASTER,
            "settings": {name: vars(setting) for name, setting in SETTINGS.items()},
            "cures": {
                name: {"label": CURE_WORDS[name][0], "hint": CURE_WORDS[name][1], "set": CURES[name]}
                for name in CURES
            },
            "speeds": list(SPEEDS),
            "curve": self.curve,
        }

    def _show(self) -> None:
        now = time.monotonic()
        self._frames += 1
        if now - self._counted >= 1.0:
            span = now - self._counted
            self.rates = self._frames / span, self._steps / span
            self._counted, self._frames, self._steps = now, 0, 0
        frame = self.frame()
        self.hub.hello = json.dumps(self.hello())
        self.hub.publish(json.dumps(frame))
        if self.recording:
            self.recording.add(frame)

    def frame(self) -> dict[str, Any]:
        """Return what there is to see now, as JSON values; arrays are bytes in base 64."""
        lab = self.lab
        with np.errstate(all="ignore"):  # of a game that blew up there is little to see
            view = live_view.look(lab, self.raster, averaged=self.averaged)
        kind, words = live_view.verdict(lab, view)
        frame: dict[str, Any] = {
            "step": lab.trainer.step if lab.trainer else 0, "done": self.done, "seed": lab.seed,
            "playing": self.playing, "set": lab.settings, "speed": self.speed, "averaged": self.averaged,
            "kind": kind, "words": words, "notice": self.notice, "rates": [round(r, 1) for r in self.rates],
            "spots": np.round(lab.mixture.centres, 3).tolist(), "sigma": lab.mixture.sigma,
        }  # fmt: skip
        if view is not None and lab.trainer is not None:
            real = lab.trainer.loader.images[:SHOWN_REAL].reshape(-1, 2) * lab.scale
            length = np.linalg.norm(view.pushes, axis=1, keepdims=True)
            frame |= {
                "real": _shorts(real / lab.extent),
                "made": _shorts(view.points[: SHOWN_REAL] / lab.extent),
                "push": _shorts(view.pushes / (length + live_view.HALF)),
                "map": base64.b64encode(np.rint(255 * view.belief).astype(np.uint8).tobytes()).decode(),
                "modes": view.modes.astype(int).tolist(), "strict": view.strict,
                "quality": round(view.quality, 3),
            }  # fmt: skip
            if self.recent:
                self.curve.append([frame["step"], *self._losses(), int(view.modes.sum())])
                frame["curve"] = self.curve[-1]
                if len(self.curve) > CURVE:
                    del self.curve[1::2]
        self.recent.clear()
        return frame

    def _losses(self) -> list[float]:
        """Return the mean losses since the last frame; the last known where one network stood still."""
        before = self.curve[-1][1:3] if self.curve else [0.0, 0.0]
        both = [r for r in self.recent if r.d_norm and r.g_norm]
        if not both:
            last = self.recent[-1]
            return [last.d_loss if last.d_norm else before[0], last.g_loss if last.g_norm else before[1]]
        return [round(fmean(getattr(r, name) for r in both), 5) for name in ("d_loss", "g_loss")]


DEEDS: dict[str, Callable[..., str | None]] = {
    "play": Session.play,
    "pause": Session.pause,
    "step": Session.step,
    "reset": Session.reset,
    "set": Session.change,
    "cure": Session.cure,
    "paint": Session.paint,
    "clear": Session.clear,
    "show": Session.show,
}


def _shorts(values: np.ndarray) -> str:
    """Numbers of [-1, 1] as signed 16-bit ones, little-endian; what lies outside is cut off."""
    whole = np.rint(np.nan_to_num(values).clip(-1, 1) * 32767).astype("<i2")
    return base64.b64encode(whole.tobytes()).decode()


def run(
    experiment: str, *, cure: str, seed: int, port: int, steps: int | None, seconds: float | None,
    record: Path | None, show: bool,
) -> None:  # fmt: skip
    """Open the laboratory and serve it until it is over; Ctrl-C ends it in order."""
    session = Session(
        LiveLaboratory(experiment, cure=cure, seed=seed), steps=steps, seconds=seconds, record=record
    )
    server = Server(session.hub, port)
    try:
        print(
            f"the laboratory is at {server.url} (this machine only); Ctrl-C or closing the page ends it",
            flush=True,
        )
        if show and not webbrowser.open(server.url):
            print("no browser could be opened; open the address above yourself", file=sys.stderr)
        why = session.run()
    except KeyboardInterrupt:
        why = "Ctrl-C"
        session.hub.end(why)
        if session.recording:
            session.recording.write()
    finally:
        session.hub.end(session.hub.ended or "an error")
        time.sleep(0.1)  # the pages are told
        server.close()
    step = session.lab.trainer.step if session.lab.trainer else 0
    print(f"{why}; {session.done} steps in all, the last game is at step {step}")
    if record:
        print(f"recording: {record}")
