"""Adversarial losses: pure functions of the discriminator's logits.

A logit is any real number; sigmoid(logit) is D's belief that a picture is real.  Every loss is a pair:
``d_loss(real, fake)`` is what the discriminator lowers, ``g_loss(fake, real)`` what the generator lowers,
where ``real`` and ``fake`` are D's logits (N,) for N real and N generated pictures.  Each returns one
number (a Tensor of shape ()).  Beware the order: G's function has its own logits first, because most
generators never look at the real ones.

All sigmoids are hidden in softplus(x) = log(1 + exp(x)), which neither overflows nor loses digits:
    -log sigmoid(x) = softplus(-x),    -log(1 - sigmoid(x)) = softplus(x).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from minigan import ops
from minigan.errors import ArgumentError
from minigan.ops.half import in_single
from minigan.tensor import Tensor


@dataclass(frozen=True)
class Loss:
    """A pair of losses; ``pairs`` says that both compare real pictures with generated ones.

    Then G's also reads D's logits of real pictures.  ``middle`` is the logit at which D is undecided, None
    where only the difference of two logits means anything.
    """

    name: str
    d_loss: Callable[[Tensor, Tensor], Tensor]
    g_loss: Callable[[Tensor, Tensor | None], Tensor]
    pairs: bool = False
    middle: float | None = 0.0

    def accuracy(self, real: Tensor, fake: Tensor) -> float:
        """Return the share of pictures (or, without a middle, of pairs) that D sorts rightly, 0 to 1."""
        return self.sorted_rightly(real, fake).item()

    def sorted_rightly(self, real: Tensor, fake: Tensor) -> Any:
        """Return the same as an array of shape (), where the logits are."""
        if self.middle is None:
            return (real.array > fake.array).mean()
        return ((real.array > self.middle).mean() + (fake.array < self.middle).mean()) / 2


def bce_d(real: Tensor, fake: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Binary cross-entropy, real labelled 1 and fake 0: mean -log D(x) - log(1 - D(G(z))).

    With ``smoothing`` s the label of real is 1 - s, which adds s * logit (one-sided label smoothing,
    Salimans et al., arXiv 1606.03498).  Goodfellow et al., arXiv 1406.2661, eq. 1.
    """
    loss = ops.softplus(-real).mean() + ops.softplus(fake).mean()
    return loss + real.mean() * smoothing if smoothing else loss


def non_saturating_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """Return mean -log D(G(z)): binary cross-entropy with the wanted label 1.  arXiv 1406.2661, section 3."""
    return ops.softplus(-fake).mean()


def saturating_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """Return mean log(1 - D(G(z))): the minimax game itself; its gradient dies where D is sure."""
    return -ops.softplus(fake).mean()


@in_single
def least_squares_d(real: Tensor, fake: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Half the mean squared distance to the labels 1 and 0.  Mao et al., arXiv 1611.04076, eq. 9."""
    return ((real - (1.0 - smoothing)) ** 2).mean() * 0.5 + (fake**2).mean() * 0.5


@in_single
def least_squares_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """Half the mean squared distance to the label 1.  arXiv 1611.04076, eq. 9."""
    return ((fake - 1.0) ** 2).mean() * 0.5


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """Push real above 1 and fake below -1, and no further.  Lim and Ye, arXiv 1705.02894, eq. 5."""
    return ops.relu(1.0 - real).mean() + ops.relu(fake + 1.0).mean()


def critic_d(real: Tensor, fake: Tensor) -> Tensor:
    """Return mean fake - mean real, an estimate of minus the Wasserstein distance.  arXiv 1701.07875, eq. 2.

    Means nothing unless the critic's slope is bounded, by ``clip`` or a gradient penalty.
    """
    return fake.mean() - real.mean()


def critic_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """Return -mean fake, the generator's side of the Wasserstein and the hinge loss."""
    return -fake.mean()


def relativistic_d(real: Tensor, fake: Tensor) -> Tensor:
    """Each real picture against one fake: mean -log sigmoid(real - fake).

    Relativistic pairing: D only has to say which of two is real, so no single mode can be given up
    for free.  Jolicoeur-Martineau, arXiv 1807.00734; Huang et al. (R3GAN), arXiv 2501.05441, eq. 2.
    """
    return ops.softplus(fake - real).mean()


def relativistic_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """Each fake against one real picture: mean -log sigmoid(fake - real)."""
    if real is None:
        raise ArgumentError("relativistic loss: the generator's side also needs the logits of real pictures")
    return ops.softplus(real - fake).mean()


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("non-saturating", bce_d, non_saturating_g),
        Loss("saturating", bce_d, saturating_g),
        Loss("least-squares", least_squares_d, least_squares_g, middle=0.5),
        Loss("hinge", hinge_d, critic_g),
        Loss("wgan", critic_d, critic_g, middle=None),
        Loss("relativistic", relativistic_d, relativistic_g, pairs=True, middle=None),
    )
}
_WITH_LABELS = ("non-saturating", "saturating", "least-squares")


def get(name: str, *, label_smoothing: float = 0.0) -> Loss:
    """Return the loss of that name; ``label_smoothing`` in [0, 0.5) lowers the label of real pictures.

    Raises ArgumentError for an unknown name, and for smoothing where there are no labels.
    """
    if name not in LOSSES:
        raise ArgumentError(f"loss: expected one of {', '.join(LOSSES)}, got {name!r}")
    if not 0 <= label_smoothing < 0.5:
        raise ArgumentError(f"label_smoothing: expected a number in [0, 0.5), got {label_smoothing!r}")
    loss = LOSSES[name]
    if not label_smoothing:
        return loss
    if name not in _WITH_LABELS:
        raise ArgumentError(
            f"label_smoothing: the {name} loss has no labels; use it with {', '.join(_WITH_LABELS)}"
        )
    return replace(loss, d_loss=partial(loss.d_loss, smoothing=label_smoothing))  # type: ignore[call-arg]
