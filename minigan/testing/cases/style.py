"""Cases of `minigan.style`: statistics and losses by loops over places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.style import gram, losses
from minigan.tensor import Tensor
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.cases.gan import mean
from minigan.testing.strategies import (
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    tied_arrays,
)

# --- statistics --------------------------------------------------------------------------------------------


@composite
def features(draw: Any, masked: bool = False, shifted: bool = False) -> Sample:
    """Features (1, C, H, W), perhaps a mask of weights, perhaps a shift smaller than both sides."""
    least = 2 if shifted else 1
    C, H, W = draw(integers(1, 3)), draw(integers(least, 3)), draw(integers(least, 4))
    settings: dict[str, Any] = {"shift": draw(integers(1, min(H, W) - 1))} if shifted else {}
    if masked:
        settings["mask"] = draw(arrays((H, W), 0.1, 1.0)) if draw(booleans()) else None
    return Sample((draw(arrays((1, C, H, W))),), settings)


def together(f: np.ndarray, down: int = 0, right: int = 0, mask: Any = None) -> np.ndarray:
    """The mean of F_i(place) F_j(place + shift) for which both are inside, each place by its weight."""
    _, C, H, W = f.shape
    places = [(y, x) for y in range(H - down) for x in range(W - right)]
    weights = [1.0 if mask is None else float(mask[place]) for place in places]
    out = np.zeros((C, C))
    for i, j in np.ndindex(C, C):
        terms = [
            w * f[0, i, y, x] * f[0, j, y + down, x + right]
            for w, (y, x) in zip(weights, places, strict=True)
        ]
        out[i, j] = math.fsum(terms) / math.fsum(weights)
    return out


def middle(f: np.ndarray, mask: Any = None) -> np.ndarray:
    """The mean of each feature over the places."""
    weights = np.ones(f.shape[2:]) if mask is None else mask
    total = math.fsum(weights.ravel())
    return np.array([math.fsum((plane * weights).ravel()) / total for plane in f[0]])


def spread(f: np.ndarray, mask: Any = None) -> np.ndarray:
    """Means, then covariances: the Gram matrix of what is left when the means are taken off."""
    means = middle(f, mask)
    return end_to_end(means, together(f - means.reshape(1, -1, 1, 1), mask=mask))


@composite
def varied(draw: Any) -> Sample:
    """Features of which no channel is flat: there a deviation has a kink."""
    return Sample((draw(distinct_arrays((1, draw(integers(1, 3)), draw(integers(2, 3)), 2))),))


def deviations(f: np.ndarray) -> np.ndarray:
    """The root of each channel's variance, a tenth of the mean one and 1e-4."""
    variances = [mean((plane - mean(plane.ravel())).ravel() ** 2) for plane in f[0]]
    return np.array([math.sqrt(one + 0.1 * mean(variances) + 1e-4) for one in variances])


def end_to_end(*parts: np.ndarray) -> np.ndarray:
    """All numbers in one row."""
    return np.array([value for part in parts for value in part.ravel().tolist()])


def row(parts: Any) -> Tensor:
    """The same of Tensors."""
    return ops.concatenate([ops.reshape(part, (-1,)) for part in parts], axis=0)


def statistic(one: gram.Statistic) -> Any:
    """Sums and what is made of them, as the transfer uses them."""
    return lambda f, mask: row(one.finish(one.sums(f, mask)))


def rooted(f: np.ndarray, mask: Any) -> np.ndarray:
    """A row for each place, times the root of its weight."""
    _, _, H, W = f.shape
    return np.array(
        [f[0, :, y, x] * (1.0 if mask is None else math.sqrt(mask[y, x])) for y in range(H) for x in range(W)]
    )


F = np.ones((1, 2, 3, 4))
TWO = BadInput("two pictures", (np.ones((2, 2, 3, 4)),), {}, ShapeError, r"expected features \(1, C, H, W\)")

STATISTICS = [
    OpCase("style.gram", gram.gram, features(), together, (gram.gram,), bad=(TWO,)),
    OpCase("style.mean_covariance", lambda f: row(gram.mean_covariance(f)), features(), spread,
           (gram.mean_covariance,), bad=(TWO,)),
    OpCase("style.shifted_gram", lambda f, shift: row(gram.shifted_gram(f, shift)), features(shifted=True),
           lambda f, shift: end_to_end(together(f, right=shift), together(f, down=shift)),
           (gram.shifted_gram,), bad=(BadInput("a shift as large as the picture", (F,), {"shift": 3},
                                               ArgumentError, "only 3 x 4"),)),
    OpCase("style.places", gram.places, features(masked=True), rooted, (gram.places,), linear=True,
           bad=(BadInput("a mask of another size", (F,), {"mask": np.ones((2, 2))}, ShapeError, "mask"),)),
    OpCase("style.spread", gram.spread, varied(), deviations, (gram.spread,)),
    OpCase("style.Gram", statistic(gram.Gram()), features(masked=True),
           lambda f, mask: together(f, mask=mask).ravel(), (gram.Gram,)),
    OpCase("style.Covariance", statistic(gram.Covariance()), features(masked=True), spread,
           (gram.Covariance,)),
    OpCase("style.Shifted", statistic(gram.Shifted(1)), features(masked=True, shifted=True).map(
           lambda s: Sample(s.inputs, {"mask": s.kwargs["mask"]})),
           lambda f, mask: end_to_end(together(f, right=1, mask=mask), together(f, down=1, mask=mask)),
           (gram.Shifted,)),
]  # fmt: skip


# --- losses ------------------------------------------------------------------------------------------------


@composite
def layers(draw: Any, count: int = 1) -> Sample:
    """As many values, then as many targets, each pair of one shape."""
    pairs = [(1, draw(integers(1, 3)), draw(integers(1, 3)), draw(integers(1, 3))) for _ in range(count)]
    return Sample(tuple(draw(distinct_arrays(shape)) for shape in pairs * 2))


def relative_error(value: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Energy of the difference over the target's."""
    return np.asarray(math.fsum(((value - target) ** 2).ravel()) / (math.fsum((target**2).ravel()) + 1e-12))


def style_loss(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """The mean of two."""
    return mean([relative_error(a, c), relative_error(b, d)])


@composite
def balanced(draw: Any) -> Sample:
    """Means and covariances of a painting and of a style, and the style's spread."""
    C = draw(integers(1, 3))
    numbers = [draw(distinct_arrays(shape)) for shape in ((C,), (C, C)) * 2]
    return Sample((*numbers, draw(arrays((C,), 0.5, 2.0))))


def balanced_loss(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Means in standard deviations, covariances as correlations."""
    pairs = np.array([[one * other for other in s] for one in s])
    energy = math.fsum(((d / pairs) ** 2).ravel()) + 0.01 * len(s)
    return mean([mean(((a - c) / s) ** 2), math.fsum((((b - d) / pairs) ** 2).ravel()) / energy])


@composite
def pictures(draw: Any, kind: str) -> Sample:
    """Pictures of at least 2 x 2; flat ones only where a kink is a kink, not a pole."""
    shape = (1, 3, draw(integers(2, 4)), draw(integers(2, 4)))
    flat = kind != "1.25" and draw(booleans())
    return Sample((draw(tied_arrays(shape) if flat else distinct_arrays(shape)),), {"kind": kind})


def variation(image: np.ndarray, kind: str) -> np.ndarray:
    """Pixel after pixel, each with the next in its row and in its column."""
    _, C, H, W = image.shape
    dx = {(c, y, x): image[0, c, y, x + 1] - image[0, c, y, x] for c, y, x in np.ndindex(C, H, W - 1)}
    dy = {(c, y, x): image[0, c, y + 1, x] - image[0, c, y, x] for c, y, x in np.ndindex(C, H - 1, W)}
    if kind == "1.25":
        return mean((dx[place] ** 2 + dy[place] ** 2) ** 1.25 for place in np.ndindex(C, H - 1, W - 1))
    power = 1 if kind == "l1" else 2
    return mean(abs(d) ** power for d in dx.values()) + mean(abs(d) ** power for d in dy.values())


LOSSES = [
    OpCase("style.relative_error", losses.relative_error, layers(), relative_error, (losses.relative_error,),
           bad=(BadInput("shapes that differ", (F, F[:, :1]), {}, ShapeError, "shapes differ"),)),
    OpCase("style.content_loss", losses.content_loss, layers(), relative_error, (losses.content_loss,)),
    OpCase("style.style_loss", lambda a, b, c, d: losses.style_loss([a, b], [c, d]), layers(2), style_loss,
           (losses.style_loss,)),
    OpCase("style.style_loss balanced", lambda a, b, c, d, s: losses.style_loss([a, b], [c, d], s),
           balanced(), balanced_loss, (losses.style_loss,)),
    *(OpCase(f"style.variation {kind}", losses.variation, pictures(kind), variation, (losses.variation,),
             kinks=kind == "l1",
             bad=(BadInput("an unknown kind", (F,), {"kind": "l3"}, ArgumentError, "expected one of"),))
      for kind in losses.VARIATIONS),
]  # fmt: skip

CASES = STATISTICS + LOSSES
