"""Reports: one file with everything in it."""

import base64
import os
import re
import subprocess
import sys
from html import escape
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minigan.errors import FileError, ShapeError
from minigan.viz.grid import png_bytes
from minigan.viz.html import Report

PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def test_verdicts_code_and_what_is_folded_away():
    page = Report("A < B")
    page.text("D & G", kind="bad").code("a <b>").details("more & more", lambda: page.text("inside"))
    html = page.html()
    Page(html)
    assert "<p class=bad>D &amp; G</p>" in html and "<pre>a &lt;b&gt;</pre>" in html
    assert re.search(r"<details><summary>more &amp; more</summary>\s*<p>inside</p>\s*</details>", html)


class Page(HTMLParser):
    """Collect tags with their attributes and the text, and insist on closed tags."""

    VOID = {"meta", "img", "input", "!doctype"}

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(page)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def full():
    return (
        Report("Run <1> & co")
        .heading("Losses")
        .text("a < b")
        .image(PIXELS, 'the "grid"')
        .image(png_bytes(PIXELS))
        .table([["x", 1234567, 0.123456], [True, np.float32(2), np.int64(3)]], ["name", "n", "v"])
        .slider([PIXELS, PIXELS[::-1].copy(), PIXELS], ["step 0", "step 1", "step 2"])
        .svg('<svg xmlns="http://www.w3.org/2000/svg"/>')
    )


def test_the_page_is_sound_and_needs_nothing_else():
    html = full().html()
    page = Page(html)
    for tag, attributes in page.tags:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:"), f"<{tag} {name}> leaves the page"
    without_data = re.sub(r'"data:[^"]*"', '""', html)
    assert "http" not in without_data and "@import" not in without_data and "url(" not in without_data


def test_text_is_escaped():
    page = Page(full().html())
    assert "Run <1> & co" in "".join(page.words) and "a < b" in page.words
    assert page.all("img")[0]["alt"] == 'the "grid"'


def test_pictures_are_embedded_exactly():
    source = Page(full().html()).all("img")[0]["src"]
    kind, data = source.split(";base64,")
    assert kind == "data:image/png"
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(base64.b64decode(data)))), PIXELS)
    kinds = [image["src"].split(";")[0] for image in Page(full().html()).all("img")]
    assert kinds[-1] == "data:image/svg+xml"


def test_the_slider_starts_at_the_last_frame_and_shows_it_without_scripts():
    page = Page(full().html())
    (bar,) = page.all("input")
    assert (bar["type"], bar["min"], bar["max"], bar["value"]) == ("range", "0", "2", "2")
    frames = [image for image in page.all("img") if image["alt"].startswith("step")]
    assert ["hidden" in frame for frame in frames] == [True, True, False]


def test_numbers_in_tables():
    page = full().html()
    for cell in (">x</td>", ">1,234,567</td>", ">0.1235</td>", ">True</td>", ">2</td>", ">3</td>"):
        assert cell in page
    assert page.count('class="number"') == 4


def test_writing_replaces_an_older_file(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    full().write(path)
    assert path.read_text(encoding="utf-8") == full().html()
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(FileError):
        full().write(tmp_path / "no" / "report.html")


@pytest.mark.parametrize(
    "add",
    [
        lambda r: r.slider([], []),
        lambda r: r.slider([PIXELS], []),
        lambda r: r.image(b"hello world"),
        lambda r: r.image(np.zeros((2, 2))),
    ],
)
def test_bad_input_adds_nothing(add):
    report = Report("x")
    before = report.html()
    with pytest.raises(ShapeError):
        add(report)
    assert report.html() == before


@pytest.mark.parametrize("name", [b"caf\xe9", b"\xff\xfe", b"run-\x80 <b>", "日本é".encode()])
def test_a_name_that_is_not_utf8_is_shown_escaped(tmp_path, name):
    text = name.decode("utf-8", "surrogateescape")
    page = Report(text).heading(text).text(text).code(text).table([[text]], [text])
    page.image(PIXELS, text).slider([PIXELS], [text]).details(text, lambda: page.text(text))
    page.svg(f"<svg><text>{escape(text)}</text></svg>", text).write(tmp_path / "a.html")
    shown = escape(name.decode("utf-8", "backslashreplace").replace("\\x", "\\udc"))
    written = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert f"<title>{shown}</title>" in written and f"<pre>{shown}</pre>" in written
    drawing = base64.b64decode(re.search(r"image/svg.xml;base64,([^\"]*)", written)[1]).decode()
    assert drawing == f"<svg><text>{shown}</text></svg>"


def test_a_page_is_utf8_whatever_the_locale(tmp_path):
    program = "import sys; from minigan.viz import Report; Report('r\\xe9 \\udcff').write(sys.argv[1])"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", program, tmp_path / "a.html"], env=os.environ | plain, check=True)
    assert "<title>ré \\udcff</title>" in (tmp_path / "a.html").read_text(encoding="utf-8")
