"""What the README says exists: its commands parse, its paths are there, its code runs."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import minigan
from minigan import cli

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every `minigan ...` line of the shell blocks, without its comment."""
    lines = [line.split("  #")[0] for block in blocks("sh") for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part for part in parts if re.match(r"(\.venv/bin/)?minigan ", part)]


@pytest.mark.parametrize("name, last", [("main-job", "minigan"), ("tests", "pytest")])
def test_the_two_commands_are_one_line_each_and_bring_their_own_environment(name, last):
    (command,) = re.findall(rf"<!-- ci: {name} -->\n```sh\n([^\n]+)\n```", TEXT)
    first, *_, final = command.split(" && ")
    assert first.startswith("python3 -m venv .venv") and last in final


@pytest.mark.parametrize("command", commands())
def test_every_command_parses(command):
    words = [word for word in shlex.split(command)[1:] if word != "--help"]
    assert cli.build_parser().parse_args(words).command == words[0]


def test_there_are_commands_to_check():
    assert {command.split()[1] for command in commands()} >= {"train", "sample", "interpolate", "info"}


def test_every_path_is_there():
    named = set(re.findall(r"`((?:minigan|examples|tests|benchmarks|\.ci)/[\w./]*)`", TEXT))
    assert len(named) > 10
    missing = [path for path in named if not (ROOT / path).exists()]
    assert not missing, f"the README names {missing}"


def test_the_python_runs():
    x, wanted = (minigan.Tensor(np.ones(shape, np.float32)) for shape in ((5, 2), (5, 1)))
    for block in blocks("python"):
        names = {"x": x, "wanted": wanted}
        exec(compile(block, "README.md", "exec"), names)
        assert names["loss"].item() > 0


def test_every_recipe_loss_cure_and_penalty_has_a_line():
    from minigan.gan import losses, penalties
    from minigan.gan.laboratory import CURES
    from minigan.gan.recipes import RECIPES

    table = TEXT.split("## What is there")[1].split("\n## ")[0]
    assert {name for name in RECIPES if f"`minigan train {name}`" not in table} == set()
    assert {name for name in losses.LOSSES if f"`--loss {name}`" not in table} == set()
    settings = set(re.findall(r"--set (\w+)=", table)) | set(re.findall(r"--(\w+) \d", table))
    assert settings >= {"r1", "r2", "wgan_gp", "dragan", "clip", "pack", "label_smoothing", "augment"}
    assert all(hasattr(penalties, name) for name in ("r1", "r2", "wgan_gp", "dragan"))
    assert "minibatch" in CURES and "--cure minibatch" in table


def test_commands_within_the_text_parse():
    named = set(re.findall(r"`(minigan (?:train|lab|sample) [^`]*)`", TEXT))
    assert len(named) > 12
    for command in named:
        words = [word for word in shlex.split(command)[1:] if word not in ("--help", "...")]
        assert cli.build_parser().parse_args(words).command == words[0]


def test_the_five_stops_have_the_lines_that_it_says():
    rows = re.findall(r"^\| \d \| [^|]+ \| ([^|]+) \| (\d+) \| \d+ \|$", TEXT, flags=re.MULTILINE)
    assert len(rows) == 5
    for files, lines in rows:
        found = sum(len((ROOT / name).read_text().splitlines()) for name in re.findall(r"`([^`]+)`", files))
        assert abs(found - int(lines)) <= 0.1 * found, f"{files}: {found} lines, the README says {lines}"
