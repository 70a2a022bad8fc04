"""What a moment of the live laboratory shows, against values worked out another way."""

import numpy as np
import pytest

from minigan.data import toy
from minigan.gan import live, live_view
from minigan.gan.diagnosis import Finding
from minigan.gan.live import CURES, LiveLaboratory
from minigan.gan.live_view import leaning, look, pushes, reached, verdict
from minigan.modes import no_grad
from minigan.tensor import Tensor

RASTER = np.stack(np.meshgrid([-0.5, 0.5], [-0.5, 0.5]), -1).reshape(-1, 2)


@pytest.fixture(autouse=True)
def few_points(monkeypatch):
    monkeypatch.setattr(live, "POINTS", 500)
    monkeypatch.setattr(live_view, "COUNTED", 64)
    monkeypatch.setattr(live_view, "PUSHED", 16)


def small(experiment="ring", **options):
    return LiveLaboratory(experiment, base=8, batch=16, **options)


@pytest.mark.parametrize("cure", CURES)
@pytest.mark.parametrize("averaged", [False, True])
def test_a_look_changes_nothing(cure, averaged):
    lab, other = small(cure=cure), small(cure=cure)
    for _ in range(2):
        lab.step(), other.step()
        view = look(lab, RASTER, averaged=averaged)
    assert view.points.shape == (64, 2) and view.pushes.shape == (16, 2) and view.modes.shape == (8,)
    assert ((view.belief >= 0) & (view.belief <= 1)).all() and np.isfinite(view.pushes).all()
    assert lab.step().d_loss == other.step().d_loss


def test_pushes_are_minus_the_slope_of_gs_loss_at_each_point():
    lab = small()
    made = np.array([[0.3, -0.2], [1.0, 2.0]], np.float32).reshape(2, 2, 1, 1)

    def loss(point):  # mean -log sigmoid(logit) of one point, by hand
        with no_grad():
            logit = lab.trainer.discriminator(Tensor(point.reshape(1, 2, 1, 1))).numpy()[0].astype(np.float64)
        return np.logaddexp(0, -logit)

    found = pushes(lab.trainer, made)
    for point, push in zip(made.reshape(-1, 2), found, strict=True):
        for axis in (0, 1):
            step = np.zeros(2, np.float32)
            step[axis] = 1e-2
            slope = (loss(point + step) - loss(point - step)) / 2e-2
            assert push[axis] == pytest.approx(-slope, abs=1e-3)


def test_leaning_is_the_sigmoid_of_the_logit_for_losses_with_labels():
    lab = small()
    with no_grad():
        logits = lab.trainer.discriminator(
            Tensor((RASTER / lab.scale).astype(np.float32).reshape(-1, 2, 1, 1))
        )
    belief = leaning(lab.trainer, RASTER / lab.scale, np.zeros((4, 2, 1, 1), np.float32))
    assert belief == pytest.approx(1 / (1 + np.exp(-logits.numpy())), abs=1e-6)


@pytest.mark.parametrize("loss", ["wgan", "relativistic"])
def test_where_only_differences_count_the_middle_is_between_real_and_generated(loss):
    lab = small()
    lab.change(loss=loss)
    real = lab.trainer.loader.images[:256]
    made = np.zeros((256, 2, 1, 1), np.float32)
    before = leaning(lab.trainer, real.reshape(-1, 2), made)
    for tensor in list(lab.trainer.discriminator.parameters())[-1:]:
        tensor.array[...] += 7.0  # the last bias, which no such loss can see
    assert leaning(lab.trainer, real.reshape(-1, 2), made) == pytest.approx(before, abs=1e-4)


def test_a_mode_is_reached_with_a_quarter_of_its_share_near_it():
    mixture = toy.grid(2, step=1.0, sigma=0.01)
    near = mixture.centres[:1] + [0.2, 0]  # within a quarter of the way
    far = mixture.centres[1:2] + [0, 0.3]
    points = np.concatenate(
        [np.repeat(near, 10, 0), np.repeat(far, 10, 0), np.repeat(mixture.centres[2:3], 1, 0)]
    )
    modes, near = reached(mixture, points)
    assert modes.tolist() == [True, False, False, False] and near == pytest.approx(11 / 21)  # 1 < 21 / 16
    assert reached(mixture, np.concatenate([points, points[-1:]]))[0].tolist() == [True, False, True, False]
    assert reached(toy.Mixture(np.zeros((1, 2)), 0.1), np.zeros((5, 2)))[0].tolist() == [True]


def test_the_words_for_every_way_it_can_stand(monkeypatch):
    lab = small()
    view = look(lab, RASTER)
    assert verdict(lab, view) == ("", "Too early to say: watch where the generated points go.")
    assert "Nothing is painted" in verdict(lab, None)[1]
    lab.records.extend([lab.step()] * 200)
    for kind in live_view._WORDS:
        monkeypatch.setattr(live_view.diagnosis, "judge", lambda records, kind=kind: Finding(kind, ""))
        assert verdict(lab, view) == ("bad", live_view._WORDS[kind])
    monkeypatch.setattr(live_view.diagnosis, "judge", lambda records: Finding("healthy", ""))

    def words(modes, quality, near=0.9):
        seen = live_view.View(view.points, view.pushes, view.belief, np.arange(8) < modes, near, 0, quality)
        return verdict(lab, seen)

    kind, text = words(6, 0.9)
    assert kind == "bad" and "Mode collapse: G serves 6 of 8 modes" in text and "pairs + R1 + R2" in text
    assert words(6, 0.9, near=0.3)[0] == "" and "about 70 % of G's points" in words(6, 0.9, near=0.3)[1]
    lab.settings.update(CURES["paired"])
    assert "give it time" in words(6, 0.9)[1]
    assert words(8, 0.9)[0] == "good" and "about 90 % of the points" in words(8, 0.9)[1]
    assert words(8, 0.2)[0] == "good" and "Lower both rates" in words(8, 0.2)[1]
    lab.trainer.step = 300
    lab.records.clear()
    assert verdict(lab, view) == (
        "", "The rules have just changed: give the game a moment before you judge it."
    )  # fmt: skip
    lab.failure = "step 3: NaN"
    assert verdict(lab, view)[0] == "bad" and "blew up (step 3: NaN)" in verdict(lab, view)[1]


def test_there_is_nothing_to_see_of_an_empty_plane():
    lab = small("paint")
    lab.clear()
    assert look(lab, RASTER) is None
