"""`minigan inspect`: one page of every kind of run, and what is left out is said."""

import json
import re
import shutil

import numpy as np
import pytest

from minigan import cli
from minigan.cli import inspect_parts
from minigan.cli.inspected import encoded, signed
from minigan.data.arrays import write_npz

PARTS = ("directions", "layers", "filters", "looks", "gradients", "neighbours", "step")


def found(path):
    html = path.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    return json.loads(data)


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    """40 pictures of 16 x 16 in two classes."""
    path = tmp_path_factory.mktemp("larger") / "stripes.npz"
    images = np.random.default_rng(0).integers(0, 255, (40, 1, 16, 16)).astype(np.uint8)
    write_npz(path, {"images": images, "labels": np.arange(40) % 2})
    return path


KINDS = {"dcgan": ["--set", "pack=2", "--loss", "relativistic"], "vae": []}
OTHERS = {
    "style": ["--conditional"],
    "pooled": [], "progressive": [], "msg": [], "dense": ["--conditional"], "lesson-upscale": [],
    "lesson-dense": [],
}  # fmt: skip


OTHERS_LATER = [pytest.param(*item, marks=pytest.mark.nightly) for item in OTHERS.items()]


@pytest.mark.parametrize("recipe, options", [*KINDS.items(), *OTHERS_LATER])
def test_every_kind_of_run_has_a_page(recipe, options, larger, tmp_path, capsys):
    run = tmp_path / "run"
    base = [] if recipe.startswith("lesson") else ["--set", "base=2"]
    words = f"train {recipe} --steps 1 --batch 4 --set latent=4".split()
    assert cli.main([*words, *base, *options, "--data", str(larger), "--out", str(run)]) == 0
    capsys.readouterr()
    assert cli.main(["inspect", str(run)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1].endswith(f"MB: {run / 'inside.html'}")
    page = found(run / "inside.html")
    assert set(page["missing"]) == ({"looks"} if recipe == "vae" else set())
    assert len(out) == 1 + len(page["missing"]) and set(PARTS) == {*page} - {"facts", "missing"} | {
        *page["missing"]
    }
    frames = page["directions"]["frames"]
    assert len(frames) == 3 and len(frames[0][0]) == 9 == len(page["directions"]["positions"])
    nets = {layer["net"] for layer in page["layers"]}
    assert nets == ({"decoder", "encoder"} if recipe == "vae" else {"G", "D"})
    assert all(len(layer["maps"]) == 3 for layer in page["layers"])
    history = page["gradients"]["history"]
    assert history["steps"] == [1] and {one["net"] for one in history["nets"]} == nets
    assert all(layer["kind"] != "parameter" for one in history["nets"] for layer in one["layers"][:2])
    assert {row["net"] for row in page["gradients"]["layers"]} == nets and "curves" in page["gradients"]
    assert page["step"]["graph"].startswith("data:image/svg+xml") and page["step"]["ops"][0][1] > 0
    assert len(page["neighbours"]["near"]) == 8 and (run / "inside.html").stat().st_size < 3_000_000


def test_the_table_of_a_step_counts_no_time_twice(trained, few_parts, tmp_path):
    out = tmp_path / "page.html"
    assert cli.main(["inspect", str(trained), "--out", str(out)]) == 0
    step = found(out)["step"]
    assert 0 < sum(forward + backward for _, _, forward, backward in step["ops"]) <= step["whole"] * 1.01


@pytest.fixture
def few_parts(monkeypatch):
    """A page of the parts that want training pictures only."""
    wanting = {name: inspect_parts.PARTS[name] for name in ("looks", "gradients", "neighbours", "step")}
    monkeypatch.setattr(inspect_parts, "PARTS", wanting)


def test_without_its_pictures_the_page_says_what_is_left_out_and_why(trained, few_parts, tmp_path, capsys):
    run = shutil.copytree(trained, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    config["data"]["data"] = str(tmp_path / "gone.npz")
    (run / "config.json").write_text(json.dumps(config))
    assert cli.main(["inspect", str(run)]) == 0
    out = capsys.readouterr().out
    page = found(run / "inside.html")
    assert (
        set(page["missing"]) == {"neighbours", "step"}
        and "neighbours: left out: the training pictures" in out
    )
    assert all("gone.npz" in why for why in page["missing"].values())
    assert {look["what"] for look in page["looks"]} == {"generated"}
    assert "layers" not in page["gradients"] and "gone.npz" in page["gradients"]["why"]


@pytest.mark.parametrize("config, why", [(None, "cannot read"), ("other", "not those the run learnt from")])
def test_pictures_that_are_not_those_are_not_used(config, why, trained, few_parts, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    told = (run / "config.json").read_text()
    (run / "config.json").unlink()
    (run / "metrics.jsonl").unlink()
    (run / "gradients.jsonl").unlink()  # as in a run of before it was kept
    if config:
        (run / "config.json").write_text(told.replace('"sha256": "', '"sha256": "0'))
    assert cli.main(["inspect", str(run)]) == 0
    page = found(run / "inside.html")
    assert why in page["missing"]["step"] and "curves" not in page["gradients"]
    assert (
        "gradients.jsonl is missing" in page["gradients"]["nohistory"] and "history" not in page["gradients"]
    )


def test_what_is_no_run_is_one_line(trained, tmp_path, capsys):
    assert cli.main(["inspect", str(tmp_path)]) == 2
    assert "no run in" in capsys.readouterr().err
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "checkpoint.npz").write_bytes((run / "checkpoint.npz").read_bytes()[:-3000])
    assert cli.main(["inspect", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "damaged" in line and not (run / "inside.html").exists()


def test_a_file_of_the_users_is_kept(trained, tmp_path, capsys):
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    assert cli.main(["inspect", str(trained), "--out", str(mine)]) == 2
    assert "exists already" in capsys.readouterr().err and mine.read_text() == "mine"
    assert cli.main(["inspect", str(trained), "--out", str(tmp_path / "page.txt")]) == 2


def test_signs_are_colours():
    pixels = signed(np.array([[1.0, 0.0, -1.0]]))
    assert pixels[0, 0].argmax() == 0 and pixels[0, 2].argmax() == 2 and len(set(pixels[0, 1].tolist())) == 1
    assert encoded(pixels).startswith("data:image/png") and encoded(
        np.zeros((90, 90, 3), np.uint8)
    ).startswith("data:image/webp")
