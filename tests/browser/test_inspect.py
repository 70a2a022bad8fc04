"""The page of `minigan inspect` by clicking."""

import time

import numpy as np
import pytest
from chromium import look

from minigan import cli
from minigan.data.arrays import write_npz

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspected")
    images = np.random.default_rng(0).integers(0, 255, (40, 1, 16, 16)).astype(np.uint8)
    write_npz(folder / "noise.npz", {"images": images, "labels": np.arange(40) % 2})
    words = "train dcgan --set base=2 --set latent=4 --batch 4 --steps 2".split()
    assert cli.main([*words, "--data", str(folder / "noise.npz"), "--out", str(folder / "run")]) == 0
    assert cli.main(["inspect", str(folder / "run")]) == 0
    return (folder / "run" / "inside.html").as_uri()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_every_picture_is_shown_and_nothing_sticks_out(window, page, width, dark):
    look(window, width, dark=dark)
    window.get(page)
    time.sleep(0.5)
    broken = window.execute_script(
        "return [...document.images].filter((one) => !one.complete || !one.naturalWidth || !one.alt).length"
    )
    assert broken == 0 and window.execute_script("return document.images.length") > 50
    assert window.execute_script("return document.documentElement.scrollWidth") <= width
    strips = window.find_elements("css selector", "#history .past canvas")
    assert len(strips) > 5 and all(strip.rect["width"] > 200 for strip in strips)
    drawn = "return arguments[0].getContext('2d').getImageData(0, 0, 1, 1).data[3]"
    assert all(window.execute_script(drawn, strip) == 255 for strip in strips)


def test_sliders_walk_and_samples_change_every_layer(window, page):
    window.get(page)
    source = lambda: window.find_element("id", "walked").get_attribute("src")  # noqa: E731
    before = source()
    window.execute_script(
        "const bar = document.getElementById('way-0'); bar.value = 8; bar.dispatchEvent(new Event('input'))"
    )
    assert source() != before
    assert "direction 1 at 3.00" in window.find_element("id", "walkedwords").text
    maps = lambda: [one.get_attribute("src") for one in window.find_elements("css selector", "#maps img")]  # noqa: E731
    first = maps()
    window.find_elements("css selector", "#choose2 button")[1].click()
    assert first[0] != maps()[0] and len(first) == len(maps())
