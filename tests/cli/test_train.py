"""`minigan train`: what a run leaves behind, going on bit for bit, and one line for every mistake."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from minigan import cli
from minigan.cli import loop
from minigan.cli import train as command
from minigan.cli.run_folder import LOGS, MINE
from minigan.gan import RECIPES
from minigan.gan.trainer import Trainer


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def complaint(capsys) -> str:
    """The one line that a mistake gets."""
    err = capsys.readouterr().err
    lines = [line for line in err.splitlines() if line.startswith("minigan: error:")]
    assert len(lines) == 1 and "Traceback" not in err, err
    return lines[0]


@pytest.fixture
def copy(trained, tmp_path):
    """A copy of the trained run, to go on with."""
    return shutil.copytree(trained, tmp_path / "copy")


class TestARun:
    def test_leaves_everything_that_was_promised(self, trained):
        assert all((trained / name).exists() for name in MINE)
        rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
        assert all({"d_loss", "g_loss", "d_real", "d_fake", "epoch"} <= row.keys() for row in rows)
        assert {0 < row["d_real"] < 1 for row in rows} == {True}
        names = [path.name for path in sorted((trained / "samples").iterdir())]
        assert names[0] == "step-0000000.png" and names[-1] == "step-0000006.png"
        with Image.open(trained / "samples.gif") as film:
            assert film.n_frames == len(names)

    def test_writes_down_every_setting(self, trained, pictures):
        config = json.loads((trained / "config.json").read_text())
        assert config["data"]["data"] == str(pictures) and config["data"]["pictures"] == 40
        assert config["budget"] == {"minutes": None, "epochs": None, "steps": 6}
        assert config["settings"]["shape"] == [1, 6, 6] and config["settings"]["penalty_every"] == 2
        assert config["made_with"]["backend"] == "numpy" and "numpy" in config["made_with"]

    def test_says_who_got_gradients(self, train, tmp_path, capsys):
        assert train(tmp_path / "run", "--steps", "1") == 0
        out = capsys.readouterr().out
        assert (
            "generator's step: parameters that got gradients: 14 of the generator, 0 of the discriminator"
            in out
        )
        assert "discriminator's step: parameters that got gradients: 0 of the generator, 6 of the disc" in out

    def test_twice_the_same_seed_is_the_same_run(self, train, trained, tmp_path):
        assert train(tmp_path / "again", "--steps", "6") == 0
        assert (tmp_path / "again" / "checkpoint.npz").stat().st_size > 0
        first, second = bytes_of(trained), bytes_of(tmp_path / "again")
        for name in ("metrics.jsonl", "samples/step-0000006.png"):
            assert first[type(next(iter(first)))(name)] == second[type(next(iter(first)))(name)]

    def test_another_seed_is_another_run(self, train, trained, tmp_path):
        assert train(tmp_path / "other", "--steps", "6", "--seed", "1") == 0
        assert (tmp_path / "other" / "metrics.jsonl").read_text() != (trained / "metrics.jsonl").read_text()

    def test_the_log_has_the_first_step_and_every_so_many(self, train, tmp_path):
        assert train(tmp_path / "run", "--steps", "7", "--log-every", "3") == 0
        rows = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(row)["step"] for row in rows] == [1, 3, 6]

    def test_epochs_are_passes_over_the_pictures(self, train, tmp_path):
        assert train(tmp_path / "run", "--epochs", "2") == 0
        rows = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
        assert len(rows) == 2 * (40 // 8) and json.loads(rows[-1])["epoch"] == 1

    def test_minutes_are_kept_to(self, train, tmp_path):
        assert train(tmp_path / "run", "--minutes", "0.005") == 0
        assert json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])["step"] >= 1

    def test_without_out_each_run_gets_a_folder_of_its_own(self, pictures, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for _ in range(2):
            assert cli.main(["train", "dense", "--data", str(pictures), "--batch", "8", "--steps", "1"]) == 0
        assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
            "dense-halves.npz", "dense-halves.npz-2"
        ]  # fmt: skip


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_every_recipe_trains_and_is_sampled(recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(loop, "GRID", 4)
    run = tmp_path / "run"
    words = ["--data", "glyphs", "--limit", "8", "--batch", "4", "--steps", "1", "--out", str(run)]
    assert cli.main(["train", recipe, *words]) == 0
    err = capsys.readouterr().err
    assert ("KL" in err) == (recipe == "vae") == ("D(G(z))" not in err)
    assert (run / "losses.png").exists()
    assert cli.main(["sample", str(run), "-n", "2"]) == 0


def arrays_of(folder):
    with np.load(folder / "checkpoint.npz") as file:
        return {name: file[name] for name in file.files if name != "manifest.json"}


class TestResume:
    def test_a_run_in_two_parts_equals_a_run_in_one(self, train, trained, tmp_path):
        """4 steps of 5 an epoch, then 2 more: the pause falls into the middle of an epoch."""
        run = tmp_path / "run"
        assert train(run, "--steps", "4") == 0
        assert cli.main(["train", "--resume", "--out", str(run), "--steps", "6"]) == 0
        for log in LOGS:
            assert (run / log).read_bytes() == (trained / log).read_bytes() != b""
        whole, parts = arrays_of(trained), arrays_of(run)
        assert whole.keys() == parts.keys()
        for name, array in whole.items():
            assert array.tobytes() == parts[name].tobytes(), name
        last = "samples/step-0000006.png"
        assert (run / last).read_bytes() == (trained / last).read_bytes()

    def test_what_came_after_the_checkpoint_is_made_again(self, copy):
        """A run that was killed has logged more than its last checkpoint knows."""
        before = (copy / "metrics.jsonl").read_bytes()
        with open(copy / "metrics.jsonl", "a") as file:
            file.write('{"step": 7, "d_loss": 0}\n{"step": 8, "d_lo')
        (copy / "samples" / "step-0000008.png").write_bytes(b"")
        assert cli.main(["train", "--resume", "--out", str(copy), "--steps", "7"]) == 0
        after = (copy / "metrics.jsonl").read_bytes()
        assert after.startswith(before) and after.count(b"\n") == 7 and b'"d_loss": 0}' not in after
        assert not (copy / "samples" / "step-0000008.png").exists()

    def test_from_another_folder(self, pictures, tmp_path, monkeypatch):
        monkeypatch.chdir(pictures.parent)
        words = ["dense", "--data", pictures.name, "--batch", "8", "--out", str(tmp_path / "run")]
        assert cli.main(["train", *words, "--steps", "1"]) == 0
        monkeypatch.chdir(tmp_path)
        assert cli.main(["train", "--resume", "--out", "run", "--steps", "2"]) == 0

    def test_learning_rates_may_change_and_that_is_said(self, copy, capsys):
        assert cli.main(["train", "--resume", "--out", str(copy), "--steps", "7", "--lr-d", "1e-5"]) == 0
        assert "changed: lr_d: 0.0002, now 1e-05" in capsys.readouterr().err
        assert json.loads((copy / "config.json").read_text())["settings"]["lr_d"] == 1e-5

    def test_other_changes_are_refused_and_all_are_listed(self, copy, capsys):
        before = bytes_of(copy)
        words = ["--batch", "4", "--seed", "3", "--size", "8", "--set", "latent=5"]
        assert cli.main(["train", "--resume", "--out", str(copy), "--steps", "9", *words]) == 2
        line = complaint(capsys)
        assert all(
            word in line for word in ("batch: 8, now 4", "seed: 0, now 3", "size: None, now 8", "latent: 4")
        )
        assert bytes_of(copy) == before

    def test_a_finished_run_needs_a_longer_budget(self, copy, capsys):
        before = bytes_of(copy)
        assert cli.main(["train", "--resume", "--out", str(copy)]) == 2
        assert "step 6 of 6: give more --steps" in complaint(capsys)
        assert bytes_of(copy) == before

    def test_minutes_come_on_top(self, copy):
        assert cli.main(["train", "--resume", "--out", str(copy), "--minutes", "0.002"]) == 0
        budget = json.loads((copy / "config.json").read_text())["budget"]
        assert budget["minutes"] > 0.002 and budget["steps"] is None

    def test_used_up_minutes_are_said(self, train, tmp_path, capsys):
        assert train(tmp_path / "run", "--minutes", "0.001") == 0
        capsys.readouterr()
        assert cli.main(["train", "--resume", "--out", str(tmp_path / "run")]) == 2
        assert "give --minutes" in complaint(capsys)

    def test_other_pictures_are_noticed(self, train, pictures, tmp_path, capsys):
        from minigan.data.arrays import read_npz, write_npz

        data = tmp_path / "mine.npz"
        shutil.copy(pictures, data)
        assert train(tmp_path / "run", "--data", str(data), "--steps", "1") == 0
        arrays, _ = read_npz(data, limit_bytes=1 << 20)
        arrays["images"][3] = 0
        write_npz(data, arrays)
        assert cli.main(["train", "--resume", "--out", str(tmp_path / "run"), "--steps", "2"]) == 2
        assert "not those the run began with" in complaint(capsys)

    @pytest.mark.parametrize("cut", [0, 10, 1000, -1])
    def test_a_damaged_checkpoint_is_refused(self, copy, cut, capsys):
        whole = (copy / "checkpoint.npz").read_bytes()
        (copy / "checkpoint.npz").write_bytes(whole[:cut])
        before = bytes_of(copy)
        assert cli.main(["train", "--resume", "--out", str(copy), "--steps", "9"]) == 2
        assert "checkpoint.npz" in complaint(capsys)
        assert bytes_of(copy) == before

    @pytest.mark.parametrize("text", ["{", "[]", "{}", '{"data": 3, "budget": 4, "log_every": 5}'])
    def test_a_config_that_was_edited_into_nonsense(self, copy, text, capsys):
        (copy / "config.json").write_text(text)
        assert cli.main(["train", "--resume", "--out", str(copy), "--steps", "9"]) == 2
        assert "config.json" in complaint(capsys)

    def test_needs_out(self, capsys):
        assert cli.main(["train", "--resume"]) == 2
        assert "--out" in complaint(capsys)


class TestLengths:
    @pytest.mark.parametrize("start", [3, {"step": "x"}, {"moment": 2}, {"progress": 7}, None])
    def test_a_moment_that_was_edited(self, copy, start, capsys):
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps({**config, "start": start}))
        assert cli.main(["train", "--resume", "--out", str(copy), "--steps", "9"]) == 2
        assert "config.json is not of minigan's form" in complaint(capsys)

    @pytest.mark.parametrize(
        "change", [{"budget": {}}, {"budget": {"steps": "6"}}, {"budget": {"steps": True}},
                   {"log_every": "5"}, {"log_every": 0}, {"log_every": None}]
    )  # fmt: skip
    def test_a_length_that_was_edited(self, copy, change, capsys):
        config = json.loads((copy / "config.json").read_text())
        (copy / "config.json").write_text(json.dumps({**config, **change}))
        assert cli.main(["train", "--resume", "--out", str(copy), "--steps", "9"]) == 2
        assert "config.json is not of minigan's form" in complaint(capsys)

    def test_the_log_may_get_other_steps(self, copy):
        words = ["--resume", "--out", str(copy), "--steps", "10", "--log-every", "4"]
        assert cli.main(["train", *words]) == 0
        rows = [json.loads(row)["step"] for row in (copy / "metrics.jsonl").read_text().splitlines()]
        assert rows == [1, 2, 3, 4, 5, 6, 8]

    def test_a_length_that_is_over_already(self, copy, capsys):
        for words in (["--steps", "5"], ["--epochs", "1"]):
            assert cli.main(["train", "--resume", "--out", str(copy), *words]) == 2
            assert "the run is at step 6 of 5" in complaint(capsys)


@pytest.mark.parametrize("count, words, batch", [(17, (), 17), (10, ("--set", "pack=4"), 8), (70, (), 64)])
def test_a_batch_nobody_asked_for_is_made_to_fit(count, words, batch, pictures, tmp_path, capsys):
    run = ["train", "dense", "--data", "glyphs", "--limit", str(count), "--size", "8", "--steps", "1", *words]
    assert cli.main([*run, "--out", str(tmp_path / "run")]) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["settings"]["batch"] == batch
    note = f"note: dense's batch of 64 is larger than the set of {count} pictures; taking --batch {batch}"
    assert (note in capsys.readouterr().err) == (batch < 64)
    assert cli.main(["train", "--resume", "--out", str(tmp_path / "run"), "--steps", "2"]) == 0
    assert cli.main([*run, "--batch", "72", "--out", str(tmp_path / "asked")]) == 2
    assert "larger than the set" in complaint(capsys)


class TestBadInput:
    @pytest.mark.parametrize(
        "words, said",
        [
            (["nonsense"], "nonsense"),
            (["--minutes", "nan"], "finite"),
            (["--minutes", "0"], "more than 0"),
            (["--minutes", "-1"], "more than 0"),
            (["--steps", "1.5"], "whole number"),
            (["--epochs", "0"], "at least 1"),
            (["--steps", "1", "--epochs", "1"], "not allowed with"),
            (["--batch", "0"], "at least 1"),
            (["--batch", "many"], "whole number"),
            (["--lr-g", "inf"], "finite"),
            (["--lr-d", "0"], "more than 0"),
            (["--lr-d", "99"], "lr_d"),
            (["--seed", "-1"], "at least 0"),
            (["--ema", "1.5"], "at most 1"),
            (["--channels", "2"], "channels"),
            (["--size", "0"], "at least 1"),
            (["--loss", "hope"], "hope"),
            (["--set", "latent"], "NAME=VALUE"),
            (["--set", "latent=0"], "latent"),
            (["--set", "foo=1"], "unknown options: 'foo'; nearest: "),
            (["--set", "lrd=1"], "unknown options: 'lrd'; nearest: lr_d, "),
            (["--set", "batch=true"], "batch"),
            (["--log-every", "0"], "at least 1"),
            (["--data", "no/such/place"], "no/such/place"),
            (["--batch", "41"], "larger than the set"),
        ],
    )
    def test_one_line_and_nothing_written(self, words, said, pictures, tmp_path, capsys):
        if "nonsense" not in words:
            words = ["dense", *words]
        data = [] if "--data" in words else ["--data", str(pictures)]
        assert cli.main(["train", *words, *data, "--out", str(tmp_path / "run")]) == 2
        assert said in complaint(capsys)
        assert not (tmp_path / "run").exists()

    def test_a_run_that_is_there_is_never_overwritten(self, train, copy, capsys):
        before = bytes_of(copy)
        assert train(copy, "--steps", "1") == 2
        assert "already holds a run" in complaint(capsys)
        assert bytes_of(copy) == before

    def test_a_second_ctrl_c_says_how_to_go_on(self, train, tmp_path, capsys, monkeypatch):
        def stop(trainer):
            raise KeyboardInterrupt

        monkeypatch.setattr(Trainer, "train_step", stop)
        monkeypatch.setattr(loop.Loop, "forecast", lambda self: "")  # its probe would meet it first
        run = tmp_path / "run"
        assert train(run, "--steps", "4") == 130
        err = capsys.readouterr().err
        assert f"the last checkpoint is whole; go on with: minigan train --resume --out {run}" in err
        monkeypatch.undo()
        assert cli.main(["train", "--resume", "--out", str(run)]) == 0

    def test_the_forecast_leaves_the_runs_bits_alone(self, train, tmp_path, capsys, monkeypatch):
        runs = [tmp_path / name for name in ("with", "without")]
        assert train(runs[0], "--steps", "3") == 0
        assert "3 steps take about 0:00" in capsys.readouterr().err
        monkeypatch.setattr(loop.Loop, "forecast", lambda self: "")
        assert train(runs[1], "--steps", "3") == 0
        logs = [(run / "metrics.jsonl").read_bytes() for run in runs]
        arrays = [arrays_of(run) for run in runs]
        assert logs[0] == logs[1] and all((arrays[0][n] == arrays[1][n]).all() for n in arrays[0])

    def test_a_diverging_run_stops_with_the_last_checkpoint(self, train, tmp_path, capsys):
        run = tmp_path / "run"
        assert train(run, "--steps", "400", "--lr-g", "9", "--lr-d", "9", "--r1", "1e6") == 1
        line = complaint(capsys)
        assert "step" in line and "checkpoint" in line
        assert all(np.isfinite(array).all() for array in arrays_of(run).values())


def test_assignments_are_json_or_words():
    found = command.types.assignments(["betas=[0, 0.9]", "lr-end=0.5", "loss=hinge", "mean_of_two=true"])
    assert found == {"betas": [0, 0.9], "lr_end": 0.5, "loss": "hinge", "mean_of_two": True}


def test_a_continued_run_chooses_its_convolutions_as_before(train, tmp_path, monkeypatch):
    from minigan.cli import speed

    assert train(tmp_path / "run", "--steps", "1") == 0
    kept = json.loads((tmp_path / "run" / "config.json").read_text())["made_with"]["rates"]
    assert kept == speed.rates()
    adopted = []
    monkeypatch.setattr(speed, "adopt", adopted.append)
    assert train(tmp_path / "run", "--resume", "--steps", "2", recipe=False) == 0
    assert adopted == [kept]
