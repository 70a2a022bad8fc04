"""The benchmarks' own side of a comparison answers: what PyTorch's answers is not needed for that."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script, request_", [
    ("conv_algorithms", {"shape": "3x3 7", "function": "weight_grad", "algorithm": "names", "frozen": False}),
    ("conv_algorithms", {"shape": "3x3 7", "function": "forward", "algorithm": "im2col", "frozen": True}),
    ("op_overhead", {"names": True}),
    ("op_overhead", {"environment": True}),
])  # fmt: skip
def test_minigans_worker_answers(script, request_):
    command = [sys.executable, str(ROOT / "benchmarks" / f"{script}.py"), "--worker", "minigan"]
    run = subprocess.run(
        command, input=json.dumps(request_) + "\n", capture_output=True, text=True, check=False
    )
    assert json.loads(run.stdout), run.stderr


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_takes_from_minigan_is_there(path):
    """Names imported from minigan, also inside functions, and what is read from its modules."""
    tree, modules = ast.parse(path.read_text(encoding="utf-8")), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "minigan":
                    modules[alias.asname or alias.name] = importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "minigan":
            for alias in node.names:
                found = _member(node.module, alias.name)
                if type(found) is type(ast):
                    modules[alias.asname or alias.name] = found
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            assert hasattr(modules[node.value.id], node.attr), f"{path.name}:{node.lineno}: {node.attr}"


def _member(module, name):
    found = importlib.import_module(module)
    return getattr(found, name) if hasattr(found, name) else importlib.import_module(f"{module}.{name}")
