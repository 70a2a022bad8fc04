"""What ``minigan lab --live --record`` keeps: a page that replays the session."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from minigan.gan.live import SETTINGS, LiveLaboratory
from minigan.viz import pages

KEPT = 500  # frames of a recording; beyond, every other one goes
MARKS, DRAGGED = 200, 2.0  # marks of a recording, the latest; seconds in which changes of one setting are one
SAVED = 30.0  # seconds between writes of a recording, so that a killed session is not lost


class Recorded(Protocol):
    """What is asked of the session."""

    lab: LiveLaboratory

    def hello(self) -> dict[str, Any]:
        """Return what stays the same."""


@dataclass
class Mark:
    """A change of the rules: how many frames came before it, the step, setting -> (old, new)."""

    seen: int
    step: int
    changed: dict[str, tuple[Any, Any]]
    words: str
    when: float

    def say(self) -> str:
        """Return the change in words."""
        changed = [f"{SETTINGS[name].label}: {old} → {new}" for name, (old, new) in self.changed.items()]
        return "; ".join([*([self.words] if self.words else []), *changed])


class Recording:
    """The session as a page that replays: at most KEPT frames, evenly over its time."""

    def __init__(self, path: Path, session: Recorded):
        self.path, self.session = path, session
        self.frames: list[tuple[int, dict[str, Any]]] = []  # each with how many came before it
        self.marks: list[Mark] = []
        self.every, self.seen, self.saved = 1, 0, time.monotonic()

    def add(self, frame: dict[str, Any]) -> None:
        """Keep a frame if it is one of the chosen, and write the file now and then."""
        if self.seen % self.every == 0:
            self.frames.append((self.seen, frame))
        self.seen += 1
        if len(self.frames) > KEPT:
            del self.frames[1::2]
            self.every *= 2
        if time.monotonic() - self.saved > SAVED:
            self.write()

    def mark(self, deed: str, before: dict[str, Any]) -> None:
        """Remember that a deed changed the rules, which were ``before``, or began the game anew."""
        lab = self.session.lab
        new = {name: (before[name], value) for name, value in lab.settings.items() if value != before[name]}
        words = {"reset": f"reset, seed {lab.seed}", "clear": "all points taken away"}.get(deed, "")
        if not new and not words:
            return
        mark = Mark(self.seen, lab.trainer.step if lab.trainer else 0, new, words, time.monotonic())
        last = self.marks[-1] if self.marks else None
        if last and new and last.changed.keys() == new.keys() and mark.when - last.when < DRAGGED:
            last.changed = {name: (last.changed[name][0], value) for name, (_, value) in new.items()}
            last.when = mark.when
        else:
            self.marks = [*self.marks, mark][-MARKS:]

    def _marks(self) -> list[dict[str, Any]]:
        """Return the marks, each at the first kept frame that shows it."""
        kept = [seen for seen, _ in self.frames]
        return [
            {"at": min(bisect_left(kept, mark.seen), max(0, len(kept) - 1)), "step": mark.step,
             "words": mark.say()}
            for mark in self.marks
        ]  # fmt: skip

    def write(self) -> None:
        """Write the page, replacing an older state of it."""
        from minigan.data.arrays import replace_file

        self.saved = time.monotonic()
        frames = _differences([frame for _, frame in self.frames])
        data = {"hello": {**self.session.hello(), "curve": []}, "frames": frames, "marks": self._marks()}
        page = pages.build("lab", title=f"minigan lab {self.session.lab.experiment}, recorded", data=data)
        with replace_file(self.path, needed=len(page)) as file:
            file.write(page.encode("utf-8", "backslashreplace"))


def _differences(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out of each frame what is as in the one before."""
    pairs = zip([{}, *frames], frames, strict=False)
    return [{k: v for k, v in frame.items() if k not in old or old[k] != v} for old, frame in pairs]
