"""Every lesson in examples/ runs, in its quick form, and keeps the format that makes it a notebook too."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
LONG = (
    "03 04 05 06 07 08 09 11 12 14 15 16 17 20 21 22 23 24 30 31 32".split()
)  # seconds each: they run with the site
RUNS = [
    pytest.param(path, marks=[pytest.mark.docs] * (path.name[:2] in LONG), id=path.stem) for path in EXAMPLES
]


def test_there_are_lessons_and_they_are_numbered():
    assert EXAMPLES and all(re.fullmatch(r"\d\d_[a-z0-9_]+\.py", path.name) for path in EXAMPLES)
    numbers = [path.name[:2] for path in EXAMPLES]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("path", RUNS)
def test_runs_quickly_without_complaint(path, tmp_path):
    """The lessons assert what they claim, so running one is testing it."""
    # The quote: matplotlib before 3.10.7 uses names that pyparsing 3.3 calls old ("'oneOf' deprecated").
    warnings = "error,ignore:':DeprecationWarning"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": warnings}
    command = [sys.executable, str(path), "--quick"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert run.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_is_in_percent_format(path):
    """A title in a markdown cell first, prose only in comments of markdown cells, code in the others."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# %% [markdown]" and re.match(r"# # \d+\. ", lines[1])
    assert int(lines[1].split()[2].rstrip(".")) == int(path.name[:2])
    cells = re.split(r"(?m)^# %%", "\n".join(lines))[1:]
    kinds = {True: 0, False: 0}
    for cell in cells:
        head, *body = cell.splitlines()
        prose = head.strip() == "[markdown]"
        kinds[prose] += 1
        assert prose or head.strip() == "", f"unknown cell: # %%{head}"
        assert not prose or all(line.startswith("#") or not line for line in body), f"code in prose: {body}"
    assert kinds[True] >= 3 and kinds[False] >= 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_says_how_long_it_takes_and_shows_pictures_that_differ_in_name(path):
    """A picture is the value of its cell, or a notebook would not show it."""
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(rf"^# Run it: `python examples/{path.name}` \(.+\)\.$", text, re.M)) == 1
    lasts = [tree.body[-1] for cell in re.split(r"(?m)^# %%", text) if (tree := ast.parse("#" + cell)).body]
    shows = [last.value for last in lasts if ast.unparse(last).startswith("lesson.show(")]
    names = [call.args[1].value for call in shows]
    assert len(shows) == text.count("lesson.show(") == len(set(names)) >= 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_is_named_in_the_guide(path):
    table = ROOT / "examples" / "site" / "guide" / "read-it.md"
    assert f"| `examples/{path.name}` |" in table.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_ends_with_an_exercise_and_a_hidden_answer_that_is_code(path):
    """The code runs after the last cell when the site is built."""
    last = re.split(r"(?m)^# %%", path.read_text(encoding="utf-8"))[-1]
    assert re.match(r" \[markdown\]\n# ## Exercise\n(#\n)?# \S", last)
    assert re.search(r"# <details><summary>Answer</summary>\n#\n(#.*\n)*# ```\n#\n# </details>\n$", last)
