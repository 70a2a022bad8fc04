"""Headless Chromium, which the system brings (Debian: chromium, chromium-driver), steered by Selenium."""

import shutil
from contextlib import contextmanager

import pytest

WORDS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@contextmanager
def running():
    """Run a browser whose console can be read; a skip says what is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="wants the browser extra (Selenium)")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("no chromium with chromedriver here (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for word in WORDS:
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


def look(browser, width, height=1000, *, dark=False, mobile=False):
    """Make the browser's window so wide, and light or dark; a mobile one is laid out as on a telephone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def complaints(browser):
    """Return what the page's console complained of since it was asked last."""
    return [line["message"] for line in browser.get_log("browser") if line["level"] != "INFO"]
