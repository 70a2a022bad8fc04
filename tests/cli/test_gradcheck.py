"""`minigan gradcheck` prints a table, writes it as JSON, and exits with 1 when something fails."""

import json

import pytest

from minigan import cli

OWN = """
from minigan import Op, Tensor
from minigan.testing import OpCase
from minigan.testing.strategies import array_samples

class Cube(Op):
    keeps = (0,)
    def forward(self, x):
        return x * x * x
    def backward(self, g):
        return g * self.input(0) * self.input(0) * FACTOR

CASES = [OpCase("cube", lambda x: Cube()(x), array_samples(), lambda x: x**3, (Cube,))]
"""


def test_prints_a_line_for_each_operation_and_the_totals(capsys):
    assert cli.main(["gradcheck", "exp", "matmul", "--examples", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "operation",
        "order",
        "1",
        "order",
        "2",
        "examples",
        "kinks",
        "seconds",
        "verdict",
    ]
    assert [line.split()[0] for line in lines[2:4]] == ["exp", "matmul"] and lines[2].endswith("PASS")
    assert lines[-1].startswith("2 checked, 6 settings") and "0 FAIL" in lines[-1]


def test_order_1_leaves_the_second_order_out(capsys):
    assert cli.main(["gradcheck", "exp", "--examples", "2", "--order", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split()[2] == "-"


def test_lists_the_operations(capsys):
    assert cli.main(["gradcheck", "--list"]) == 0
    names = set(capsys.readouterr().out.splitlines())
    assert {"conv2d", "softmax", "nn.BatchNorm", "gan.wgan_gp", "style.gram"} <= names and len(names) > 150


@pytest.mark.parametrize("factor, code, verdict", [(3.0, 0, "PASS"), (1.5, 1, "FAIL")])
def test_checks_operations_of_ones_own_and_fails_with_1(tmp_path, capsys, factor, code, verdict):
    own, report = tmp_path / "own.py", tmp_path / "report.json"
    own.write_text(OWN.replace("FACTOR", str(factor)))
    assert cli.main(["gradcheck", "--cases", str(own), "--examples", "4", "--report", str(report)]) == code
    (row,) = json.loads(report.read_text())
    assert row["operation"] == "cube" and row["verdict"] == verdict
    assert ("1/2 times the true gradient" in capsys.readouterr().out) == (code == 1)


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["conv2"], "no record 'conv2'; did you mean conv2d"),
        (["qqqqqqq"], "no record 'qqqqqqq'; --list names all"),
        (["exp", "--report", "nosuch/report.json"], "no folder 'nosuch'"),
        (["--cases", "nosuch.py"], "no file 'nosuch.py'"),
        (["--cases", __file__], "defines no CASES"),
        (["--examples", "0"], "at least 1"),
    ],
)
def test_bad_input_is_one_line_and_2(words, complaint, capsys):
    assert cli.main(["gradcheck", *words]) == 2
    error = capsys.readouterr().err
    assert complaint in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("CASES = [1]", "defines no CASES; expected a list of minigan.testing.OpCase"),
        ("CASES = 1 / 0", "raised ZeroDivisionError: division by zero"),
        ("CASES = (", "raised SyntaxError"),
        ("import nosuch", "raised ModuleNotFoundError: No module named 'nosuch'"),
    ],
)
def test_a_file_that_is_no_list_of_records_is_named(tmp_path, text, complaint, capsys):
    own = tmp_path / "own.py"
    own.write_text(text)
    assert cli.main(["gradcheck", "--cases", str(own)]) == 2
    assert complaint in capsys.readouterr().err
