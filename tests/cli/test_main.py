"""The command line's frame: help, versions, one-line errors and exit codes."""

import subprocess
import sys
from argparse import ArgumentTypeError

import pytest

import minigan
from minigan import backend, cli, errors
from minigan.cli import arguments


@pytest.fixture
def failing(monkeypatch):
    """Make `minigan info` raise what the test likes."""

    def install(error):
        def run(_arguments):
            raise error

        monkeypatch.setattr("minigan.cli.info.run", run)

    return install


def one_line(capsys) -> str:
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("minigan: ") and err.count("\n") == 1 and "Traceback" not in err
    return err


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"minigan {minigan.__version__}\n"


@pytest.mark.parametrize("argv", [["--help"], *([name, "--help"] for name in cli.COMMANDS)])
def test_help(argv, capsys):
    assert cli.main(argv) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: minigan") and "--backend" in out and not err
    assert all(name in out for name in cli.COMMANDS) or len(argv) == 2


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom minigan.cli import main\nmain(['--help'])\n"
        "heavy = {'scipy', 'matplotlib', 'PIL', 'tqdm', 'hypothesis', 'cupy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_no_command_prints_the_help(capsys):
    assert cli.main([]) == 2
    assert "commands" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv, words",
    [
        (["nonsense"], "nonsense"),
        (["info", "--nonsense"], "--nonsense"),
        (["--backend", "abacus", "info"], "abacus"),
        (["info", "--js"], "--js"),
    ],
)
def test_bad_arguments_get_one_line(argv, words, capsys):
    assert cli.main(argv) == 2
    assert words in one_line(capsys)


@pytest.mark.parametrize(
    "argv, prog",
    [
        (["train", "dcgan", "--mintes", "2"], "minigan train"),
        (["lab", "ring", "--step", "3"], "minigan lab"),
        (["style", "--demo", "--out", "demo.png", "--nonsense"], "minigan style"),
        (["--nonsense", "info"], "minigan"),
    ],
)
def test_a_mistyped_option_leads_to_the_help_of_its_command(argv, prog, capsys):
    assert cli.main(argv) == 2
    line = one_line(capsys)
    assert line.startswith("minigan: error: unrecognized arguments: --")
    assert line.endswith(f" (see {prog} --help)\n")


@pytest.mark.parametrize(
    "error, code",
    [
        (errors.ArgumentError("lr: expected > 0, got -1"), 2),
        (errors.ShapeError("x"), 2),
        (errors.DTypeError("x"), 2),
        (errors.DeviceError("x"), 2),
        (errors.DataError("x"), 2),
        (errors.FileError("x"), 2),
        (errors.NumericError("loss is nan\nat step 3"), 1),
        (errors.GraphError("x"), 1),
        (errors.MiniganError("x"), 1),
        (PermissionError(13, "Permission denied", "there"), 2),
        (MemoryError("1 TiB"), 1),
        (ZeroDivisionError("oops"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_one_line_and_an_exit_code(error, code, failing, capsys):
    failing(error)
    assert cli.main(["info"]) == code
    line = one_line(capsys)
    assert ("bug" in line and "--debug" in line) == isinstance(error, ZeroDivisionError)
    assert " ".join(str(error).split()) in line


@pytest.mark.parametrize("argv", [["--debug", "info"], ["info", "--debug"]])
def test_debug_shows_the_traceback(argv, failing, capsys):
    failing(errors.DataError("no pictures"))
    assert cli.main(argv) == 2
    assert "Traceback" in capsys.readouterr().err


def test_broken_pipe_is_quiet():
    code = "import sys\nfrom minigan.cli import main\nsys.exit(main(['--help']))"
    reader = [sys.executable, "-c", "import sys; sys.stdin.close()"]
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    subprocess.run(reader, stdin=writer.stdout, check=True)
    writer.stdout.close()
    assert writer.stderr.read() == b""
    assert writer.wait() in (0, 141)
    writer.stderr.close()


def test_closed_streams_are_quiet():
    command = f"{sys.executable} -m minigan info >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 0


def test_python_dash_m_is_the_same_program():
    run = subprocess.run(
        [sys.executable, "-m", "minigan", "nonsense"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2 and run.stderr.startswith("minigan: error:") and run.stderr.count("\n") == 1


def test_missing_gpu_is_one_line(monkeypatch, capsys):
    def refuse(name):
        raise errors.DeviceError("no GPU here")

    monkeypatch.setattr("minigan.backend.use", refuse)
    assert cli.main(["info", "--backend", "cupy"]) == 2
    assert "no GPU here" in one_line(capsys)


class TestArguments:
    @pytest.mark.parametrize("word, value", [("1", 1), ("12", 12), ("+7", 7)])
    def test_integers(self, word, value):
        assert arguments.integer(least=1, most=12)(word) == value

    @pytest.mark.parametrize("word", ["0", "-3", "13", "1.5", "nan", "inf", "", "1e3", "ten", "9" * 5000])
    def test_bad_integers(self, word):
        with pytest.raises(ArgumentTypeError, match="expected"):
            arguments.integer(least=1, most=12)(word)

    @pytest.mark.parametrize("word, value", [("0.5", 0.5), ("1e-3", 1e-3), ("1", 1.0)])
    def test_numbers(self, word, value):
        assert arguments.number(above=0, most=1)(word) == value

    @pytest.mark.parametrize("word", ["0", "-1", "1.1", "nan", "inf", "-inf", "", "one", "1,5"])
    def test_bad_numbers(self, word):
        with pytest.raises(ArgumentTypeError, match="expected"):
            arguments.number(above=0, most=1)(word)

    def test_least_is_allowed(self):
        assert arguments.number(least=0)("0") == 0
        with pytest.raises(ArgumentTypeError, match="at least 0"):
            arguments.number(least=0)("-1e-9")


def test_precision_is_for_gpus(capsys, monkeypatch):
    monkeypatch.setattr(backend, "_precision", None)
    assert cli.main(["info", "--precision", "high"]) == 2
    assert "--precision high: only a GPU has it" in capsys.readouterr().err
    assert cli.main(["info", "--precision", "highest"]) == 0
