"""What can be known to fail before anything is painted: no loss, black masks, pictures too small."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minigan.errors import ArgumentError, ShapeError
from minigan.style import forecast
from minigan.style.features import Extractor
from minigan.style.gram import statistics
from minigan.style.settings import Settings, layer_weights

LARGEST = 1 << 16  # pixels of the longer side; no size beyond it is proposed


def fitted(shape: Sequence[int], size: int) -> tuple[int, int]:
    """(H, W) -> height, width for a longer side of ``size``: multiples of 8, so pooling loses no edge."""
    height, width = (max(round(side * size / max(shape) / 8), 1) * 8 for side in shape)
    return height, width


def check(
    plan: Settings,
    extractor: Extractor,
    content: np.ndarray | None,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    masks: Sequence[np.ndarray | None],
) -> tuple[int, int]:
    """Raise ArgumentError or ShapeError for what cannot be painted: pictures (3, H, W), masks (H, W).

    Returns the least side that a painting and a style must have for their features.
    """
    check_loss(plan, content is not None, len(styles))
    check_masks(masks, shares)
    shape = (content if content is not None else styles[0]).shape[1:]
    return check_sizes(plan, extractor, shape, content is not None, styles, shares)


def check_loss(plan: Settings, content: bool, styles: int) -> None:
    """Raise ArgumentError where no term of the loss has a weight."""
    terms = {"content": content, "style": styles, "variation": True}
    used = {f"{name}_weight": getattr(plan, f"{name}_weight") for name, there in terms.items() if there}
    if not any(used.values()):
        raise ArgumentError(f"nothing to paint by: {', '.join(used)} are 0; set one of them above 0")


def check_masks(masks: Sequence[np.ndarray | None], shares: Sequence[float]) -> None:
    """Raise ArgumentError for a mask (H, W) that is black where its style has a share."""
    for k, (mask, share) in enumerate(zip(masks, shares, strict=True), 1):
        if mask is not None and share and not mask.any():
            raise ArgumentError(
                f"mask {k} is black: style {k} belongs nowhere; give it a mask with white in it, "
                "or leave that style out"
            )


def check_sizes(
    plan: Settings,
    extractor: Extractor,
    shape: Sequence[int],
    content: bool,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
) -> tuple[int, int]:
    """Raise ShapeError naming the picture that becomes too small for its features, and what would help.

    Returns what :func:`check` does.
    shape: (H, W) of the picture that the painting takes its form from: the content, else the first style.
    """
    in_content = layer_weights(plan.content_layers, extractor.content, extractor) if content else {}
    in_style = layer_weights(plan.style_layers, extractor.style, extractor) if styles else {}
    in_content, in_style = in_content if plan.content_weight else {}, in_style if plan.style_weight else {}
    need = least_side(extractor, [*in_style], plan.statistic)
    least = max(least_side(extractor, [*in_content, *in_style]), need)
    for size in plan.sizes() if plan.coarse else [plan.size]:
        height, width = fitted(shape, size)
        if min(height, width) < least:
            enough = _enough(shape, least)
            coarse = size < plan.size and enough <= plan.size
            raise ShapeError(
                f"{'content' if content else 'style 1'} {shape[1]} x {shape[0]} becomes {width} x {height} "
                f"at size {size}, and its features need at least {least} pixels each way; use "
                f"{'--coarse' if coarse else '--size'} {enough} or more"
            )
        for k, style in enumerate(styles, 1):
            if not in_style or not shares[k - 1]:
                continue
            side = round(max(height, width) * plan.style_scale)
            low, wide = fitted(style.shape[1:], side)
            if min(low, wide) < need:
                scale = math.ceil(100 * _enough(style.shape[1:], need) / max(height, width)) / 100
                raise ShapeError(
                    f"style {k} {style.shape[2]} x {style.shape[1]} becomes {wide} x {low} at size {size}, "
                    f"and its features need at least {need} pixels each way; use a larger --style-scale "
                    f"({scale:g} or more)"
                )

            what = f"style {k} of {wide} x {low} pixels at --style-scale {plan.style_scale:g}"
            if plan.style_scale > 1:  # else the painting needs more
                forecast.check_style(extractor, [*in_style], low, wide, what)
    return least, need


def beginning(plan: Settings, shape: Sequence[int], least: int) -> int:
    """The size to begin at: as set, else the first of `plan.sizes()` at which (H, W) has ``least`` each way.

    A picture given as the start keeps its size: what it has of detail would be lost.
    """
    if plan.coarse is not None:
        return plan.coarse
    if not isinstance(plan.init, str):
        return 0
    return next(size for size in plan.sizes() if size == plan.size or min(fitted(shape, size)) >= least)


def least_side(extractor: Extractor, layers: Sequence[str], statistic: str = "gram") -> int:
    """The least side for these layers, each with more places along it than the statistic reaches."""
    if not layers:
        return 1
    reach = max(one.reach for one in statistics(statistic))
    size = extractor.smallest(layers)
    while any(h <= reach for layer, _, h, _ in extractor.walk(size, size, layers) if layer[1] in layers):
        size += 1
    return size


def _enough(shape: Sequence[int], least: int) -> int:
    """The smallest size at which both sides have ``least`` pixels."""
    return next((size for size in range(16, LARGEST) if min(fitted(shape, size)) >= least), LARGEST)
