"""A continued run is bit-equal to one never stopped, and a bad file changes nothing."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from minigan import gan
from minigan.data import arrays
from minigan.errors import ArgumentError, FileError
from minigan.gan import checkpoint
from minigan.gan.trainer import Trainer

PICTURES = np.random.default_rng(0).uniform(-1, 1, (26, 1, 8, 8)).astype(np.float32)


def toy(recipe="dcgan", images=PICTURES, **options):
    base = {"shape": (1, 8, 8), "latent": 4, "base": 2, "batch": 6, "penalty_every": 3}
    return Trainer.create(gan.resolve(recipe, **{**base, **options}), images)


def states(trainer):
    return checkpoint.tensors(trainer), json.dumps(checkpoint._numbers(trainer), sort_keys=True)


def assert_same(a, b):
    (arrays_a, numbers_a), (arrays_b, numbers_b) = states(a), states(b)
    assert numbers_a == numbers_b
    assert arrays_a.keys() == arrays_b.keys()
    assert [name for name in arrays_a if arrays_a[name].tobytes() != arrays_b[name].tobytes()] == []


@pytest.mark.parametrize("recipe", ["dcgan", "lesson-upscale"])
def test_cut_anywhere_and_continued_is_bit_equal(tmp_path, recipe):
    """Twenty cuts, mid-epoch and between lazy penalties; dropout and instance noise draw numbers too."""
    options = {"lr_end": 0.1, "instance_noise": 0.1}
    whole = toy(recipe, **options)
    records = [whole.train_step() for _ in range(22)]
    running = toy(recipe, **options)
    for cut in range(20):
        continued = toy(recipe, **options)
        checkpoint.save(tmp_path / "a.npz", running)
        checkpoint.restore(tmp_path / "a.npz", continued)
        assert_same(running, continued)
        expected, found = running.train_step().to_dict(), continued.train_step().to_dict()
        assert {**expected, "seconds": 0} == {**found, "seconds": 0}
        assert expected["d_loss"] == records[cut].to_dict()["d_loss"]
        running = continued
    for _ in range(2):
        running.train_step()
    assert_same(whole, running)


def test_facts_travel_and_are_read_without_arrays(tmp_path):
    trainer = toy()
    trainer.train_step()
    checkpoint.save(tmp_path / "a.npz", trainer, facts={"log_bytes": 123})
    config, facts = checkpoint.read_facts(tmp_path / "a.npz")
    assert config == trainer.config and facts == {"log_bytes": 123}
    assert checkpoint.restore(tmp_path / "a.npz", toy()) == {"log_bytes": 123}


def test_sampler_draws_what_the_run_would(tmp_path):
    for ema in (0.9, 0.0):
        trainer = toy(ema=ema)
        for _ in range(3):
            trainer.train_step()
        checkpoint.save(tmp_path / "a.npz", trainer)
        sampler = checkpoint.load_sampler(tmp_path / "a.npz")
        assert (sampler(trainer.fixed_latents(5)) == trainer.sample(trainer.fixed_latents(5))).all()


def test_truncated_latents():
    trainer = toy()
    sampler = checkpoint.Sampler(trainer.config, trainer.generator, {})
    free, short = sampler.latents(500, seed=1), sampler.latents(500, seed=1, truncation=0.5)
    assert free.shape == (500, 4) and abs(free).max() > 2
    assert abs(short).max() <= 0.5
    inside = abs(free) <= 0.5
    assert (short[inside] == free[inside]).all()
    with pytest.raises(ArgumentError, match="at least 0.1"):
        sampler.latents(3, truncation=0.0)


def refused(tmp_path, change, words, error=FileError):
    """Restoring the changed file raises, with these words, and leaves the trainer as it was."""
    saved, trainer, twin = toy(), toy(), toy()
    for _ in range(2):
        saved.train_step()
    checkpoint.save(tmp_path / "a.npz", saved)
    change(tmp_path / "a.npz")
    trainer.train_step(), twin.train_step()
    with pytest.raises(error, match=words) as caught:
        checkpoint.restore(tmp_path / "a.npz", trainer)
    assert "\n" not in str(caught.value)
    assert_same(trainer, twin)
    trainer.train_step(), twin.train_step()
    assert_same(trainer, twin)


def rewrite(edit):
    """A change that reads the checkpoint, edits (arrays, facts) and writes it again with right digests."""

    def change(path):
        found, facts = arrays.read_npz(path, limit_bytes=1 << 30)
        edit(found, facts)
        arrays.write_npz(path, found, facts, kind=checkpoint.KIND, version=checkpoint.VERSION)

    return change


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, share):
    def cut(path):
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    refused(tmp_path, cut, "a.npz")


@pytest.mark.parametrize("share", [0.05, 0.35, 0.6, 0.95])
def test_a_flipped_bit_is_refused(tmp_path, share):
    def flip(path):
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= 16
        path.write_bytes(content)

    refused(tmp_path, flip, "a.npz")


def test_missing_extra_and_misshaped_arrays_are_listed_in_one_error(tmp_path):
    def edit(found, facts):
        found["stranger"] = found.pop("generator.0.weight")
        found["discriminator.0.bias"] = np.zeros(7, np.float32)

    words = r"3 arrays do not fit.*missing 'generator.0.weight'.*'stranger'.*'discriminator.0.bias' has shape"
    refused(tmp_path, rewrite(edit), words)


@pytest.mark.parametrize(
    "edit, words",
    [
        (lambda a, f: f.pop("loader"), "facts do not fit"),
        (lambda a, f: f.update(random={"bit_generator": "MT19937"}), "facts do not fit"),
        (lambda a, f: f.update(step="many"), "facts do not fit"),
        (lambda a, f: f["adam_steps"].update(g_optimizer=["x"]), "facts do not fit"),
        (lambda a, f: f.pop("config"), "options cannot be read"),
        (lambda a, f: f["config"].update(lr_g="fast"), "options cannot be read"),
        (lambda a, f: f["config"].update(warp=9), "unknown options.*warp"),
    ],
)
def test_facts_that_make_no_sense_are_refused(tmp_path, edit, words):
    refused(tmp_path, rewrite(edit), words)


def test_other_settings_are_listed(tmp_path):
    words = "other settings: batch: 5, now 6; lr_g: 0.25, now 0.002"
    refused(tmp_path, rewrite(lambda a, f: f["config"].update(batch=5, lr_g=0.25)), words, ArgumentError)


def test_other_data_are_refused(tmp_path):
    checkpoint.save(tmp_path / "a.npz", toy())
    trainer, twin = toy(images=PICTURES[:20]), toy(images=PICTURES[:20])
    with pytest.raises(ArgumentError, match="count 26, here 20"):
        checkpoint.restore(tmp_path / "a.npz", trainer)
    assert_same(trainer, twin)


def test_other_kinds_of_files_are_refused(tmp_path):
    def pickle(path):
        path.write_bytes(b"\x80\x04\x95rest")

    def plain(path):
        np.savez(path, a=np.zeros(3))

    def other(path):
        arrays.write_npz(path, {"a": np.zeros(3)}, kind="minigan-classifier")

    def newer(path):
        found, facts = arrays.read_npz(path, limit_bytes=1 << 30)
        arrays.write_npz(path, found, facts, kind=checkpoint.KIND, version=checkpoint.VERSION + 1)

    def bomb(path):
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.npy", bytes(40 << 20))

    refused(tmp_path, pickle, "pickle is never opened")
    refused(tmp_path, plain, "wrong kind of file")
    refused(tmp_path, other, "wrong kind of file.*minigan-classifier")
    refused(tmp_path, newer, "newer minigan")
    refused(tmp_path, bomb, "unpacks to")


def test_a_state_with_nan_is_not_saved_and_the_old_file_stays(tmp_path):
    trainer = toy()
    checkpoint.save(tmp_path / "a.npz", trainer)
    before = (tmp_path / "a.npz").read_bytes()
    trainer.generator[0].weight.array[0, 0] = np.inf
    with pytest.raises(FileError, match="generator.0.weight holds NaN or infinity"):
        checkpoint.save(tmp_path / "a.npz", trainer)
    assert (tmp_path / "a.npz").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def campaign(kills, sizes):
    """Run the campaign of benchmarks/kills.py in a process of its own; return what it printed."""
    root = Path(__file__).resolve().parents[2]
    script = [sys.executable, "-W", "error", str(root / "benchmarks" / "kills.py")]
    words = [*script, "--kills", str(kills), "--sizes", str(sizes)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    run = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_killed_at_any_instant_or_out_of_room_a_checkpoint_remains():
    said = campaign(kills=6, sizes=4)
    assert "kill -9: 6 of 6" in said and "full disk: 4 of 4" in said


@pytest.mark.nightly
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_two_hundred_kills():
    said = campaign(kills=200, sizes=50)
    assert "kill -9: 200 of 200" in said and int(re.search(r"\((\d+) fell into", said)[1]) > 20
