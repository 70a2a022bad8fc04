"""What type checkers are told of Tensor is what is installed on it, and a user's file passes mypy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from minigan.ops import methods

STUB = Path(methods.__file__).parents[1] / "typed.pyi"
USERS = """\
import minigan as torch
from minigan import nn, optim
import minigan.nn.functional as F

net = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2, inplace=True))
adam = optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
x: torch.Tensor = torch.randn(2, 3, 8, 8, requires_grad=True)
y = F.avg_pool2d(net(x), 2).view(2, -1).sum(dim=1, keepdim=True) * 2.0
loss = torch.cat([y, y.abs()], dim=0).mean() + x.pow(2).mean()
loss.backward()
adam.step()
print(f"{loss.item():.3f}", x.grad is not None and x.grad.norm().item(), y.size(0), y.shape[1], y.T.tolist())
"""
WRONG = "\nreveal = x.no_such_method(1)\nx.unsqueeze('a')\n"


def test_every_name_that_is_installed_is_declared_and_no_other():
    (declared,) = (n for n in ast.parse(STUB.read_text()).body if isinstance(n, ast.ClassDef))
    found = {node.name for node in declared.body if isinstance(node, ast.FunctionDef)}
    assert found == {*methods.OPERATORS, *methods.METHODS, *methods.PROPERTIES}


def test_a_users_file_passes_mypy_and_a_wrong_one_does_not(tmp_path):
    pytest.importorskip("mypy")
    files = {"program": USERS, "mistaken": USERS + WRONG}
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    words = ["--follow-imports=silent", "--cache-dir", str(tmp_path), *map(str, tmp_path.glob("*.py"))]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *words], capture_output=True, text=True, cwd=STUB.parents[1]
    )
    found = {name: [line for line in done.stdout.splitlines() if f"{name}.py:" in line] for name in files}
    assert done.returncode == 1 and not found["program"], done.stdout
    assert len(found["mistaken"]) == 2, done.stdout
    assert '"no_such_method"' in found["mistaken"][0] and '"unsqueeze"' in found["mistaken"][1]
