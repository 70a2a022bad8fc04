"""A picture is looked at as it is, and halved once, twice and more: so large motifs become small ones.

A network of 3x3 convolutions sees some 50 pixels across, which is a stroke of a large picture and all of a
small one. So the style's statistics are taken at every level of an image pyramid (Burt and Adelson, IEEE
Trans. Communications 31, 1983), and each level is an :class:`~minigan.style.objective.Objective` of its own;
content and variation belong to the first. A level costs a quarter of the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minigan import ops
from minigan.autograd import grad
from minigan.data import resize
from minigan.modes import no_grad
from minigan.style.checks import fitted, least_side
from minigan.style.features import Extractor
from minigan.style.objective import Objective, Value
from minigan.style.settings import Settings
from minigan.style.tiles import Tiled
from minigan.tensor import Tensor


def halved(picture: Tensor) -> Tensor:
    """(N, C, H, W), sides even -> (N, C, H / 2, W / 2): blurred by 1 3 3 1 / 8 each way, every second kept.

    Three means over two neighbours, the last of them striding. Means over squares alone would let the squares
    show in what is painted.
    """
    blurred = ops.pad(picture, (1,) * 4, mode="reflect")
    for _ in range(2):
        blurred = ops.avg_pool2d(blurred, 2, stride=1)
    return ops.avg_pool2d(blurred, 2)


class Pyramid:
    """The loss of a picture (1, 3, H, W): the sum over its levels, the whole picture's objective first.

    ``style_weight`` of an objective's settings says what its level counts; ``tile`` > 0 there computes the
    level in tiles.
    """

    def __init__(self, levels: Sequence[Objective]) -> None:
        self.whole = levels[0]
        self.weights = [level.settings.style_weight for level in levels]
        self.levels = [Tiled(level) if level.settings.tile else level for level in levels]

    def __call__(self, picture: np.ndarray) -> Value:
        """Evaluate; the part "style" is the mean over the levels by what they count."""
        value = self.levels[0](picture)
        if len(self.levels) == 1:
            return value
        x = Tensor(np.asarray(picture, self.whole.extractor.dtype), requires_grad=True)
        total, style, small = value.total, self.weights[0] * value.parts.get("style", 0.0), x
        smalls, slopes = [], []
        for level, weight in zip(self.levels[1:], self.weights[1:], strict=True):
            small = halved(small)
            if not weight:
                continue
            found = level(small.numpy())
            total, style = total + found.total, style + weight * found.parts["style"]
            smalls.append(small)
            slopes.append(Tensor(found.gradient.astype(small.dtype)).to(small.device))
        (gradient,) = grad(smalls, x, slopes)
        parts = value.parts | {"style": style / sum(self.weights)}
        return Value(total, parts, value.gradient + gradient.numpy())  # type: ignore[union-attr]


def build(
    extractors: Sequence[Extractor],
    plan: Settings,
    content: np.ndarray | None,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    masks: Sequence[np.ndarray | None],
    height: int,
    width: int,
    least: int = 8,
) -> Pyramid:
    """The loss for one size: every picture resized to what it is compared at, a style to no less than
    ``least`` pixels each way (which only a picture that is painted to take the time needs).

    extractors: the one for the whole picture, the one for the halved. Levels too small for their features are
    left out, and the others count so much more.
    """
    side = round(max(height, width) * plan.style_scale)
    sized = [resize(one, *(max(n, least) for n in fitted(one.shape[1:], side))) for one in styles]
    levels = [((height, width), sized)]
    while styles and len(levels) < len(plan.scales) and _can_halve(extractors[-1], plan, *levels[-1]):
        (rows, columns), pictures = levels[-1]
        levels.append(((rows // 2, columns // 2), [_half(one) for one in pictures]))
    counted = plan.scales[: len(levels)]
    total = sum(counted) or 1.0
    objectives = []
    for number, (shape, pictures) in enumerate(levels):
        settings = replace(plan, style_weight=plan.style_weight * counted[number] / total)
        if number:
            settings = replace(settings, content_weight=0.0, variation_weight=0.0, style_layers=())
        resized = None if content is None or number else resize(content, *shape)
        fit = [None if mask is None else resize(mask[None], *shape)[0] for mask in masks]
        network = extractors[min(number, len(extractors) - 1)]
        objectives.append(Objective(network, settings, resized, pictures, shares, fit))
    return Pyramid(objectives)


def _can_halve(
    extractor: Extractor, plan: Settings, shape: tuple[int, int], styles: Sequence[np.ndarray]
) -> bool:
    """Whether all sides are even, and their halves enough for the features."""
    enough = least_side(extractor, tuple(extractor.style), plan.statistic)
    sides = [*shape, *(side for one in styles for side in one.shape[1:])]
    return all(side % 2 == 0 and side // 2 >= enough for side in sides)


def _half(picture: np.ndarray) -> np.ndarray:
    with no_grad():
        return halved(Tensor(picture[None])).numpy()[0]
