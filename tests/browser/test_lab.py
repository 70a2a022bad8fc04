"""The live laboratory by clicking: what one does in the page happens in the trainer, and is seen."""

import signal
import time

import pytest
from chromium import look

pytestmark = pytest.mark.browser


def by_id(window, name):
    return window.find_element("id", name)


def until(window, script, seconds=60):
    """Wait until the script's value is true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := window.execute_script(f"return {script}"):
            return found
        time.sleep(0.02)
    now = window.execute_script(
        "return frame && [frame.step, frame.words, frame.set, byId('say').textContent]"
    )
    raise AssertionError(f"not within {seconds} s: {script}; {now}")


def slide(window, name, value):
    """Move a slider the way a hand does: the value, then the browser's event."""
    script = (
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))"
    )
    window.execute_script(script, by_id(window, name), value)


def opened(window, address, step=3):
    window.get(address)
    until(window, f"frame && frame.step >= {step}")


def test_a_slider_changes_the_trainers_rate_and_pause_pauses(window, laboratory):
    process, address = laboratory("ring")
    opened(window, address)
    slide(window, "set-lr_d", -1.5)
    until(window, "Math.abs(frame.set.lr_d - 0.0316) < 1e-4")  # what the trainer's side says it has
    assert by_id(window, "set-lr_d").get_attribute("aria-valuetext") == "0.032"
    by_id(window, "set-loss").find_element("css selector", "option[value='\"hinge\"']").click()
    until(window, "frame.set.loss === 'hinge'")
    by_id(window, "play").click()
    until(window, "!frame.playing && byId('play').textContent === 'Play'")
    step = window.execute_script("return frame.step")
    time.sleep(1)
    assert window.execute_script("return frame.step") == step
    for button, words in (
        ("stepd", "One step of D."),
        ("stepg", "One step of G."),
        ("step", "One step of both."),
    ):
        step += 1
        by_id(window, button).click()
        until(window, f"frame.step === {step} && byId('say').textContent === '{words}'")
    by_id(window, "seed").clear()
    by_id(window, "seed").send_keys("7")
    by_id(window, "reset").click()
    until(window, f"frame.seed === 7 && frame.playing && frame.step < {step + 200}")


def test_the_plain_game_loses_modes_and_a_click_on_the_cure_brings_them_back(window, laboratory):
    process, address = laboratory("ring", "--seed", "0")
    opened(window, address)
    served = "frame.modes.reduce((a, b) => a + b, 0)"
    until(window, f"frame.step > 500 && {served} <= 6 && frame.words.startsWith('Mode collapse')", 200)
    assert by_id(window, "cure-none").get_attribute("aria-pressed") == "true"
    by_id(window, "cure-paired").click()
    until(window, "byId('cure-paired').getAttribute('aria-pressed') === 'true'")
    until(window, f"{served} === 8 && frame.words.startsWith('All 8 modes')", 300)
    assert by_id(window, "modes").text == "8 of 8"


def test_painting_by_mouse_and_by_keys(window, laboratory):
    from selenium.webdriver import ActionChains, Keys

    process, address = laboratory("paint")
    opened(window, address)
    by_id(window, "clear").click()
    until(window, "frame.spots.length === 0 && frame.words.startsWith('Nothing is painted')")
    plane = by_id(window, "plane")
    hand = ActionChains(window).move_to_element_with_offset(plane, -100, -100).click_and_hold()
    hand.move_by_offset(60, 0).move_by_offset(60, 0).release().perform()
    until(window, "frame.spots.length >= 3 && frame.step > 3")
    spots = window.execute_script("return frame.spots.length")
    plane.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    until(window, f"frame.spots.length === {spots + 1} || frame.spots.some(([x, y]) => y < 0)")


def test_a_second_tab_sees_the_same_game_and_the_last_that_closes_ends_it(window, laboratory):
    process, address = laboratory("ring")
    opened(window, address)
    first = window.current_window_handle
    window.switch_to.new_window("tab")
    opened(window, address)
    by_id(window, "play").click()
    until(window, "!frame.playing")
    window.close()
    window.switch_to.window(first)
    until(window, "!frame.playing")
    time.sleep(4)
    assert process.poll() is None
    window.get("about:blank")
    out, _ = process.communicate(timeout=20)
    assert "the page was closed" in out and process.returncode == 0


def test_ctrl_c_is_told_to_the_page_and_the_recording_replays(window, laboratory, tmp_path):
    kept = tmp_path / "kept.html"
    process, address = laboratory("ring", "--record", str(kept))
    opened(window, address, 20)
    window.find_elements("css selector", "#cures button")[1].click()
    changed = until(window, "frame.step > 40 && frame.step")
    process.send_signal(signal.SIGINT)
    until(window, "byId('say').textContent.includes('has ended: Ctrl-C')")
    assert window.execute_script(
        "return [...document.querySelectorAll('button')].every((one) => one.disabled)"
    )
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and f"recording: {kept}" in out
    window.get(kept.as_uri())
    last = until(window, "frame.step")
    assert last >= 20 and not by_id(window, "play").is_displayed()
    window.execute_script("const bar = byId('moment'); bar.value = 0; bar.dispatchEvent(new Event('input'))")
    assert window.execute_script("return frame.step") < last
    (mark,) = window.find_elements("css selector", "#changes button")
    mark.click()
    assert mark.get_attribute("aria-pressed") == "true" and "→" in mark.text
    assert window.execute_script("return frame.step") <= changed
    assert window.execute_script("return document.querySelectorAll('#ticks i').length") == 1
    by_id(window, "replay").click()
    until(window, f"frame.step === {last} && byId('replay').textContent === 'Play'")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_it_is_readable(window, laboratory, width, dark):
    process, address = laboratory("grid")
    look(window, width, dark=dark)
    opened(window, address)
    assert window.execute_script("return document.documentElement.scrollWidth") <= width
    box = by_id(window, "plane").rect
    assert box["width"] == pytest.approx(box["height"], abs=1)  # a unit is as long either way
    assert all(contrasts(window, ["h1", "#verdict", ".legend li", "label", "small", "dt"]))
    named = "[...document.querySelectorAll('input, select, button, canvas')].every((one) => "
    named += "one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label'))"
    assert window.execute_script(f"return {named}")


def contrasts(window, selectors, least=4.5):
    """Say of each selector's first element whether its words stand out (WCAG 2.1, 1.4.3)."""
    script = """
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const linear = (one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    const light = (colour) => numbers(colour).slice(0, 3).map((one) => linear(one / 255))
      .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
    const clear = (one) => (numbers(getComputedStyle(one).backgroundColor)[3] ?? 1) === 0;
    return arguments[0].map((selector) => {
      let one = document.querySelector(selector), ground = one;
      while (ground.parentElement && clear(ground)) ground = ground.parentElement;
      const pair = [getComputedStyle(one).color, getComputedStyle(ground).backgroundColor].map(light);
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    });"""
    return [ratio >= least for ratio in window.execute_script(script, selectors)]
