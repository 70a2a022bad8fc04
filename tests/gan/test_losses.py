"""Every loss against the formula of its paper, written out with probabilities; gradients to second order."""

import numpy as np
import pytest
from scipy.special import expit

from minigan import Tensor
from minigan.errors import ArgumentError
from minigan.gan import losses
from minigan.testing import gradcheck

REAL = np.array([0.3, -1.2, 2.0, 0.7, -0.4])
FAKE = np.array([-0.6, 0.9, -2.2, 0.1, 1.7])

LOG_REAL, LOG_FAKE = -np.log(expit(REAL)).mean(), -np.log(1 - expit(FAKE)).mean()
EXPECTED = {
    "non-saturating": (LOG_REAL + LOG_FAKE, -np.log(expit(FAKE)).mean()),
    "saturating": (LOG_REAL + LOG_FAKE, np.log(1 - expit(FAKE)).mean()),
    "least-squares": (((REAL - 1) ** 2).mean() / 2 + (FAKE**2).mean() / 2, ((FAKE - 1) ** 2).mean() / 2),
    "hinge": (np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + FAKE).mean(), -FAKE.mean()),
    "wgan": (FAKE.mean() - REAL.mean(), -FAKE.mean()),
    "relativistic": (-np.log(expit(REAL - FAKE)).mean(), -np.log(expit(FAKE - REAL)).mean()),
}


@pytest.mark.parametrize("name", losses.LOSSES)
def test_values(name):
    loss = losses.get(name)
    real, fake = Tensor(REAL), Tensor(FAKE)
    d_loss, g_loss = EXPECTED[name]
    assert loss.d_loss(real, fake).item() == pytest.approx(d_loss)
    assert loss.g_loss(fake, real).item() == pytest.approx(g_loss)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_gradients_to_second_order(name):
    loss = losses.get(name)
    assert gradcheck(loss.d_loss, (REAL, FAKE))
    assert gradcheck(lambda fake: loss.g_loss(fake, Tensor(REAL)), (FAKE,))


@pytest.mark.parametrize("name", losses.LOSSES)
def test_both_players_pull_a_fake_logit_in_opposite_directions(name):
    loss = losses.get(name)
    slopes = []
    for value in (lambda f: loss.d_loss(Tensor(REAL), f), lambda f: loss.g_loss(f, Tensor(REAL))):
        fake = Tensor(FAKE * 0.2 + 0.5, requires_grad=True)  # in (0, 1), between the labels of least squares
        value(fake).backward()
        slopes.append(fake.grad.numpy())
    assert (slopes[0] * slopes[1] < 0).all()


@pytest.mark.parametrize("name", losses.LOSSES)
def test_logits_of_a_thousand_stay_finite(name):
    loss = losses.get(name)
    for sign in (1, -1):
        big = Tensor(np.float32([sign * 1000, sign * 999]), requires_grad=True)
        other = Tensor(np.float32([-sign * 1000, -sign * 999]))
        for value in (loss.d_loss(big, other), loss.d_loss(other, big), loss.g_loss(big, other)):
            value.backward()
            assert np.isfinite(value.item()) and np.isfinite(big.grad.numpy()).all()


def test_accuracy_is_the_share_on_the_right_side():
    real, fake = Tensor(REAL), Tensor(FAKE)
    assert losses.get("hinge").accuracy(real, fake) == pytest.approx((3 / 5 + 2 / 5) / 2)
    # The labels are 1 and 0, so the middle is 0.5.
    assert losses.get("least-squares").accuracy(real, fake) == pytest.approx((2 / 5 + 3 / 5) / 2)
    # No middle: pairs.
    for name in ("relativistic", "wgan"):
        assert losses.get(name).accuracy(real, fake) == pytest.approx(3 / 5)
        assert losses.get(name).accuracy(real + 100.0, fake + 100.0) == pytest.approx(3 / 5)


def test_who_compares_real_pictures_with_generated_ones():
    assert [name for name, loss in losses.LOSSES.items() if loss.pairs] == ["relativistic"]


def test_label_smoothing_is_cross_entropy_with_a_smaller_label():
    s = 0.1
    smooth = losses.get("non-saturating", label_smoothing=s).d_loss(Tensor(REAL), Tensor(FAKE)).item()
    p = expit(REAL)
    assert smooth == pytest.approx(-((1 - s) * np.log(p) + s * np.log(1 - p)).mean() + LOG_FAKE)
    squares = losses.get("least-squares", label_smoothing=s).d_loss(Tensor(REAL), Tensor(FAKE)).item()
    assert squares == pytest.approx(((REAL - 0.9) ** 2).mean() / 2 + (FAKE**2).mean() / 2)


def test_wrong_options_are_named():
    with pytest.raises(ArgumentError, match="expected one of non-saturating.*'bce'"):
        losses.get("bce")
    with pytest.raises(ArgumentError, match="hinge loss has no labels"):
        losses.get("hinge", label_smoothing=0.1)
    with pytest.raises(ArgumentError, match=r"\[0, 0.5\)"):
        losses.get("non-saturating", label_smoothing=0.5)
    with pytest.raises(ArgumentError, match="needs the logits of real"):
        losses.get("relativistic").g_loss(Tensor(FAKE))
