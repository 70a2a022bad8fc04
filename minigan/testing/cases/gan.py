"""Cases of `minigan.gan`: losses by their probabilities, penalties by the slopes of a net written out.

Everything here is worked out with Python's `math`, sample after sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import backend, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.gan import elbo, losses, penalties
from minigan.gan.models.style_based import modulated_conv2d
from minigan.tensor import Tensor
from minigan.testing import oracles
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.strategies import (
    array_samples,
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
    seeds,
    shapes,
    tied_arrays,
)


def mean(values: Any) -> np.ndarray:
    """Of Python numbers."""
    numbers = [float(value) for value in values]
    return np.asarray(math.fsum(numbers) / len(numbers))


# --- adversarial losses ------------------------------------------------------------------------------------


@composite
def logits(draw: Any, ties: bool = False, **settings: tuple[float, ...]) -> Sample:
    """Two lists of logits of one length; with `ties` also at the corners of the hinge, -1, 0 and 1."""
    shape = (draw(integers(1, 5)),)
    values = tied_arrays(shape) if ties and draw(booleans()) else distinct_arrays(shape)
    return Sample(
        (draw(values), draw(values)), {name: draw(sampled_from(some)) for name, some in settings.items()}
    )


def sure(logit: float) -> float:
    """-log sigmoid(logit): what it costs to call a thing real."""
    return -math.log(1 / (1 + math.exp(-logit)))


def paired(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    """The mean of a function of two logits."""
    return lambda a, b, **settings: mean(function(x, y, **settings) for x, y in zip(a, b, strict=True))


def alone(function: Callable[[float], float]) -> Callable[..., np.ndarray]:
    """The mean of a function of one logit."""
    return lambda fake: mean(function(x) for x in fake)


FAKE = array_samples(shapes(1, 1, 1, 5))

LOSSES = [
    OpCase("gan.bce_d", losses.bce_d, logits(smoothing=(0.0, 0.1, 0.3)),
           paired(lambda r, f, smoothing: (1 - smoothing) * sure(r) + smoothing * sure(-r) + sure(-f)),
           (losses.bce_d,)),
    OpCase("gan.non_saturating_g", losses.non_saturating_g, FAKE, alone(sure), (losses.non_saturating_g,)),
    OpCase("gan.saturating_g", losses.saturating_g, FAKE, alone(lambda f: -sure(-f)), (losses.saturating_g,)),
    OpCase("gan.least_squares_d", losses.least_squares_d, logits(smoothing=(0.0, 0.1)),
           paired(lambda r, f, smoothing: (r - 1 + smoothing) ** 2 / 2 + f * f / 2),
           (losses.least_squares_d,)),
    OpCase("gan.least_squares_g", losses.least_squares_g, FAKE, alone(lambda f: (f - 1) ** 2 / 2),
           (losses.least_squares_g,)),
    OpCase("gan.hinge_d", losses.hinge_d, logits(ties=True), kinks=True, covers=(losses.hinge_d,),
           oracle=paired(lambda r, f: max(0.0, 1 - r) + max(0.0, 1 + f))),
    OpCase("gan.critic_d", losses.critic_d, logits(), paired(lambda r, f: f - r), (losses.critic_d,),
           linear=True),
    OpCase("gan.critic_g", losses.critic_g, FAKE, alone(lambda f: -f), (losses.critic_g,), linear=True),
    OpCase("gan.relativistic_d", losses.relativistic_d, logits(), paired(lambda r, f: sure(r - f)),
           (losses.relativistic_d,)),
    OpCase("gan.relativistic_g", losses.relativistic_g, logits(), paired(lambda f, r: sure(f - r)),
           (losses.relativistic_g,),
           bad=(BadInput("no logits of real pictures", (np.ones(2),), {}, ArgumentError, "also needs"),)),
]  # fmt: skip


# --- gradient penalties ------------------------------------------------------------------------------------
#
# The critic is v tanh(W x); its weights W (K, P) and v (K,) are differentiated, the pictures are fixed.


@composite
def critics(draw: Any, *names: str, **settings: tuple[float, ...]) -> Sample:
    """W, v, and N pictures of P pixels under each name."""
    N, K, P = draw(integers(1, 3)), draw(integers(1, 3)), draw(integers(1, 4))
    drawn: dict[str, Any] = {name: draw(distinct_arrays((N, P))) for name in names}
    drawn |= {name: draw(sampled_from(some)) for name, some in settings.items()}
    return Sample((draw(arrays((K, P), 0.3)), draw(arrays((K,), 0.3))), drawn)


def critic(weight: Tensor, v: Tensor) -> penalties.Critic:
    """The net as a function of pictures (N, P) alone."""
    return lambda x: ops.matmul(ops.tanh(ops.linear(x, weight)), v)


def of_weights(penalty: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A penalty as a function of the critic's weights; pictures and seed come as settings."""

    def call(weight: Tensor, v: Tensor, **settings: Any) -> Tensor:
        for name, value in settings.items():
            if isinstance(value, np.ndarray):
                settings[name] = Tensor(backend.to_device(value.astype(v.dtype), v.device))
        if "seed" in settings:
            settings["generator"] = np.random.default_rng(settings.pop("seed"))
        return penalty(critic(weight, v), **settings)

    return call


def squares(weight: np.ndarray, v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """For each picture the squared length of d/dx_p = sum over k of v_k (1 - tanh(W_k x)^2) W_kp."""
    K, P = weight.shape
    found = []
    for picture in x.tolist():
        inner = [math.fsum(weight[k, p] * picture[p] for p in range(P)) for k in range(K)]
        slope = [
            math.fsum(v[k] * weight[k, p] / math.cosh(inner[k]) ** 2 for k in range(K)) for p in range(P)
        ]
        found.append(math.fsum(s * s for s in slope))
    return np.array(found)


def zero_centred(weight: np.ndarray, v: np.ndarray, **pictures: np.ndarray) -> np.ndarray:
    """Half the mean square."""
    return mean(squares(weight, v, *pictures.values()) / 2)


def from_one(weight: np.ndarray, v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The mean squared distance of the steepness to 1."""
    return mean((math.sqrt(s + 1e-12) - 1) ** 2 for s in squares(weight, v, x))


def wgan_gp(weight: np.ndarray, v: np.ndarray, real: np.ndarray, fake: np.ndarray, seed: int) -> np.ndarray:
    """At u real + (1 - u) fake with one uniform number u a picture."""
    generator = np.random.default_rng(seed)
    points = [u * r + (1 - u) * f for u, r, f in zip(generator.random(len(real)), real, fake, strict=True)]
    return from_one(weight, v, np.array(points))


def dragan(weight: np.ndarray, v: np.ndarray, real: np.ndarray, seed: int, spread: float) -> np.ndarray:
    """At real + spread deviation u with one uniform number u a pixel."""
    u = np.random.default_rng(seed).random(real.shape)
    centre = mean(real.ravel())
    deviation = math.sqrt(mean((real.ravel() - centre) ** 2))
    return from_one(weight, v, real + spread * deviation * u)


SEEDS = tuple(range(100))
ONES = np.ones((2, 3))

PENALTIES = [
    OpCase("gan.squared_steepness", of_weights(penalties.squared_steepness), critics("x"), squares,
           (penalties.squared_steepness,)),
    OpCase("gan.steepness", of_weights(penalties.steepness), critics("x"),
           lambda w, v, x: np.sqrt(squares(w, v, x) + 1e-12), (penalties.steepness,)),
    OpCase("gan.zero_centred", of_weights(penalties.zero_centred), critics("x"), zero_centred,
           (penalties.zero_centred,)),
    OpCase("gan.r1", of_weights(penalties.r1), critics("real"), zero_centred, (penalties.r1,)),
    OpCase("gan.r2", of_weights(penalties.r2), critics("fake"), zero_centred, (penalties.r2,)),
    OpCase("gan.wgan_gp", of_weights(penalties.wgan_gp), critics("real", "fake", seed=SEEDS), wgan_gp,
           (penalties.wgan_gp, penalties.between),
           bad=(BadInput("batches that differ", (ONES, np.ones(2)),
                         {"real": ONES, "fake": ONES[:1], "seed": 1}, ShapeError, "one shape"),)),
    OpCase("gan.dragan", of_weights(penalties.dragan), critics("real", seed=SEEDS, spread=(0.5, 1.0)), dragan,
           (penalties.dragan,)),
]  # fmt: skip


# --- variational autoencoder, modulation -------------------------------------------------------------------


@composite
def codes(draw: Any) -> Sample:
    """Means and log-variances (N, L)."""
    shape = draw(shapes(2, 2, 1, 4))
    return Sample((draw(arrays(shape)), draw(arrays(shape))))


@composite
def reconstructions(draw: Any, **settings: tuple[float, ...]) -> Sample:
    """Pictures and what came back of them, never the same."""
    shape = draw(shapes(2, 4, 1, 3))
    drawn = {name: draw(sampled_from(some)) for name, some in settings.items()}
    return Sample((draw(arrays(shape, -2.0, 0.0)), draw(arrays(shape, 0.2, 2.0))), drawn)


def divergence(m: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """From N(m, s^2) to N(0, 1), number by number: log(1 / s) + (s^2 + m^2 - 1) / 2."""
    one = oracles.one_by_one(lambda a, b: -math.log(math.sqrt(math.exp(b))) + (math.exp(b) + a * a - 1) / 2)
    return np.array([math.fsum(row) for row in one(m, log_variance)])


def gaussian_nll(x: np.ndarray, y: np.ndarray, sigma: float) -> np.ndarray:
    """Minus the log of the normal density, summed over each picture's numbers."""

    def density(a: float, b: float) -> float:
        return math.exp(-(((a - b) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))

    logs = oracles.one_by_one(lambda a, b: -math.log(density(a, b)))(x, y)
    return np.array([math.fsum(picture.ravel()) for picture in logs])


def optimal_gaussian_nll(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The same with the deviation of all differences, its mean over pictures."""
    sigma = math.sqrt(mean((a - b) ** 2 for a, b in zip(x.ravel(), y.ravel(), strict=True)))
    return mean(gaussian_nll(x, y, sigma))


def drawn_code(m: np.ndarray, log_variance: np.ndarray, seed: int) -> np.ndarray:
    """m + s e with the numbers e that the seed gives."""
    e = np.random.default_rng(seed).standard_normal(m.shape, np.float32)
    return oracles.one_by_one(lambda a, b, c: a + math.sqrt(math.exp(b)) * c)(m, log_variance, e)


@composite
def modulations(draw: Any) -> Sample:
    """Maps, weights of odd size, and a style for each picture."""
    N, C, O, size = (
        draw(integers(1, 2)),
        draw(integers(1, 2)),
        draw(integers(1, 2)),
        draw(sampled_from((1, 3))),
    )
    x = draw(arrays((N, C, draw(integers(1, 3)), draw(integers(1, 3)))))
    inputs = (x, draw(arrays((O, C, size, size), 0.3)), draw(arrays((N, C), 0.3)))
    return Sample(inputs, {"demodulate": draw(booleans())})


def modulated(x: np.ndarray, weight: np.ndarray, style: np.ndarray, demodulate: bool) -> np.ndarray:
    """Each picture by weights of its own, as the paper has it."""
    pictures = []
    for picture, scales in zip(x, style, strict=True):
        own = np.array(
            [[kernel * s for kernel, s in zip(filters, scales, strict=True)] for filters in weight]
        )
        if demodulate:
            own = np.array([f / math.sqrt(math.fsum((f * f).ravel()) + 1e-8) for f in own])
        pictures.append(oracles.conv2d(picture[None], own, padding=weight.shape[2] // 2)[0])
    return np.array(pictures)


X = np.ones((2, 3, 2, 2))
OTHERS = [
    OpCase("gan.kl_to_prior", elbo.kl_to_prior, codes(), divergence, (elbo.kl_to_prior,),
           bad=(BadInput("shapes that differ", (ONES, ONES[:1]), {}, ShapeError, "expected"),)),
    OpCase("gan.gaussian_nll", elbo.gaussian_nll, reconstructions(sigma=(0.5, 1.0, 2.0)), gaussian_nll,
           (elbo.gaussian_nll,),
           bad=(BadInput("no deviation", (ONES, ONES), {"sigma": 0.0}, ArgumentError, "above 0"),
                BadInput("shapes that differ", (ONES, ONES[:1]), {"sigma": 1.0}, ShapeError, "decoder"))),
    OpCase("gan.optimal_gaussian_nll", elbo.optimal_gaussian_nll, reconstructions(), optimal_gaussian_nll,
           (elbo.optimal_gaussian_nll,)),
    OpCase("gan.draw_code", lambda m, v, seed: elbo.draw_code(m, v, np.random.default_rng(seed)),
           codes().flatmap(lambda s: seeds().map(lambda seed: Sample(s.inputs, {"seed": seed}))), drawn_code,
           (elbo.draw_code,)),
    OpCase("gan.modulated_conv2d", modulated_conv2d, modulations(), modulated, (modulated_conv2d,),
           bad=(BadInput("a style of other size", (X, np.ones((1, 3, 1, 1)), ONES[:1]), {}, ShapeError,
                         "modulated_conv2d"),)),
]  # fmt: skip

CASES = LOSSES + PENALTIES + OTHERS
