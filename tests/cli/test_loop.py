"""Ctrl-C, kill -9, budgets: how a run ends before its end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minigan import cli
from minigan.cli.loop import Interrupt

ROOT = Path(__file__).resolve().parents[2]


def test_the_first_interrupt_asks_the_second_stops(capsys):
    before = signal.getsignal(signal.SIGINT)
    interrupt = Interrupt()
    with interrupt.caught():
        assert not interrupt.asked
        signal.raise_signal(signal.SIGINT)
        assert interrupt.asked and "again" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def started(pictures, tmp_path):
    """A run of its own process that would go on for an hour; killed at the end of the test."""
    command = [sys.executable, "-m", "minigan", "train", "dense", "--set", "latent=4", "--batch", "8"]
    command += [
        "--data",
        str(pictures),
        "--minutes",
        "60",
        "--log-every",
        "1",
        "--out",
        str(tmp_path / "run"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        log, limit = tmp_path / "run" / "metrics.jsonl", time.monotonic() + 60
        while not (log.exists() and log.read_text().count("\n") > 3):
            assert run.poll() is None and time.monotonic() < limit, run.communicate()
            time.sleep(0.02)
        yield run, tmp_path / "run"
        run.kill()


def steps_of(run):
    return [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_ctrl_c_keeps_a_checkpoint_and_says_how_to_go_on(started):
    process, run = started
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    assert f"minigan train --resume --out {run}" in out
    step = steps_of(run)[-1]
    assert (run / "losses.png").exists() and (run / "samples" / f"step-{step:07d}.png").exists()
    assert cli.main(["train", "--resume", "--out", str(run), "--steps", str(step + 2)]) == 0
    assert steps_of(run) == list(range(1, step + 3))


def test_kill_9_leaves_a_checkpoint_to_go_on_from(started):
    process, run = started
    process.kill()
    process.communicate(timeout=60)
    with np.load(run / "checkpoint.npz") as file:
        assert file.files
    assert not list(run.glob(".*.tmp"))
    assert cli.main(["train", "--resume", "--out", str(run), "--steps", "3"]) == 0
    assert steps_of(run) == [1, 2, 3]


def test_a_second_run_in_the_folder_is_refused(started, capsys):
    process, run = started
    assert cli.main(["train", "--resume", "--out", str(run), "--steps", "3"]) == 2
    assert "in use by another run" in capsys.readouterr().err
    assert process.poll() is None
