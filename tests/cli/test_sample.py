"""`minigan sample`: the same pictures for the same seed, and no file lost."""

import shutil

import numpy as np
import pytest
from PIL import Image

from minigan import cli


def draw(run, *words):
    return cli.main(["sample", str(run), *map(str, words)])


def test_a_grid(trained, tmp_path):
    assert draw(trained, "-n", 12, "--columns", 4, "--out", tmp_path / "grid.png") == 0
    with Image.open(tmp_path / "grid.png") as picture:
        width, height = picture.size
    assert width > height


def test_arrays_and_the_latents_they_came_from(trained, tmp_path):
    assert draw(trained, "-n", 5, "--seed", 2, "--out", tmp_path / "a.npz") == 0
    assert draw(trained, "-n", 9, "--seed", 2, "--out", tmp_path / "b.npz") == 0
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        assert a["images"].shape == (5, 1, 6, 6) and a["images"].dtype == np.uint8
        np.testing.assert_array_equal(
            a["latents"], np.random.default_rng(2).standard_normal((5, 4), np.float32)
        )
        np.testing.assert_array_equal(a["images"], b["images"][:5])


def test_samples_are_a_data_set_again(trained, tmp_path):
    from minigan.data import open_dataset

    assert draw(trained, "-n", 5, "--out", tmp_path / "a.npz") == 0
    assert open_dataset(tmp_path / "a.npz").images.shape == (5, 1, 6, 6)


def test_seeds_differ(trained, tmp_path):
    for seed in (0, 1):
        assert draw(trained, "--seed", seed, "--out", tmp_path / f"{seed}.npz") == 0
    with np.load(tmp_path / "0.npz") as a, np.load(tmp_path / "1.npz") as b:
        assert (a["images"] != b["images"]).any()


def test_truncation_keeps_to_the_middle(trained, tmp_path):
    assert draw(trained, "--truncation", 0.5, "--out", tmp_path / "a.npz") == 0
    with np.load(tmp_path / "a.npz") as a:
        assert np.abs(a["latents"]).max() <= 0.5


def test_the_default_place_is_the_run(trained, tmp_path, capsys):
    run = shutil.copytree(trained, tmp_path / "run")
    assert draw(run, "--seed", 7) == 0
    assert (run / "sample-7.png").is_file() and "sample-7.png" in capsys.readouterr().out


def test_an_existing_file_is_kept_unless_told(trained, tmp_path, capsys):
    (tmp_path / "mine.png").write_text("mine")
    assert draw(trained, "--out", tmp_path / "mine.png") == 2
    assert "--overwrite" in capsys.readouterr().err and (tmp_path / "mine.png").read_text() == "mine"
    assert draw(trained, "--out", tmp_path / "mine.png", "--overwrite") == 0
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "words, said",
    [
        (["--out", "a.jpg"], ".png or .npz"),
        (["--out", "no/such/folder/a.png"], "no folder"),
        (["-n", "0"], "at least 1"),
        (["-n", "1000000"], "at most"),
        (["--truncation", "0"], "at least 0.1"),
        (["--truncation", "nan"], "finite"),
        (["--seed", "-1"], "at least 0"),
    ],
)
def test_bad_arguments_get_one_line(words, said, trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert draw(trained, *words) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_no_run_there(tmp_path, capsys):
    assert draw(tmp_path / "nothing") == 2
    assert "no folder" in capsys.readouterr().err
    assert draw(tmp_path) == 2
    assert "no run in" in capsys.readouterr().err
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 not really")
    assert draw(tmp_path) == 2
    assert "checkpoint.npz" in capsys.readouterr().err
