"""Pages in headless Chromium, and the laboratory that serves one."""

import signal
import subprocess
import sys

import pytest
from chromium import complaints, look, running


@pytest.fixture(scope="session")
def browser():
    with running() as browser:
        yield browser


@pytest.fixture
def window(browser):
    """The browser, 1280 wide and light; the test fails if a page's console holds a complaint at its end."""
    look(browser, 1280)
    complaints(browser)
    yield browser
    found = complaints(browser)
    browser.get("about:blank")
    assert not found


def _hear_ctrl_c():
    """Undo what a shell does to the jobs it puts in the background: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def laboratory():
    """Start `minigan lab ... --live` as a process of its own; returns (process, address)."""
    begun = []

    def start(*words):
        command = [sys.executable, "-u", "-m", "minigan", "lab", *words, "--live", "--no-open"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=_hear_ctrl_c
        )
        begun.append(process)
        return process, process.stdout.readline().split(" (")[0].split()[-1]

    yield start
    for process in begun:
        process.terminate()
        process.communicate(timeout=20)
