"""Freed memory is kept for the next array: fewer pages are asked of the system."""

import subprocess
import sys

import pytest

from minigan.kernels import memory

STEPS = """
import os, resource
import numpy as np
import minigan
def step():
    y = np.ones(1_500_000, np.float32) * 2.0
    return y * 3.0
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep):
    answer = subprocess.run(
        [sys.executable, "-c", STEPS],
        env={"MINIGAN_KEEP_MEMORY": keep, "OMP_NUM_THREADS": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(answer.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the setting is the GNU C library's")
def test_importing_minigan_keeps_freed_memory_unless_forbidden():
    kept, handed_back = faults("1"), faults("0")
    assert kept < 20
    assert handed_back > 10 * max(kept, 1)


def test_forbidden_means_untouched(monkeypatch):
    for word in ("0", "false", "No", "OFF"):
        monkeypatch.setenv("MINIGAN_KEEP_MEMORY", word)
        assert memory.keep_freed() is False
    for word in ("never", "2", "None"):
        monkeypatch.setenv("MINIGAN_KEEP_MEMORY", word)
        with pytest.warns(UserWarning, match="MINIGAN_KEEP_MEMORY: expected true or false"):
            assert memory.keep_freed() is False
