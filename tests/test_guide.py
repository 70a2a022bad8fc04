"""What the README and the guide say is so: their commands parse, their code runs, their tables are whole."""

import importlib.util
import os
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import minigan
from minigan import cli
from minigan.errors import ArgumentError
from minigan.utils import data

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "examples" / "site" / "guide"


def loaded(name: str):
    """A script of .ci."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


newcomer = loaded("newcomer")
TEXT = {path.stem: path.read_text(encoding="utf-8") for path in newcomer.pages()}
COMMANDS = newcomer.commands("\n".join(TEXT.values()))


def test_the_newcomer_reads_every_page():
    assert list(TEXT)[0] == "README"
    assert set(TEXT) == {"README", *(path.stem for path in GUIDE.glob("*.md"))} - {"index"}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_parses_and_so_does_its_short_form(words, capsys):
    if words[1:] and "--help" not in words:
        assert cli.build_parser().parse_args(words).command == words[0]
    short = newcomer.shortened(words)
    if "--help" in short:
        assert cli.main(short) == 0
    else:
        assert cli.build_parser().parse_args(short).command == words[0]


def test_all_kinds_of_commands_are_named_and_those_of_ones_own_files_and_devices_left_out():
    assert {words[0] for words in COMMANDS} == set(cli.COMMANDS)
    assert len(COMMANDS) > 30 and all(
        len(newcomer.shortened(words)) > 1 for words in COMMANDS if words != ["info"]
    )
    reasons = [
        newcomer.left_out(words) for words in COMMANDS if words[0] in ("train", "style", "lab", "gradcheck")
    ]
    assert reasons.count("needs a GPU") == 1 and reasons.count("needs the user's own files") == 5
    assert newcomer.left_out(["train", "--data", "mnist"]) == "needs a download"
    assert newcomer.left_out(["sample", "runs/none"]) == "needs runs/none, of a command that is left out"


def test_a_command_that_fails_is_shown(tmp_path, monkeypatch, capfd):
    page = tmp_path / "page.md"
    page.write_text("`minigan info` and `minigan lab square`\n```sh\nminigan info  # more\n```\n")
    monkeypatch.setattr(newcomer, "pages", lambda: [page])
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\nfrom minigan.cli import main\nraise SystemExit(main())\n")
    program.chmod(0o700)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(sys, "argv", ["newcomer.py", str(program)])
    assert newcomer.main() == 1
    lines = capfd.readouterr().out.splitlines()
    assert [line.partition(" s  ")[2] for line in lines[:2]] == [
        "minigan info",
        "minigan lab square --steps 20",
    ]
    assert lines[2] == "exit code 2" and "invalid choice: 'square'" in lines[-2]


def test_the_python_runs():
    x, wanted = (minigan.Tensor(np.ones(shape, np.float32)) for shape in ((5, 2), (5, 1)))
    found = [
        block for text in TEXT.values() for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    ]
    assert found
    for block in found:
        names = {"x": x, "wanted": wanted}
        exec(compile(block, "guide", "exec"), names)
        assert names["loss"].item() > 0


def test_every_recipe_loss_cure_and_penalty_has_a_line():
    from minigan.gan import losses, penalties
    from minigan.gan.laboratory import CURES
    from minigan.gan.recipes import RECIPES

    table = TEXT["what-is-there"]
    assert {name for name in RECIPES if f"`minigan train {name}`" not in table} == set()
    assert {name for name in losses.LOSSES if f"`--loss {name}`" not in table} == set()
    settings = set(re.findall(r"--set (\w+)=", table)) | set(re.findall(r"--(\w+) \d", table))
    assert settings >= {"r1", "r2", "wgan_gp", "dragan", "clip", "pack", "label_smoothing", "augment"}
    assert all(hasattr(penalties, name) for name in ("r1", "r2", "wgan_gp", "dragan"))
    assert "minibatch" in CURES and "--cure minibatch" in table


def test_the_five_stops_have_the_lines_that_it_says():
    rows = re.findall(r"^\| \d \| [^|]+ \| ([^|]+) \| (\d+) \| \d+ \|$", TEXT["read-it"], flags=re.MULTILINE)
    assert len(rows) == 5
    for files, lines in rows:
        found = sum(len((ROOT / name).read_text().splitlines()) for name in re.findall(r"`([^`]+)`", files))
        assert abs(found - int(lines)) <= 0.1 * found, f"{files}: {found} lines, the guide says {lines}"


# ---- what differs from PyTorch on purpose: each row of the table, run -------------------------------


def in_place_where_operations_are_recorded(folder):
    """A result that is recorded is replaced, one that is not is overwritten: what its view shows."""
    leaf = minigan.ones(2, requires_grad=True)
    for change in (lambda x: x.__iadd__(1), lambda x: minigan.nn.functional.relu(x, inplace=True)):
        x = leaf * -2
        memory, view = x.array, x.view(1, 2)
        changed = change(x)
        assert changed is x and x.array is not memory and view.tolist() == [[-2.0, -2.0]] != [x.tolist()]
        with minigan.no_grad():
            x = leaf * -2
            memory, view = x.array, x.view(1, 2)
            changed = change(x)
        assert changed is x and x.array is memory and view.tolist() == [x.tolist()] != [[-2.0, -2.0]]


def a_tuple_of_whole_numbers(folder):
    with pytest.raises(ArgumentError, match=r"Tensor\(\[2, 3\]\) for values, zeros\(\(2, 3\)\) for sizes"):
        minigan.Tensor((2, 3))
    assert minigan.Tensor([2, 3]).tolist() == [2.0, 3.0] and minigan.Tensor(2, 3).shape == (2, 3)


def saved_files(folder):
    path = folder / "state.pt"
    minigan.save({"net": minigan.nn.Linear(2, 1).state_dict(), "step": 3}, path)
    with zipfile.ZipFile(path) as saved:
        assert {Path(name).suffix for name in saved.namelist()} <= {".npy", ".json"}
    assert minigan.load(path)["step"] == 3


def workers(folder):
    class Where(data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return os.getpid()

    loader = data.DataLoader(Where(), batch_size=2, num_workers=2)
    assert {pid for batch in loader for pid in batch.tolist()} == {os.getpid()}


def number_of_elements(folder):
    x = minigan.ones(2, 3)
    assert x.size == 6 and x.size() == (2, 3) and x.size(1) == 3


DIFFERENCES = {
    "`x += y`, `relu(x, inplace=True)` where operations are recorded": in_place_where_operations_are_recorded,
    "`Tensor((2, 3))`": a_tuple_of_whole_numbers,
    "`save`": saved_files,
    "`num_workers`": workers,
    "`x.size`": number_of_elements,
}


def test_the_differences_on_purpose_are_these_and_at_most_five():
    head = r"^\| \| PyTorch \| minigan \| why \|\n\S+\n((?:\|.*\n)+)"
    (table,) = re.findall(head, TEXT["coming-from-pytorch"], flags=re.MULTILINE)
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()]
    assert rows == list(DIFFERENCES) and len(rows) <= 5


@pytest.mark.parametrize("row", DIFFERENCES)
def test_a_difference_is_as_the_table_says(row, tmp_path):
    DIFFERENCES[row](tmp_path)
