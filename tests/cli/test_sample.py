"""`minigan sample`: the same pictures for the same seed, and no file lost."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from minigan import cli
from minigan.gan import checkpoint
from minigan.viz.grid import to_pixels


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
        (["--label", "0"], "without --conditional"),
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
    assert "no run in" in capsys.readouterr().err
    assert draw(tmp_path) == 2
    assert "no run in" in capsys.readouterr().err
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 not really")
    assert draw(tmp_path) == 2
    assert "checkpoint.npz" in capsys.readouterr().err


@pytest.fixture(scope="module")
def conditional(tmp_path_factory, pictures):
    """A run that knows two classes, trained for long enough to tell them apart."""
    run = tmp_path_factory.mktemp("runs") / "conditional"
    words = [
        "dense",
        "--conditional",
        "--set",
        "latent=4",
        "--batch",
        "20",
        "--steps",
        "60",
        "--lr-g",
        "2e-3",
    ]
    words += ["--lr-d", "2e-3", "--ema", "0.5"]
    assert cli.main(["train", *words, "--data", str(pictures), "--out", str(run)]) == 0
    return run


class TestConditional:
    def test_the_label_decides_the_picture(self, conditional, tmp_path):
        """Class 0 is bright on the left, class 1 on the right."""
        for label in (0, 1):
            assert draw(conditional, "-n", 50, "--label", label, "--out", tmp_path / f"{label}.npz") == 0
            with np.load(tmp_path / f"{label}.npz") as file:
                left, right = (file["images"][..., part].mean() for part in (slice(3), slice(3, None)))
            assert (left > right + 20) == (label == 0) and (right > left + 20) == (label == 1)

    def test_without_a_label_the_classes_take_turns(self, conditional, tmp_path):
        assert draw(conditional, "-n", 6, "--out", tmp_path / "all.npz") == 0
        assert draw(conditional, "-n", 6, "--label", 1, "--out", tmp_path / "one.npz") == 0
        with np.load(tmp_path / "all.npz") as mixed, np.load(tmp_path / "one.npz") as one:
            np.testing.assert_allclose(mixed["images"][1::2].astype(int), one["images"][1::2], atol=1)
            assert np.abs(mixed["images"][::2].astype(int) - one["images"][::2]).max() > 1

    def test_a_class_it_does_not_know(self, conditional, capsys):
        assert draw(conditional, "--label", 2) == 2
        assert "classes 0 to 1" in capsys.readouterr().err


def test_conditional_needs_labels(tmp_path, capsys):
    from minigan.data.arrays import write_npz

    write_npz(tmp_path / "plain.npz", {"images": np.zeros((9, 6, 6), np.uint8)})
    words = [
        "train",
        "dense",
        "--conditional",
        "--batch",
        "4",
        "--steps",
        "1",
        "--data",
        str(tmp_path / "plain.npz"),
    ]
    assert cli.main([*words, "--out", str(tmp_path / "run")]) == 2
    assert "needs labels" in capsys.readouterr().err


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Twelve numbered class folders, each of one shade, and a run of two steps on them."""
    root = tmp_path_factory.mktemp("numbered")
    for number in range(3, 15):
        (root / "data" / str(number)).mkdir(parents=True)
        Image.new("L", (6, 6), 15 * number).save(root / "data" / str(number) / "a.png")
    words = ["--set", "latent=4", "--batch", "4", "--steps", "2", "--size", "6", "--channels", "1"]
    words += ["--conditional", "--data", str(root / "data"), "--out", str(root / "run")]
    assert cli.main(["train", "dense", *words]) == 0
    return root


def test_classes_keep_their_names(folders, tmp_path, capsys):
    names = [str(number) for number in range(3, 15)]
    assert json.loads((folders / "run" / "config.json").read_text())["data"]["classes"] == names
    report = (folders / "run" / "report.html").read_text()
    assert all(name in report.split("data: classes")[1] for name in names)
    for label in ("10", "14", "0"):
        assert draw(folders / "run", "-n", 3, "--label", label, "--out", tmp_path / f"{label}.npz") == 0
    with np.load(tmp_path / "10.npz") as named:
        sampler = checkpoint.load_sampler(folders / "run" / "checkpoint.npz")
        seventh = to_pixels(sampler(named["latents"], np.full(3, 7))).transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(named["images"], seventh)
    capsys.readouterr()
    for label in ("15", "-1", "cat", "1e1", ""):
        assert draw(folders / "run", f"--label={label}", "--out", tmp_path / "no.npz") == 2
        (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
        assert "knows the classes 3, 4, 5" in line


def test_a_run_does_not_go_on_with_classes_of_other_names(folders, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(folders / "run", run)
    config = json.loads((run / "config.json").read_text())
    for names in (sorted(config["data"]["classes"]), None, ["a", *config["data"]["classes"][1:]]):
        changed = {name: value for name, value in config["data"].items() if name != "classes"}
        changed |= {"classes": names} if names else {}
        (run / "config.json").write_text(json.dumps(config | {"data": changed}))
        assert cli.main(["train", "--resume", "--steps", "3", "--out", str(run)]) == 2
        assert "the run learnt the classes as" in capsys.readouterr().err
    (run / "config.json").write_text(json.dumps(config))
    assert cli.main(["train", "--resume", "--steps", "3", "--out", str(run)]) == 0
