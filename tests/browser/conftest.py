"""Headless Chromium, which the system brings (Debian: chromium, chromium-driver), steered by Selenium."""

import shutil
import signal
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def chromium():
    """A browser whose console is read."""
    selenium = pytest.importorskip("selenium.webdriver", reason="wants the browser extra (Selenium)")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("wants chromium and chromedriver on the path")
    options = selenium.ChromeOptions()
    options.binary_location = program
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture
def window(chromium):
    """The browser, 1280 wide and light; the test fails if a page's console holds a complaint at its end."""
    seen(chromium, 1280)
    chromium.get_log("browser")
    yield chromium
    complaints = [line for line in chromium.get_log("browser") if line["level"] != "INFO"]
    chromium.get("about:blank")
    assert not complaints


def seen(browser, width, height=1000, *, dark=False):
    """Make the browser's window so wide, and light or dark."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


@pytest.fixture
def looking():
    """Return the function that sets the window's width and scheme."""
    return seen


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
