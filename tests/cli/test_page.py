"""`report.html`: one page that needs no network, whatever state the run is in."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from minigan import cli
from minigan.cli import loop, page
from minigan.cli.page import FRAMES, write_page
from minigan.cli.run_folder import RunFolder
from minigan.errors import FileError


def words_of(html):
    body = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_a_finished_run(trained):
    html = (trained / "report.html").read_text()
    words = words_of(html)
    assert "dense on halves.npz" in words and "40 pictures of 6 x 6" in words
    assert "6 steps (1 epochs)" in words
    assert "Too early for a verdict" in words and "Not measured yet" in words
    assert "penalty_every 2" in words and "made_with: numpy" in words
    assert f"minigan train --resume --out {trained}" in words
    assert html.count('src="data:image/png') == len(list((trained / "samples").iterdir()))
    assert 'src="data:image/svg+xml' in html and ">step 6</output>" in html
    assert not re.search(r'(src|href)="(?!data:)', html) and "://" not in html.replace("://www.w3.org", "")


def test_a_run_of_no_steps(train, tmp_path, monkeypatch):
    class Asked(loop.Interrupt):
        def __init__(self):
            self.asked = True

    monkeypatch.setattr(loop, "Interrupt", Asked)
    assert train(tmp_path / "run", "--steps", "5") == 130
    words = words_of((tmp_path / "run" / "report.html").read_text())
    assert "No step yet" in words and "Nothing is logged yet" in words


def test_a_run_that_failed_says_why(train, tmp_path):
    assert train(tmp_path / "run", "--steps", "400", "--lr-g", "9", "--lr-d", "9", "--r1", "1e6") == 1
    html = (tmp_path / "run" / "report.html").read_text()
    assert re.search(r"<p class=bad>The run failed: step \d+, \w+&#x27;s step", html)


@pytest.fixture
def long(trained, tmp_path):
    """A run with a log of 900 steps, of which D has won the last 500, and 40 grids."""
    run = shutil.copytree(trained, tmp_path / "long")
    rows = (run / "metrics.jsonl").read_text().splitlines()
    row = json.loads(rows[-1]) | {"diversity": 1.0}
    logged = []
    for step in range(10, 901, 10):
        won = {"accuracy": 1.0, "g_fake": 0.001} if step > 400 else {"accuracy": 0.7, "g_fake": 0.4}
        logged.append(row | won | {"step": step, "g_norm": 1.0})
    (run / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in logged))
    for n in range(40):
        shutil.copy(run / "samples" / "step-0000000.png", run / "samples" / f"step-{n * 20 + 100:07d}.png")
    return run


def test_verdicts_over_time_and_no_more_frames_than_can_be_mailed(long):
    write_page(RunFolder(long), seconds=75)
    html = (long / "report.html").read_text()
    words = words_of(html)
    assert "900 steps" in words and "in 1:15" in words
    assert "<p class=bad>D is winning: it has sorted 100% of the pictures rightly for 291 steps" in html
    assert re.search(r"from step verdict 300 healthy: .* 690 D is winning", words)
    assert html.count('src="data:image/png') == FRAMES and ">step 880</output>" in html


def test_large_grids_get_fewer_frames(long, monkeypatch):
    largest = (long / "samples" / "step-0000880.png").stat().st_size * 5
    monkeypatch.setattr(page, "LARGEST", largest)
    write_page(RunFolder(long))
    html = (long / "report.html").read_text()
    assert html.count('src="data:image/png') == 5 and ">step 880</output>" in html
    assert re.search(r"900 steps \(\d+ epochs\) in 0:0\d", words_of(html))  # the checkpoint knows


def test_evaluation_is_shown_with_its_step(long):
    found = {
        "step": 500, "figures": {"frechet_distance": 12.5}, "floor": {"frechet_distance": 2.5}, "samples": 40,
        "note": "not comparable", "classifier_accuracy": 0.97, "verdict": "all 2 classes come",
        "class_shares": [0.4, 0.6], "real_shares": [0.5, 0.5],
    }  # fmt: skip
    (long / "evaluation.json").write_text(json.dumps(found))
    write_page(RunFolder(long))
    words = words_of((long / "report.html").read_text())
    assert "frechet distance 12.5 2.5" in words and "Measured at step 500; the run has gone on" in words
    assert "All 2 classes come" in words and "class generated real 0 0.4 0.5 1 0.6 0.5" in words


def test_a_vae_has_no_discriminator_to_diagnose(train, tmp_path):
    words = "train vae --set latent=4 --set base=2 --batch 8 --size 8 --steps 2 --log-every 1".split()
    data = tmp_path / "data"
    data.mkdir()
    from PIL import Image

    for n in range(8):
        Image.new("L", (8, 8), 30 * n).save(data / f"{n}.png")
    assert cli.main([*words, "--data", str(data), "--out", str(tmp_path / "run")]) == 0
    shown = words_of((tmp_path / "run" / "report.html").read_text())
    assert "decoder has" in shown and "Diagnosis" not in shown and "The losses fall" in shown


@pytest.mark.parametrize("settings", [None, [], 5, {"batch": "8"}, {"warmth": 1}, {"betas": 0.5}])
def test_settings_that_were_edited_are_told_with_their_file(trained, tmp_path, settings):
    folder = RunFolder(shutil.copytree(trained, tmp_path / "run"))
    record = folder.read_config()
    folder.write_config({**record, "settings": settings})
    with pytest.raises(FileError, match="config.json is not of minigan's form"):
        write_page(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names of any bytes")
def test_a_folder_whose_name_is_not_utf8_is_trained_on_to_the_end_in_a_plain_locale(tmp_path):
    from PIL import Image

    data = os.fsencode(tmp_path) + b"/caf\xe9 \xff"
    os.mkdir(data)
    for n in range(17):
        with open(data + b"/%d\xff.png" % n, "wb") as file:
            Image.new("L", (8, 8), 15 * n).save(file, "PNG")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for words in (["train", "dense", "--data", data, "--size", "8", "--steps", "2", "--out"], ["sample"]):
        command = [sys.executable, "-m", "minigan", *words, data + b"-run"]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr
    with open(data + b"-run/report.html", encoding="utf-8") as file:
        assert "dense on caf\\udce9 \\udcff" in words_of(file.read())
