"""minigan learn: lists, runs one lesson, says clearly what is not there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minigan import cli
from minigan.cli import learn

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def commands(monkeypatch):
    """Commands that would be run, instead of running them."""
    given = []

    def note(command):
        given.append(command[1:])
        return 3

    monkeypatch.setattr(learn, "run_command", note)
    return given


def test_lists_every_lesson_with_its_time(capsys):
    assert cli.main(["learn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(list((ROOT / "examples").glob("[0-9][0-9]_*.py"))) + 1
    assert lines[0] == "01  Autograd by hand (about a second)"
    assert all(line.endswith(")") and "()" not in line for line in lines[:-1])


@pytest.mark.parametrize("word", ["5", "05", "05_a_gan_on_a_ring", "a_gan_on_a_ring.py"])
def test_runs_the_lesson_of_a_number_or_name_and_hands_on_options_and_exit_code(word, commands):
    assert cli.main(["learn", "--quick", word]) == 3
    assert cli.main(["learn", word, "--quick"]) == 3
    assert commands == 2 * [[str(ROOT / "examples" / "05_a_gan_on_a_ring.py"), "--quick"]]


def test_a_lesson_really_runs(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert cli.main(["learn", "14", "--quick"]) == 0
    assert "past.png: " in capfd.readouterr().out and (tmp_path / "past.png").exists()


def test_a_lesson_ends_when_the_command_does():
    """A SIGTERM is handed on, and the exit code is a shell's."""
    lesson = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    words = [sys.executable, "-c", lesson]
    code = f"from minigan.cli import learn; raise SystemExit(learn.run_command({words!r}))"
    command = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    number = int(command.stdout.readline())
    command.terminate()
    assert command.wait(timeout=20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    command.stdout.close()


def test_builds_the_site_where_it_is_told_to(commands, tmp_path):
    assert cli.main(["learn", "--build", "--quick", "--out", str(tmp_path)]) == 3
    builder = ROOT / "examples" / "site" / "build.py"
    assert builder.exists() and commands == [[str(builder), "--quick", "--out", str(tmp_path)]]


def test_opens_the_site_that_is_there(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(learn.webbrowser, "open", opened.append)
    (tmp_path / "index.html").write_text("a page")
    assert cli.main(["learn", "--open", "--out", str(tmp_path)]) == 0
    assert opened == [(tmp_path / "index.html").as_uri()]
    assert capsys.readouterr().out.strip() == str(tmp_path / "index.html")


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["77"], "no lesson '77'; the nearest are "),
        (["gan"], "no lesson 'gan'; the nearest are "),
        (["--build", "5"], "lesson 5: --build and --open are for all of them"),
        (["--open", "--out", "nowhere"], "no site at nowhere: build it with minigan learn --build"),
        (["--open", "--build"], "not allowed with"),
    ],
)
def test_bad_input_is_one_line(words, complaint, capsys):
    assert cli.main(["learn", *words]) == 2
    err = capsys.readouterr().err
    assert complaint in err and err.count("\n") == 1


def test_an_installed_copy_says_where_the_lessons_are(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(learn, "__file__", str(tmp_path / "site-packages" / "minigan" / "cli" / "learn.py"))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["learn"]) == 2
    assert "they are in examples/ of the source" in capsys.readouterr().err
    monkeypatch.chdir(ROOT)  # in a copy of the repository
    assert learn.lessons()["05_a_gan_on_a_ring"].parent == Path("examples").resolve()


def test_the_builder_says_what_it_needs(tmp_path):
    code = "import sys; sys.modules['sphinx'] = sys.modules['traitlets'] = None; import runpy; "
    code += f"runpy.run_path({str(ROOT / 'examples' / 'site' / 'build.py')!r}, run_name='__main__')"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert run.returncode == 2
    assert run.stderr == "minigan: error: the site wants Sphinx: pip install -e '.[docs]'\n"
    assert not list(tmp_path.iterdir())
