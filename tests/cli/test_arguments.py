"""Words of the command line as settings: what they mean, and what means nothing."""

import json

import pytest

from minigan import cli, gan, modes
from minigan.cli.arguments import assignments
from minigan.cli.sweep import parse_axes
from minigan.errors import ArgumentError
from minigan.gan.trainer import Trainer

YES = ["true", "True", "TRUE", "yes", "Yes", "on", "ON", "1"]
NO = ["false", "False", "FALSE", "no", "No", "off", "Off", "0"]
NEITHER = [
    "None",
    "none",
    "null",
    "",
    "2",
    "-1",
    "1.0",
    "0.0",
    "y",
    "f",
    "[true]",
    '{"a": 1}',
    "maybe",
    "NaN",
]
TRUTHS = ["projection", "mean_of_two", "generator_first", "fresh_fakes"]


@pytest.mark.parametrize("name", TRUTHS)
def test_truths_in_every_usual_spelling(name):
    for words, truth in ((YES, True), (NO, False)):
        for word in words:
            assert assignments([f"{name}={word}"])[name] is truth, word
            assert parse_axes([f"{name}={word}"])[name] == [truth], word
        assert parse_axes([f"{name}={','.join(words)}"])[name] == [truth] * len(words)


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("word", NEITHER)
def test_what_is_no_truth_is_refused(name, word):
    with pytest.raises(ArgumentError, match=f"^--set {name}: exp|^{name}: exp"):
        assignments([f"{name}={word}"])
    with pytest.raises(ArgumentError):
        parse_axes([f"{name}={word}"])


@pytest.mark.parametrize(
    "word, said",
    [
        ("lr_g=null", "expected a value, got null"),
        ("shape=[1,8,8]", "the pictures decide it"),
        ("recipe=dense", "names the recipe"),
        ("=3", "NAME=VALUE"),
        ("latent", "NAME=VALUE"),
    ],
)
def test_what_set_cannot_say(word, said):
    with pytest.raises(ArgumentError, match=said):
        assignments([word])
    with pytest.raises(ArgumentError):
        parse_axes([word])


def test_no_setting_is_given_twice(pictures, tmp_path, capsys):
    with pytest.raises(ArgumentError, match="--set r1: given twice"):
        assignments(["r1=1", "lr-d=1", "r1=2"])
    for words in (["--batch", "4", "--set", "batch=8"], ["--conditional", "--set", "classes=3"]):
        run = ["train", "dense", "--data", str(pictures), "--steps", "1", "--out", str(tmp_path / "run")]
        assert cli.main([*run, *words]) == 2
        assert "says it too; leave one out" in capsys.readouterr().err
    with pytest.raises(ArgumentError, match="give it once"):
        parse_axes(["lr_d+lr_g=1,2", "lr_g=1"])


@pytest.mark.parametrize(
    "word",
    ["betas=0.9", 'betas=["x",0]', "augment=3", 'loss={"a":1}', "r1=NaN", "lr_d=Infinity", "ema=true",
     "batch=8.0", "seed=1e3", "latent=many", "clip=1e999", "pack=", "fresh_fakes=None", "seeed=1", "ema=None",
     "loss=none", "batch=" + "9" * 5000, "betas=" + "[" * 50_000],
)  # fmt: skip
@pytest.mark.parametrize("command", ["train", "sweep"])
def test_wrong_kinds_end_in_one_line(command, word, pictures, tmp_path, capsys):
    words = {"train": ["dense", "--data", str(pictures), "--set", word], "sweep": ["ring", "--vary", word]}
    assert cli.main([command, *words[command], "--steps", "1", "--out", str(tmp_path / "run")]) == 2
    err = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note")]
    assert len(err) == 1 and "bug" not in err[0] and len(err[0]) < 300
    assert not (tmp_path / "run").exists()


def test_an_option_that_is_off_is_off_in_the_run(train, tmp_path):
    for word in ("yes", "OFF"):
        run = tmp_path / word
        assert train(run, "--steps", "1", "--set", f"mean_of_two={word}") == 0
        assert json.loads((run / "config.json").read_text())["settings"]["mean_of_two"] is (word == "yes")
    losses = [json.loads((tmp_path / w / "metrics.jsonl").read_text())["d_loss"] for w in ("yes", "OFF")]
    assert losses[0] == pytest.approx(losses[1] / 2, rel=1e-5)


def test_values_with_commas_of_their_own():
    words = ["betas=[.5,0.9],[0,0.99]", 'augment="flip,cutout",flip,', "projection+fresh_fakes=Yes,No"]
    found = parse_axes(words)
    assert found["betas"][1] == [0, 0.99] and len(found["betas"]) == 2
    assert found["augment"] == ["flip,cutout", "flip", ""]
    assert found["projection+fresh_fakes"] == [True, False]
    assert gan.Config(betas=found["betas"][1]).betas == (0, 0.99)


def test_a_mistake_in_the_environment_is_said_before_anything_is_written(
    train, tmp_path, capsys, monkeypatch
):
    parallel = pytest.importorskip("minigan.kernels.parallel")
    monkeypatch.setattr(parallel, "_threads", 0)
    monkeypatch.setenv("MINIGAN_THREADS", "two")
    assert train(tmp_path / "run", "--steps", "1") == 2
    assert "MINIGAN_THREADS: expected a whole number of threads, got 'two'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "word", ["relu1_1=", "relu1_1=yes", "=2", "relu1_1,relu1_1", "relu1_1=-1", "relu1_1=nan"]
)
def test_layer_weights_that_are_none(word, tmp_path, capsys):
    out = str(tmp_path / "a.png")
    assert cli.main(["style", "--demo", "--out", out, "--style-layers", word, "--forecast"]) == 2
    assert capsys.readouterr().err.startswith("minigan: error: argument --style-layers: expected ")


@pytest.mark.parametrize("words", [["--kernels", "off"], []])
def test_kernels_are_switched_for_a_whole_command(train, tmp_path, monkeypatch, words):
    monkeypatch.setenv("MINIGAN_KERNELS", "off")
    seen, step = [], Trainer.train_step

    def watched(trainer):
        seen.append(modes._modes.kernels)
        return step(trainer)

    monkeypatch.setattr(Trainer, "train_step", watched)
    try:
        assert train(tmp_path / "run", "--steps", "2", *words) == 0
    finally:
        modes.use_kernels_by_default(True)
    assert set(seen) == {False}


def test_a_word_for_kernels_that_says_neither_is_refused(train, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MINIGAN_KERNELS", "perhaps")
    assert train(tmp_path / "run", "--steps", "1") == 2
    assert "MINIGAN_KERNELS: expected true or false" in capsys.readouterr().err
    assert train(tmp_path / "run", "--steps", "1", "--kernels", "slow") == 2
