"""benchmarks/plain.py runs every operation that has a kernel, and says and draws what it found."""

import importlib.util
import json
from pathlib import Path

import pytest

from minigan import cli, kernels, modes
from minigan.cli import bench
from minigan.kernels import registry
from minigan.kernels.registry import kernel
from minigan.tensor import Op

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("plain_benchmark", FOLDER / "plain.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ran(monkeypatch):
    """The set of (class's name, what it does) of all kernels that ran."""
    found = set()

    def find(kind, does, array_type):
        function = registry.find(kind, does, array_type)

        def noted(*arguments):
            result = function(*arguments)
            if result is not NotImplemented:
                found.add((kind.__name__, does))
            return result

        return function and noted

    monkeypatch.setattr(modes.kernels, "find", find)
    modes.kernels.clear()
    yield found
    modes.kernels.clear()


def test_every_class_with_a_kernel_has_a_program(plain):
    assert plain.plain_programs.missing() == set()


def test_a_class_that_no_program_runs_is_named(plain, monkeypatch):
    class Newcomer(Op):
        pass

    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    kernel(Newcomer, "numpy")(lambda op, x: x)
    assert plain.plain_programs.missing() == {"Newcomer"}


def test_an_operation_without_a_kernel_is_not_measured(plain, monkeypatch):
    names = {program.name for program in plain.plain_programs.programs()}
    left = {key: here for key, here in registry._registered.items() if key[0].__name__ != "Gram"}
    monkeypatch.setattr(registry, "_registered", left)
    assert names - {program.name for program in plain.plain_programs.programs()} == {"gram"}


def test_each_row_runs_a_kernel_and_together_they_run_all(plain, ran):
    library, everything = plain.plain_programs.Minigan(), set()
    for program in plain.plain_programs.programs():
        calls, own = program.make(library, True), set()
        assert tuple(calls) == program.parts
        for part, call in calls.items():
            ran.clear()
            call()
            assert ran, f"{program.name}, {part}: by definition"
            own |= ran
        assert set(program.kinds) <= {name for name, _ in own}, f"{program.name} ran {own}"
        everything |= own
    wanted = {(k.__name__, does) for (k, does), here in registry.registered().items() if "numpy" in here}
    assert everything == wanted


def test_no_kernel_runs_where_they_are_off(plain, ran):
    with kernels.off():
        calls = next(p for p in plain.plain_programs.programs() if p.name == "relu").make(
            plain.plain_programs.Minigan(), True
        )
        for call in calls.values():
            call()
    assert not ran


def test_quick_prints_every_row_writes_them_and_draws_them(plain, tmp_path, capsys):
    json_file, picture = tmp_path / "rows.json", tmp_path / "rows.png"
    assert plain.main(["--quick", "--no-torch", "--json", str(json_file), "--plot", str(picture)]) == 0
    out = capsys.readouterr().out
    assert "PyTorch" not in out and "numpy:" in out
    wanted = [(p.name, part) for p in plain.plain_programs.programs() for part in p.parts]
    results = json.loads(json_file.read_text(encoding="utf-8"))["results"]
    assert results["facts"]["blas core"] and results["facts"]["copy 64 MB"].endswith("GB/s")
    assert [(row["name"], row["part"]) for row in results["rows"]] == wanted
    for row in results["rows"]:
        ratio = row["definition/kernel"]
        assert ratio["low"] <= ratio["ratio"] <= ratio["high"] and row["definition"] > 0 < row["kernel"]
        assert plain.line(row) in out
    content = picture.read_bytes()
    assert content.startswith(PNG) and 10_000 < len(content) < 300_000


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
def test_with_pytorch_its_time_stands_beside(plain, tmp_path, capsys):
    json_file = tmp_path / "rows.json"
    assert plain.main(["--quick", "leaky", "Linear", "--json", str(json_file)]) == 0
    out = capsys.readouterr().out
    assert "PyTorch" in out and "kernel/pytorch, geometric mean of" in out
    rows = json.loads(json_file.read_text(encoding="utf-8"))["results"]["rows"]
    assert {row["name"] for row in rows} == {"leaky relu", "batch norm + leaky relu", "linear", "bilinear x2"}
    assert all(row["pytorch"] > 0 and row["kernel/pytorch"]["ratio"] > 0 for row in rows)


def test_without_pytorch_its_column_is_left_out(plain, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert plain.sides(plain.options_of([])[0]) == ("definition", "kernel", "pytorch")
    assert plain.sides(plain.options_of(["--no-torch"])[0]) == ("definition", "kernel")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert plain.sides(plain.options_of([])[0]) == ("definition", "kernel")


MISTAKES = {
    "nothing is called 'softsign'; there are: relu, leaky relu,": ["relu", "softsign"],
    "--rounds must be at least 1": ["--rounds", "0"],
    "argument --rounds: invalid int value: 'few'": ["--rounds", "few"],
    "--seconds at least 0": ["--seconds", "nan"],
    "--plot: expected a file called .png or .svg, got out.txt": ["--plot", "out.txt"],
    "expected a file in a folder that is there": ["--json", "no/such/folder/out.json"],
    "unrecognized arguments: --quik": ["--quik"],
}


@pytest.mark.parametrize("message, arguments", MISTAKES.items())
def test_a_mistake_is_named_in_one_line_before_anything_is_measured(plain, capsys, message, arguments):
    with pytest.raises(SystemExit) as leaving:
        plain.main(arguments)
    out, err = capsys.readouterr()
    assert leaving.value.code == 2
    assert out == "" and err.startswith("plain: ") and err.count("\n") == 1 and message in err


def test_the_command_knows_it_and_passes_its_code_on(capfd):
    assert {"plain_programs", "plain_picture"}.isdisjoint(bench.benchmarks())
    assert cli.main(["bench", "plain", "softsign"]) == 2
    assert capfd.readouterr().err.startswith("plain: nothing is called 'softsign'")


def test_the_picture_sorts_each_panel_by_gain(plain):
    def row(name, part, gain, whole=False):
        return {"name": name, "part": part, "whole": whole, "definition/kernel": {"ratio": gain}}

    rows = [row("a", "forward", 2), row("b", "forward", 3), row("c", "step", 1), row("d", "step", 4, True)]
    found = [
        [(title, [r["name"] for r in some]) for title, some in c] for c in plain.plain_picture.panels(rows)
    ]
    assert found == [
        [("Whole step", ["d"]), ("Forward", ["b", "a"])],
        [("Update of a DCGAN's parameters", ["c"])],
    ]


@pytest.mark.parametrize("seconds, words", [(1e-5, "10 µs"), (1e-3, "1 ms"), (0.1, "100 ms"), (10.0, "10 s")])
def test_times_in_words(plain, seconds, words):
    assert plain.plain_picture.written(seconds) == words
