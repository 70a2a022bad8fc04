"""A recording of the live laboratory: what it keeps besides frames."""

import json
import re

from minigan.cli import recording
from minigan.cli.live import Session
from minigan.cli.live_server import Command
from minigan.gan.live import SETTINGS, LiveLaboratory


def test_a_recording_marks_when_the_rules_were_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "KEPT", 4)
    path = tmp_path / "session.html"
    session = Session(LiveLaboratory("ring", base=8, batch=16), record=path)

    def do(**words):
        session._answer(command := Command(words))
        assert command.answer[0] == 200

    def shown(count):
        for _ in range(count):
            session.recording.add({"step": session.lab.trainer.step})

    shown(3)
    session.lab.step()
    for rate in (0.01, 0.02):  # a slider that is drawn
        do(do="set", settings={"lr_d": rate})
    do(do="pause")
    do(do="set", settings={"lr_d": 0.02})  # as it was
    shown(6)
    do(do="reset", seed=9)
    session.recording.write()
    (text,) = re.findall(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.S)
    data, label = json.loads(text), SETTINGS["lr_d"].label
    drawn, reset = data["marks"]
    assert (drawn["step"], reset["step"]) == (1, 0) and reset["words"] == "reset, seed 9"
    assert drawn["words"] == f"{label}: {SETTINGS['lr_d'].start} → 0.02"
    kept = [seen for seen, _ in session.recording.frames]
    assert kept[drawn["at"]] >= 3 > kept[drawn["at"] - 1] and reset["at"] == len(kept) - 1
