"""The course as a site: every lesson runs as a notebook, and what is built is whole and can be read.

It is looked at from file:// in headless Chromium, where that is there with its driver; run with -m docs.
"""

import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import chromium
import pytest

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted((ROOT / "examples").glob("[0-9][0-9]_*.py"))
INDEX = (ROOT / "examples" / "site" / "index.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built once in its short form: the lessons run through a kernel."""
    out = tmp_path_factory.mktemp("course") / "site"
    command = [sys.executable, str(ROOT / "examples" / "site" / "build.py"), "--quick", "--out", str(out)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=out.parent, check=False)
    assert run.returncode == 0, run.stdout + run.stderr[-5000:]
    print(run.stdout)
    return out


@pytest.fixture(scope="module")
def pages(site):
    """Path -> what is in it, of every page."""
    found = {}
    for path in site.rglob("*.html"):
        reader = Page()
        reader.feed(path.read_text(encoding="utf-8"))
        found[path] = reader
    return found


class Page(HTMLParser):
    """The anchors, links and pictures of a page."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.pictures = set(), [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.ids |= {value for name, value in attrs if name in ("id", "name")}
        self.links += [named[name] for name in ("href", "src") if named.get(name)]
        if tag == "img":
            self.pictures.append((named.get("src", ""), named.get("alt", "")))


def test_the_start_page_has_thirty_questions_each_with_a_page():
    questions = re.findall(r"^\d+\. \[(.+)\?\]\((\S+)\)$", INDEX, re.M)
    assert len(questions) >= 30 and len({words for words, _ in questions}) == len(questions)
    for _, target in questions:
        folder, _, name = target.partition("/")
        if folder == "lessons":
            assert (ROOT / "examples" / name.replace(".ipynb", ".py")).exists(), target


@pytest.mark.docs
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_runs_as_a_notebook_from_first_to_last_cell(path, site):
    import nbformat

    book = nbformat.read(site.parent / "site-work" / "executed" / f"{path.stem}.ipynb", 4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    pictures = [kind for output in outputs for kind in output.get("data", {}) if kind.startswith("image/")]
    assert len(pictures) == path.read_text(encoding="utf-8").count("lesson.show(") >= 1


@pytest.mark.docs
def test_the_notebooks_to_download_are_clean_and_whole(site):
    import nbformat

    found = {path.name: path for path in (site / "_downloads").rglob("*.ipynb")}
    assert set(found) == {f"{path.stem}.ipynb" for path in LESSONS}
    for path in found.values():
        book = nbformat.read(path, 4)
        nbformat.validate(book)
        assert not any(cell.get("outputs") for cell in book.cells)


@pytest.mark.docs
def test_no_link_is_dead_and_nothing_comes_from_elsewhere(site, pages):
    dead, count = [], 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "data", "mailto"):
                assert link not in [source for source, _ in page.pictures], f"{path.name}: {link}"
                continue
            count += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                dead.append(f"{path.relative_to(site)}: {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                dead.append(f"{path.relative_to(site)}: no anchor {link}")
    assert not dead, "\n".join(dead[:20])
    assert count > 1000


@pytest.mark.docs
def test_every_picture_says_what_it_shows(site, pages):
    for path, page in pages.items():
        if path.parent.name == "lessons" and path.stem[:2].isdigit():
            assert page.pictures and all(words for _, words in page.pictures), path.name


@pytest.mark.docs
def test_lessons_and_reference_name_one_another(site):
    page = (site / "reference" / "minigan.gan.html").read_text(encoding="utf-8")
    part = page.split('id="minigan.gan.penalties.r1"')[1].split("Lessons that use it")[1].split("</ul>")[0]
    assert "lessons/09_r1_from_scratch.html" in part
    lesson = (site / "lessons" / "09_r1_from_scratch.html").read_text(encoding="utf-8")
    assert "reference/minigan.gan.html#minigan.gan.penalties.r1" in lesson


@pytest.mark.docs
def test_a_lesson_that_fails_is_named_with_its_cell_and_error(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples" / "site")
    import notebooks

    broken = tmp_path / "99_broken.py"
    broken.write_text("# %% [markdown]\n# # 99. Broken\n\n# %%\n1 + 1\n\n# %%\n1 / 0\n")
    with pytest.raises(notebooks.LessonError, match=r"99_broken.py, code cell 2: ZeroDivisionError"):
        notebooks.run(broken, quick=True, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.docs
@pytest.mark.parametrize("word", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_a_build_that_is_ended_leaves_nothing_running(word, tmp_path):
    psutil = pytest.importorskip("psutil")  # which Jupyter's kernels bring
    command = [
        sys.executable,
        str(ROOT / "examples" / "site" / "build.py"),
        "--quick",
        "--out",
        str(tmp_path),
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    asked = {"stderr": subprocess.PIPE, "env": environment, "start_new_session": True}
    with subprocess.Popen(command, **asked) as build:
        begun, kernels = [], 0
        while kernels < 2 and build.poll() is None:  # until both workers have one
            time.sleep(0.2)
            begun = psutil.Process(build.pid).children(recursive=True)
            kernels = sum("ipykernel_launcher" in " ".join(process.cmdline()) for process in begun)
        build.send_signal(getattr(signal, word))
        _, told = build.communicate(timeout=20)
    assert build.returncode == (-9 if word == "SIGKILL" else 128 + getattr(signal, word)), told
    assert (b"lessons that have run are kept" in told) == (word != "SIGKILL")
    _, alive = psutil.wait_procs(begun, timeout=20)
    assert len(begun) >= 4 and not alive
    assert not list(tmp_path.glob("tmp*"))  # the kernels' folders


@pytest.fixture(scope="module")
def browser():
    with chromium.running() as browser:
        yield browser


BROKEN = "return [...document.images].filter(i => !(i.complete && i.naturalWidth)).map(i => i.src)"
OVERFLOW = "return document.documentElement.scrollWidth - window.innerWidth"
SHADES = """
const shade = c => c.match(/[0-9.]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) / 3
const ink = getComputedStyle(document.querySelector('article p')).color
return [shade(getComputedStyle(document.body).backgroundColor), shade(ink)]
"""


@pytest.mark.docs
def test_every_page_is_sound_in_a_browser_at_400_pixels_in_light_and_dark(site, pages, browser):
    own = [path for path in pages if path.parent.name in ("lessons", "guide", "site")]
    some = sorted(path for path in pages if path.parent.name == "reference")[::4]
    assert len(own) > len(LESSONS) + 5 and some
    for dark in (False, True):
        chromium.look(browser, 400, 800, dark=dark, mobile=True)
        for path in (*own, *some) if not dark else own[::5]:
            browser.get(path.as_uri())
            browser.execute_script("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
            assert browser.execute_script(BROKEN) == [], path.name
            assert browser.execute_script(OVERFLOW) <= 0, f"{path.name} is wider than the screen"
            if browser.execute_script("return document.querySelectorAll('article p').length"):
                ground, ink = browser.execute_script(SHADES)
                assert (ink - ground > 100) if dark else (ground - ink > 100), (path.name, ground, ink)
            errors = chromium.complaints(browser)
            assert not errors, f"{path.name}: {errors}"


@pytest.mark.docs
def test_the_search_finds_a_lesson_from_a_file(site, browser):
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get((site / "search.html").as_uri() + "?q=checkerboard+gram")
    browser.get((site / "search.html").as_uri() + "?q=winograd")
    links = "return [...document.querySelectorAll('#search-results a')].map(a => a.href)"
    WebDriverWait(browser, 10).until(lambda b: b.execute_script(links))
    assert any("07_how_convolution_is_made_fast" in link for link in browser.execute_script(links))
    assert not chromium.complaints(browser)


@pytest.mark.docs
def test_a_hidden_answer_opens(site, browser):
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get((site / "lessons" / "09_r1_from_scratch.html").as_uri())
    shown = "return document.querySelector('details pre').checkVisibility({contentVisibilityAuto: true})"
    assert not browser.execute_script(shown)
    browser.execute_script("document.querySelector('details summary').click()")
    WebDriverWait(browser, 10).until(lambda b: b.execute_script(shown))  # open at the next drawing
