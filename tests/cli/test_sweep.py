"""`minigan sweep`: which cells there are, that each is run once, and what is made of them."""

import csv
import json
import os

import numpy as np
import pytest

from minigan import cli
from minigan.cli import cell, sweep, workers
from minigan.cli.sweep_results import Results, slug
from minigan.data.arrays import write_npz
from minigan.errors import ArgumentError, NumericError
from minigan.gan.trainer import Trainer

TINY = "--set base=4 --set batch=16 --steps 3".split()


def run(out, *words, what="ring"):
    return cli.main(["sweep", what, *TINY, *words, "--out", str(out)])


@pytest.fixture
def in_process(monkeypatch):
    """Run cells here instead of each in a process; returns the list of those that ran."""
    ran = []

    def run_here(module, job, settings):
        ran.append(job)
        return cell.run_cell(job)

    monkeypatch.setattr(workers, "in_process", run_here)
    monkeypatch.setattr(sweep.os, "cpu_count", lambda: 1)
    return ran


class TestAxes:
    def test_values_are_json_or_words(self):
        found = sweep.parse_axes(["lr-d=1e-3,2", "loss=hinge,wgan", "lr_g+r1=1", "betas=[0,0.9],[0.5,0.99]"])
        assert found == {
            "lr_d": [1e-3, 2], "loss": ["hinge", "wgan"], "lr_g+r1": [1], "betas": [[0, 0.9], [0.5, 0.99]],
        }  # fmt: skip

    @pytest.mark.parametrize("word", ["lr_d", "=3", "lr_d=", "a b=3", "seed=1,2"])
    def test_nonsense_is_refused(self, word):
        with pytest.raises(ArgumentError, match="--vary"):
            sweep.parse_axes([word])

    def test_an_axis_once(self):
        with pytest.raises(ArgumentError, match="give it once"):
            sweep.parse_axes(["r1=1", "r1=2"])

    def test_names_of_cells_are_safe_and_differ(self):
        a, b = slug({"loss": "../x", "lr": 0.1}), slug({"loss": "../x", "lr": 0.10000001})
        assert a != b and "/" not in a and len(slug({"x": "y" * 999})) < 120


class TestProcesses:
    def test_cells_in_processes_are_those_run_here(self, tmp_path, capsys):
        assert run(tmp_path / "s", "--vary", "lr_d=1e-3,1e-2", "--jobs", "2") == 0
        heard = capsys.readouterr()
        assert "2/2" in heard.err and "<- best" in heard.out
        found = json.loads((tmp_path / "s" / "results.json").read_text())["cells"]
        options = {"base": 4, "batch": 16, "seed": 0}
        for one, rate in zip(found, (1e-3, 1e-2), strict=True):
            here = cell.run_cell({"what": "ring", "steps": 3, "options": {**options, "lr_d": rate}})
            assert one["figures"] == here["figures"] and one["values"] == {"lr_d": rate, "seed": 0}

    def test_a_broken_cell_is_named_and_tried_again(self, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr(workers.sys, "executable", "/bin/false")
        assert run(tmp_path / "s", "--vary", "r1=0,1") == 1
        heard = capsys.readouterr()
        assert "no cell is done" in heard.out and "2 of 2 cells did not finish" in heard.err
        monkeypatch.undo()
        assert run(tmp_path / "s", "--vary", "r1=0") == 0

    def test_ctrl_c_stops_the_processes_and_keeps_what_is_done(self, tmp_path, capsys, monkeypatch):
        started, line = [], Results.line
        plain = workers.subprocess.Popen

        def popen(*args, **kwargs):
            started.append(plain(*args, **kwargs))
            return started[-1]

        def interrupt(self, result):
            raise KeyboardInterrupt

        monkeypatch.setattr(workers.subprocess, "Popen", popen)
        monkeypatch.setattr(Results, "line", interrupt)
        words = ["--vary", "r1=0,1,2,3,4,5", "--jobs", "1"]
        assert run(tmp_path / "s", *words) == 130
        assert "1 of 6 cells are done; the same command goes on" in capsys.readouterr().out
        assert len(started) <= 2 and all(process.wait(10) is not None for process in started)
        monkeypatch.setattr(Results, "line", line)


class TestResults:
    def test_finished_cells_are_not_run_again(self, tmp_path, capsys, in_process):
        assert run(tmp_path, "--vary", "lr_d=1e-3", "--seeds", "2") == 0
        assert len(in_process) == 2
        first = (tmp_path / "results.csv").read_text()
        assert run(tmp_path, "--vary", "lr_d=1e-3", "--seeds", "2") == 0
        assert len(in_process) == 2 and (tmp_path / "results.csv").read_text() == first
        assert "2 of 2 cells are done already" in capsys.readouterr().err
        # A file cut short is no result; more values and seeds are added to what is there.
        one = next((tmp_path / "cells").glob("*.json"))
        one.write_text(one.read_text()[:50])
        assert run(tmp_path, "--vary", "lr_d=1e-3,1e-2", "--seeds", "3") == 0
        assert len(in_process) == 2 + 1 + 4

    def test_another_sweep_in_the_folder_is_refused(self, tmp_path, capsys, in_process):
        assert run(tmp_path, "--vary", "r1=0") == 0
        assert run(tmp_path, "--vary", "r1=0", "--set", "r2=1") == 2
        assert "holds another sweep: set: " in capsys.readouterr().err
        (tmp_path / "sweep.json").write_text("[]")
        assert run(tmp_path, "--vary", "r1=0") == 2

    def test_table_csv_and_picture(self, tmp_path, capsys, in_process):
        words = ["--vary", "lr_d=1e-3,1e-2", "--vary", "cure=none,paired", "--seeds", "2", "--metric", "kl"]
        assert run(tmp_path, *words) == 0
        table = capsys.readouterr().out.splitlines()
        assert table[0].split()[:4] == ["lr_d", "cure", "seeds", "kl"] and len(table) == 6
        rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
        assert len(rows) == 8 and {row["cure"] for row in rows} == {"none", "paired"}
        mean = np.mean([float(r["kl"]) for r in rows if (r["lr_d"], r["cure"]) == ("0.001", "none")])
        kept = json.loads((tmp_path / "results.json").read_text())
        assert kept["metric"] == "kl" and kept["means"][0]["kl"] == pytest.approx(mean)
        best = min(kept["means"], key=lambda row: row["kl"])
        (line,) = [line for line in table if line.endswith("<- best")]
        assert line.split()[1] == best["cure"]
        assert (tmp_path / "heatmap.png").read_bytes().startswith(b"\x89PNG")

    def test_pictures_are_measured_as_evaluate_does(self, tmp_path, monkeypatch, in_process):
        monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
        images = np.random.default_rng(0).integers(0, 255, (120, 1, 6, 6)).astype(np.uint8)
        images[::2, :, :, :3] //= 4
        write_npz(tmp_path / "halves.npz", {"images": images, "labels": np.arange(120) % 2})
        words = ["--data", str(tmp_path / "halves.npz"), "--vary", "lr_d=1e-3", "--set", "latent=4"]
        assert run(tmp_path / "s", *words, what="dense") == 0
        kept = json.loads((tmp_path / "s" / "results.json").read_text())
        assert kept["metric"] == "frechet_distance"
        assert {"frechet_distance", "recall", "classes", "d_loss"} <= kept["cells"][0]["figures"].keys()

    def test_a_run_that_diverges_is_a_result(self, tmp_path, capsys, in_process, monkeypatch):
        def diverge(trainer):
            if trainer.config.lr_d == 10 and trainer.step == 1:
                raise NumericError("step 2: too large")
            return step(trainer)

        step = Trainer.train_step
        monkeypatch.setattr(Trainer, "train_step", diverge)
        assert run(tmp_path, "--vary", "lr_d+lr_g=1e-3,10") == 0
        table = capsys.readouterr().out.splitlines()
        assert table[0].split()[2:4] == ["failed", "modes"] and table[2].split()[:4] == ["10", "1", "1", "-"]
        rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
        assert rows[0]["failed"] == "" and rows[1]["failed"].startswith("step ") and rows[1]["modes"] == ""


@pytest.mark.parametrize("words, complaint", [
    (["--vary", "lrd=1"], "unknown options: 'lrd'; nearest: lr_d, "),
    (["--vary", "r1=-1"], "r1: expected a number"),
    (["--vary", "r1=1,1"], "a value is there twice"),
    (["--vary", "r1=1", "--set", "seed=3"], "--set seed"),
    (["--vary", "r1=1", "--data", "mnist"], "ring brings its own data"),
    (["--vary", "r1=1", "--map", "r1,r1"], "--map: expected two of r1, seed"),
    (["--vary", "r1=" + ",".join(map(str, range(101))), "--seeds", "100"], "10,100 cells"),
])  # fmt: skip
def test_mistakes_leave_no_folder(tmp_path, capsys, words, complaint, monkeypatch):
    import re

    monkeypatch.setattr(sweep, "_check", sweep._check if "100" not in words else lambda *a: None)
    assert run(tmp_path / "s", *words) == 2
    assert re.search(complaint, capsys.readouterr().err) and not (tmp_path / "s").exists()


def test_an_unknown_metric_names_those_there_are(tmp_path, capsys, in_process):
    assert run(tmp_path, "--vary", "r1=0", "--metric", "beauty") == 2
    assert "expected one of" in capsys.readouterr().err


def test_a_batch_nobody_asked_for_is_made_to_fit(capsys):
    from argparse import Namespace

    data = {"options": {}, "shape": [1, 8, 8], "pictures": 17}
    arguments = Namespace(what="dense", set=[], seeds=1, steps=1)
    cells = sweep.plan(arguments, {"pack": [1, 2]}, data)
    assert [cell.job["options"]["batch"] for cell in cells] == [17, 16]
    assert "larger than the set of 17 pictures; taking batch=16" in capsys.readouterr().err
    with pytest.raises(ArgumentError, match="batch: 64 is more than there are pictures"):
        sweep.plan(arguments, {"batch": [64]}, data)
    arguments.set = ["r1=1"]
    with pytest.raises(ArgumentError, match="--set r1: --vary gives it values too"):
        sweep.plan(arguments, {"r1": [0, 2]}, data)


def test_the_map_shows_the_axes_that_were_chosen():
    axes = {"a": [1], "b": [2], "c": [3]}
    assert sweep._map(None, axes) == ("a", "b") and sweep._map("c,seed", axes) == ("c", "seed")
    assert sweep._map(None, {"a": [1]}) == ("seed", "a")


def test_a_cell_dies_with_its_parent(monkeypatch):
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    with open(os.devnull) as nothing:
        monkeypatch.setattr(cell.sys, "stdin", nothing)
        cell._die_with_parent()
    assert codes == [1]
