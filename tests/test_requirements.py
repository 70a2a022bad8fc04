"""What pyproject.toml declares is what is needed, with a lowest version each."""

import ast
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IMPORTED_AS = {"pillow": "PIL"}

_spec = importlib.util.spec_from_file_location("lowest", ROOT / ".ci" / "lowest.py")
lowest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lowest)


def names(requirements):
    return {re.match(r"[\w-]+", requirement)[0] for requirement in requirements}


def test_every_requirement_of_a_newcomer_and_of_the_tests_has_a_lowest_version():
    found = list(map(lowest.lowest, lowest.requirements()))
    assert all(re.match(r"[\w-]+==\d", line) for line in found)
    assert names(found) == names(PROJECT["dependencies"]) | names(
        PROJECT["optional-dependencies"]["test"]
    ) | {"hatchling"}


@pytest.mark.parametrize(
    "requirement, line",
    [
        ("numpy>=2.2", "numpy==2.2"),
        ("torch==2.13.0", "torch==2.13.0"),
        ("cupy-cuda12x[ctk]>=14", "cupy-cuda12x[ctk]==14"),
        ("tool>=1.2; sys_platform == 'linux'", "tool==1.2; sys_platform == 'linux'"),
    ],
)
def test_the_lowest_of_a_requirement(requirement, line):
    assert lowest.lowest(requirement) == line


@pytest.mark.parametrize("requirement", ["tqdm", "tqdm<5", "tqdm>=4,<5", "tqdm; sys_platform == 'linux'"])
def test_a_requirement_without_a_lowest_version_is_named(requirement):
    with pytest.raises(ValueError, match="declares no lowest version"):
        lowest.lowest(requirement)


def test_the_package_imports_what_it_requires_and_no_more():
    """CuPy, Dask and mpi4py come with extras of their own."""
    found = set()
    for path in (ROOT / "minigan").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.partition(".")[0])
    found -= names(PROJECT["optional-dependencies"]["cluster"])
    required = {IMPORTED_AS.get(name, name) for name in names(PROJECT["dependencies"])}
    assert found - sys.stdlib_module_names - {"minigan", "cupy", "cupyx"} == required
