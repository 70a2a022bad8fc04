"""`minigan sample --psi` and `--mix`: tables of the right make, of style-based runs only."""

import numpy as np
import pytest
from PIL import Image

from minigan import cli
from minigan.cli import styles
from minigan.cli.run_folder import RunFolder
from minigan.cli.sample import open_sampler

STYLE = ["style", "--data", "glyphs", "--size", "16", "--set", "latent=4", "--set", "base=2", "--batch", "4",
         "--limit", "20", "--steps", "1"]  # fmt: skip


@pytest.fixture(scope="module", params=[(), ("--conditional",)], ids=["plain", "conditional"])
def run(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("style") / "run"
    assert cli.main(["train", *STYLE, *request.param, "--out", str(out)]) == 0
    return out


def test_psi_0_leaves_one_picture_and_1_leaves_all_as_they_are(run, tmp_path):
    sampler = open_sampler(RunFolder(str(run)))
    z = sampler.latents(5)
    np.testing.assert_allclose(styles.styled(sampler, z, None, psi=1.0), sampler(z), atol=1e-6)
    one = styles.styled(sampler, z, None, psi=0.0)
    assert abs(one - one[:1]).max() < 1e-6
    half, whole = (styles.styled(sampler, z, None, psi=p).std(axis=0).mean() for p in (0.5, 1.0))
    assert 0 < half < whole
    assert cli.main(["sample", str(run), "--psi", "0.5", "-n", "3", "--out", str(tmp_path / "a.npz")]) == 0


def test_the_table_of_mixes(run, tmp_path, capsys):
    sampler = open_sampler(RunFolder(str(run)))
    z, chosen = sampler.latents(9), np.arange(9) % 3
    labels = chosen if sampler.config.classes else None
    pictures, columns = styles.mixed(sampler, z, labels, level=1)
    table = pictures.reshape(columns, columns, *pictures.shape[1:])
    assert columns == 4 and (table[0, 0] == -1).all()
    own = sampler(z[:6], None if labels is None else chosen[:6])
    np.testing.assert_allclose(np.concatenate([table[1:, 0], table[0, 1:]]), own, atol=1e-6)
    # A picture mixed with itself is itself.
    twice = [0, 1, 0, 1]
    again, _ = styles.mixed(sampler, z[twice], None if labels is None else chosen[twice], level=1)
    again = again.reshape(3, 3, *pictures.shape[1:])
    np.testing.assert_allclose(again[1, 1], again[1, 0], atol=1e-6)
    np.testing.assert_allclose(again[2, 2], again[0, 2], atol=1e-6)
    out = tmp_path / "mix.png"
    assert cli.main(["sample", str(run), "--mix", "1", "-n", "9", "--out", str(out)]) == 0
    assert "16 pictures" in capsys.readouterr().out
    with Image.open(out) as picture:
        assert picture.width == picture.height


def test_refusals(run, trained, tmp_path, capsys):
    out = str(tmp_path / "a.png")
    for words, message in (
        ([str(trained), "--psi", "0.5"], "expected a style-based run"),
        ([str(trained), "--mix", "1"], "expected a style-based run"),
        ([str(run), "--mix", "9"], "expected a level from 1 to"),
        ([str(run), "--mix", "1", "-n", "3"], "at least 4 pictures"),
        ([str(run), "--mix", "1", "--columns", "3"], "leave out --columns"),
    ):
        assert cli.main(["sample", *words, "--out", out]) == 2
        assert message in capsys.readouterr().err
