"""The three losses of style transfer, each free of units.

Each is a squared distance divided by the target's own energy: 0 is a perfect match, and 1 is as far off as an
answer of nothing but zeros. So one weight means the same at every layer, for every network and at every
picture size; a sum for the one and a mean for the other (a trap of many notebooks) makes weights change
meaning with size.
"""

from __future__ import annotations

from collections.abc import Sequence

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.tensor import Tensor

VARIATIONS = ("l1", "l2", "1.25")


def relative_error(value: Tensor, target: Tensor) -> Tensor:
    """(any shape), (same shape) -> (): sum (value - target)^2 / sum target^2."""
    if value.shape != target.shape:
        raise ShapeError(f"relative error: shapes differ, {value.shape} and {target.shape}")
    difference = value - target
    return ops.sum(difference * difference) / (ops.sum(target * target) + 1e-12)


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Features (1, C, H, W) of the painting and of the content -> (): their relative error.

    arXiv 1508.06576, equation 1; there half the plain sum of squares.
    """
    return relative_error(features, target)


def style_loss(
    statistics: Sequence[Tensor], targets: Sequence[Tensor], spread: Tensor | None = None
) -> Tensor:
    """Statistics of one layer, of the painting and of the style -> (): the mean of their relative errors.

    arXiv 1508.06576, equation 4; there a sum of squares over 4 C^2 (H W)^2. With ``spread`` (C,), the
    standard deviation of each channel in the style, channels are first divided by theirs, so that a quiet
    channel (which may be the one that sees the strokes) counts as much as a loud one; means (C,) are then
    compared in standard deviations.
    """
    pairs = zip(statistics, targets, strict=True)
    errors = [_balanced_error(value, target, spread) for value, target in pairs]
    total = errors[0]
    for error in errors[1:]:
        total = total + error
    return total / len(errors)


def _balanced_error(value: Tensor, target: Tensor, spread: Tensor | None) -> Tensor:
    if spread is None:
        return relative_error(value, target)
    if target.ndim == 1:
        difference = (value - target) / spread
        return ops.mean(difference * difference)
    unit = ops.reshape(spread, (-1, 1)) * spread  # (C, C)
    difference, wanted = (value - target) / unit, target / unit
    # Correlations have an energy of C and more, but those of a style of one flat colour have none.
    return ops.sum(difference * difference) / (ops.sum(wanted * wanted) + 0.01 * spread.size)


def variation(image: Tensor, kind: str = "l2") -> Tensor:
    """(1, 3, H, W) -> (): how much neighbouring pixels differ.

    With dx, dy the differences to the next pixel: "l1" mean |dx| + mean |dy|; "l2" mean dx^2 + mean dy^2;
    "1.25" mean (dx^2 + dy^2)^1.25. Mahendran and Vedaldi, arXiv 1412.0035, equation 5 (its beta is 2, and
    2.5). Divide by the style's own variation for a number free of units. Raises ArgumentError.
    """
    if kind not in VARIATIONS:
        raise ArgumentError(f"variation {kind!r}: expected one of {', '.join(VARIATIONS)}")
    dx = image[:, :, :, 1:] - image[:, :, :, :-1]
    dy = image[:, :, 1:, :] - image[:, :, :-1, :]
    if kind == "l1":
        return ops.mean(ops.abs(dx)) + ops.mean(ops.abs(dy))
    if kind == "l2":
        return ops.mean(dx * dx) + ops.mean(dy * dy)
    dx, dy = dx[:, :, :-1, :], dy[:, :, :, :-1]
    return ops.mean(ops.pow(dx * dx + dy * dy, 1.25))
