"""A lesson in percent format -> a notebook, run from its first cell to its last in a kernel of its own."""

import hashlib
import os
import re
import shutil
import signal
import tempfile
import time
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[2]
LONG = ("24",)  # lessons that take too long for a site: shown with --quick
ANSWER = re.compile(r"<details>.*?</details>", re.S)


class LessonError(Exception):
    """A lesson stopped before its end; the message names the lesson, the cell and the error."""


def lessons() -> list[Path]:
    """Return the lessons, in order."""
    return sorted((ROOT / "examples").glob("[0-9][0-9]_*.py"))


def title_of(path: Path) -> str:
    """Return a lesson's heading without its number."""
    return path.read_text(encoding="utf-8").splitlines()[1].split(". ", 1)[1]


def notebook(path: Path):
    """Return a lesson as a notebook that has not run."""
    import jupytext

    book = jupytext.read(path, fmt="py:percent")
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return book


def answers(book) -> list[str]:
    """Return the code of the hidden answers."""
    hidden = [
        block for cell in book.cells if cell.cell_type == "markdown" for block in ANSWER.findall(cell.source)
    ]
    return [code for block in hidden for code in re.findall(r"```python\n(.*?)```", block, re.S)]


def fingerprint(path: Path, quick: bool) -> str:
    """Return a hash of all that a lesson's output depends on: its text and minigan's."""
    found = hashlib.sha256(f"{quick} {path.name}".encode())
    for file in (path, *sorted((ROOT / "minigan").rglob("*.py"))):
        found.update(file.read_bytes())
    return found.hexdigest()


RUNNING: dict = {}  # the client of the lesson that runs in this process, and its folder


def end_with_parent() -> None:
    """Let this process, its kernel and its folder go as soon as the process that started it is gone."""

    def watch():
        parent_process().join()
        group = getattr(getattr(RUNNING.get("client"), "km", None), "provisioner", None)
        if group is not None and group.pgid and hasattr(os, "killpg"):
            os.killpg(group.pgid, signal.SIGKILL)  # elsewhere the kernel finds out for itself
        shutil.rmtree(RUNNING.get("folder", ""), ignore_errors=True)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def run(path: Path, *, quick: bool, cache: Path):
    """Run a lesson in a kernel, its hidden answers after it, and return the notebook with its outputs.

    What has run before and has not changed since is taken from the cache. Raises LessonError.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    kept, mark = cache / f"{path.stem}.ipynb", fingerprint(path, quick)
    if kept.exists() and (book := nbformat.read(kept, 4)).metadata.get("fingerprint") == mark:
        return book
    book = notebook(path)
    count = len(book.cells)
    book.cells += [nbformat.v4.new_code_cell(code) for code in answers(book)]
    os.environ["MINIGAN_QUICK"] = "yes" if quick or path.name[:2] in LONG else "no"
    os.environ["PYTHONPATH"] = str(ROOT)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        files = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{folder}/kernel"}  # no open port
        talk = Config({"KernelManager": {"connection_file": f"{folder}/kernel.json", **files}})
        client = NotebookClient(
            book, timeout=1800, startup_timeout=300, resources={"metadata": {"path": folder}}, config=talk
        )
        RUNNING.update(client=client, folder=folder)
        try:
            client.execute()
        except CellExecutionError as error:
            number = sum(cell.get("execution_count") is not None for cell in book.cells)
            raise LessonError(f"{path.name}, code cell {number}: {error.ename}: {error.evalue}") from None
        except (RuntimeError, TimeoutError) as error:  # the kernel died, or a cell took half an hour
            raise LessonError(f"{path.name}: {error}") from None
        finally:
            RUNNING.clear()
    book.metadata["seconds"] = time.perf_counter() - begun
    book.metadata["fingerprint"] = mark
    book.cells = book.cells[:count]
    for cell in book.cells:
        caption_pictures(cell)
    cache.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(".part")
    nbformat.write(book, part)
    part.replace(kept)
    return book


def caption_pictures(cell) -> None:
    """Give the picture that a cell shows its caption, for those who see and for those who cannot."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if any(kind.startswith("image/") for kind in data):
            words = "".join(data["text/plain"])
            cell.metadata["mystnb"] = {"image": {"alt": words}, "figure": {"caption": words}}
