"""Build the course as a site that is read offline: run the lessons, gather the pages, let Sphinx work.

    python examples/site/build.py [--quick] [--out build/site]       or: minigan learn --build

Wants the extra: pip install -e '.[docs]'. A lesson that has not changed is not run again, so a build that was
stopped goes on where it was.
"""

import os
import re
import shutil
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

import notebooks  # noqa: E402
import reference  # noqa: E402

GROUPS = {  # title: first and last number
    "The engine": (0, 4), "Convolution made fast, and GANs": (5, 9), "Traps": (10, 19),
    "Style transfer": (20, 29), "Models": (30, 39), "Your own work": (40, 49),
}  # fmt: skip
LONGEST_FIRST = ("30", "33", "31", "06", "05", "32", "23", "22", "20", "21")


def parse(words: list[str] | None = None) -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(description="Build the course as a site.", allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="run every lesson in its short form")
    parser.add_argument("--out", type=Path, default=Path("build/site"), help="where to (default: build/site)")
    parser.add_argument("--jobs", type=int, default=2, help="lessons that run at once")
    chosen = parser.parse_args(words)
    if chosen.jobs < 1:
        parser.error(f"--jobs: expected at least 1, got {chosen.jobs}")
    return chosen


def leave(number: int, frame: object = None) -> None:
    """End at once for a signal; workers and kernels see that they are alone, and end too."""
    print("\nminigan: interrupted; lessons that have run are kept", file=sys.stderr, flush=True)
    os._exit(128 + number)


def run_lessons(quick: bool, cache: Path, jobs: int) -> dict:
    """Run all lessons, long ones first; returns name -> notebook. Raises LessonError at the first failure."""
    from tqdm import tqdm

    paths = notebooks.lessons()
    rank = {number: place for place, number in enumerate(LONGEST_FIRST)}
    queue = sorted(paths, key=lambda path: rank.get(path.name[:2], len(rank)))
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // jobs))
    done = {}
    context, begin = get_context("spawn"), notebooks.end_with_parent
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=begin) as pool:
        waiting = {pool.submit(notebooks.run, path, quick=quick, cache=cache): path for path in queue}
        try:
            for future in tqdm(as_completed(waiting), total=len(waiting), unit=" lessons", disable=None):
                done[waiting[future].stem] = future.result()
        except notebooks.LessonError:
            pool.shutdown(cancel_futures=True)
            raise
        except KeyboardInterrupt:
            leave(signal.SIGINT)
    return {path.stem: done[path.stem] for path in paths}


def write_lessons(source: Path, books: dict, uses: dict, titles: dict, quick: bool) -> None:
    """Write the pages of the lessons, their index and the notebooks to download."""
    import jupytext
    import nbformat

    (source / "lessons").mkdir()
    (source / "notebooks").mkdir()
    for name, book in books.items():
        jupytext.write(notebooks.notebook(HERE.parent / f"{name}.py"), source / "notebooks" / f"{name}.ipynb")
        shutil.copy(HERE.parent / f"{name}.py", source / "notebooks")
        short = quick or name[:2] in notebooks.LONG
        note = (
            f"::::{{tip}}\n{{download}}`Notebook <../notebooks/{name}.ipynb>` · {{download}}`script "
            f"<../notebooks/{name}.py>` · `minigan learn {name[:2]}`. This page took "
            f"{book.metadata['seconds']:.0f} s to run{', in the short form' if short else ''}.\n::::"
        )
        book.cells.insert(1, nbformat.v4.new_markdown_cell(note))
        book.cells.append(nbformat.v4.new_markdown_cell(reference.opens(uses[name])))
        nbformat.write(book, source / "lessons" / f"{name}.ipynb")
    index = ["# The lessons\n", "Each is a script, a notebook and a page. `minigan learn` lists them.\n"]
    for group, (first, last) in GROUPS.items():
        inner = [name for name in books if first <= int(name[:2]) <= last]
        index += [f"\n## {group}\n", "```{toctree}", ":maxdepth: 1\n", *inner, "```"]
    (source / "lessons" / "index.md").write_text("\n".join(index) + "\n", encoding="utf-8")


PICTURE = re.compile(r"\]\((?:\.\./)+([\w.-]+\.(?:png|jpg))\)")


def link_pages(source: Path, titles: dict) -> None:
    """Bring pictures of examples/ to the pages that show them, and make links of the lessons they name."""

    def lesson(found: re.Match) -> str:
        return f"[{found[1][:2]}. {titles[found[1]]}](../lessons/{found[1]})"

    for page in (source / "index.md", *(source / "guide").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for picture in PICTURE.findall(text):
            shutil.copy(HERE.parent / picture, page.parent)
        text = re.sub(r"`examples/(\d\d_\w+)\.py`", lesson, text)
        page.write_text(PICTURE.sub(r"](\1)", text), encoding="utf-8")


def gather(source: Path, books: dict, quick: bool) -> None:
    """Write everything that Sphinx reads."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("*.pyc", "__pycache__", "build.py"))
    titles = {name: notebooks.title_of(HERE.parent / f"{name}.py") for name in books}
    uses = {name: reference.used(HERE.parent / f"{name}.py") for name in books}
    write_lessons(source, books, uses, titles, quick)
    reference.write(source / "reference", uses, titles)
    link_pages(source, titles)


def main(words: list[str] | None = None) -> int:
    """Build; returns the exit code."""
    try:
        from sphinx.cmd.build import main as sphinx
    except ImportError:
        print("minigan: error: the site wants Sphinx: pip install -e '.[docs]'", file=sys.stderr)
        return 2
    chosen, begun = parse(words), time.perf_counter()
    signal.signal(signal.SIGTERM, leave)
    out = chosen.out.resolve()
    work = out.parent / f"{out.name}-work"
    try:
        books = run_lessons(chosen.quick, work / "executed", chosen.jobs)
    except notebooks.LessonError as error:
        print(f"minigan: error: {error}", file=sys.stderr)
        return 1
    ran = time.perf_counter() - begun
    gather(work / "source", books, chosen.quick)
    places = ["-d", str(work / "doctrees"), str(work / "source"), str(out)]
    code = sphinx(["-q", "-E", "-W", "--keep-going", "-j", str(chosen.jobs), "-b", "html", *places])
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    seconds = time.perf_counter() - begun
    print(f"lessons {ran:.0f} s, all {seconds:.0f} s, {size:.1f} MB: open {out / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
