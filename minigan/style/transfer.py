"""Style transfer: :func:`transfer` paints one picture's content with another's style.

The algorithm is Gatys, Ecker and Bethge's (arXiv 1508.06576): take a picture, compare its features in a
frozen network with the content's (place by place) and with the styles' (as statistics), and move its pixels
downhill. Read :func:`paint_size` for the loop itself; the rest brings pictures in and numbers out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minigan.data import load_image, resize
from minigan.errors import ArgumentError, NumericError, ShapeError, shown
from minigan.style import colour, forecast
from minigan.style.checks import check, fitted
from minigan.style.descent import State, descend
from minigan.style.features import Extractor, open_features
from minigan.style.lbfgs import Outcome, minimise
from minigan.style.objective import Objective, Value
from minigan.style.settings import Settings
from minigan.style.tiles import Tiled

Picture = np.ndarray | str | os.PathLike
FIRST_THINGS = 10.0  # coarse sizes place things, fine ones paint: content counts so much more at each coarser
PATIENCE = 20  # iterations over which the stop rule looks for an improvement


@dataclass(frozen=True)
class Event:
    """One iteration at ``size``: the weighted ``total``, its ``parts`` before weighting, the ``picture``."""

    size: int
    iteration: int
    iterations: int
    total: float
    parts: dict[str, float]
    picture: np.ndarray  # (3, H, W)
    seconds: float


@dataclass(frozen=True)
class Result:
    """``picture`` (3, H, W) in [0, 1]; per iteration size, total and parts; per size why it stopped."""

    picture: np.ndarray
    history: list[dict[str, float]]
    reasons: dict[int, str]
    seconds: float
    forecast: forecast.Forecast
    settings: Settings = field(repr=False)

    def shares(self) -> dict[str, float]:
        """What part of the final loss each term makes up, after weighting; they sum to 1."""
        last = self.history[-1] if self.history else {}
        weighted = {
            name: last[name] * getattr(self.settings, f"{name}_weight")
            for name in ("content", "style", "variation")
            if name in last
        }
        total = sum(weighted.values()) or 1.0
        return {name: value / total for name, value in weighted.items()}


def transfer(
    content: Picture | None,
    style: Picture | Sequence[Picture] | None,
    *,
    on_event: Callable[[Event], object] | None = None,
    on_forecast: Callable[[forecast.Forecast], object] | None = None,
    **settings: Any,
) -> Result:
    """Paint the content of one picture in the style of others.

    content: a picture (3 or 1, H, W) in [0, 1], or the path of one; None paints texture only. style: one or
    several of the same; None only reconstructs the content from its features. settings: the fields of
    :class:`minigan.style.settings.Settings`, such as ``size=256, iterations=120, init="noise", seed=1``.
    on_event is called after every iteration and ends the run by returning True; on_forecast once, before it.

    Example: ``save_image("out.png", transfer("me.jpg", "waves.jpg", size=384).picture)``.

    Raises ArgumentError for settings that do not fit (also where the memory is not there), ShapeError for
    pictures too small, DataError and FileError for files, NumericError with the step where numbers stop being
    numbers.
    """
    plan = Settings(**_known(settings))
    begun = time.perf_counter()
    target = None if content is None else load(content, "content")
    given: Any = style if isinstance(style, (list, tuple)) else [] if style is None else [style]
    styles = [load(one, f"style {k}") for k, one in enumerate(given, 1)]
    if target is None and not styles:
        raise ArgumentError("transfer: expected a content, a style or both, got neither")
    shares = plan.shares(len(styles))
    masks = [
        None if mask is None else load(mask, f"mask {k}", channels=1)[0]
        for k, mask in enumerate(plan.masks or [None] * len(styles), 1)
    ]
    extractor = _opened(plan)
    least, of_style = check(plan, extractor, target, styles, shares, masks)
    if plan.colours == "histogram" and target is not None:
        styles = [colour.match_colours(one, target) for one in styles]
    shape = (target if target is not None else styles[0]).shape[1:]
    styles, shares, masks = _taking_part(styles, shares, masks)
    final = fitted(shape, plan.size)
    if target is not None and target.shape[1] > final[0]:  # nothing larger is needed from here on
        target = resize(target, *final)
    own = target
    if plan.colours == "style" and plan.recolour and target is not None and styles:
        fit = [None if mask is None else resize(mask[None], *target.shape[1:])[0] for mask in masks]
        target = colour.recoloured(target, styles, shares, fit, plan.recolour)

    def objective(height: int, width: int, plan: Settings = plan) -> Objective:
        return build(extractor, plan, target, styles, shares, masks, height, width, of_style)

    small = forecast.probe_size(*final, least)
    predicted = forecast.predict(objective(*small), plan, *final, least)
    if not plan.tile:
        forecast.check(predicted, plan.size)
    if on_forecast is not None:
        on_forecast(predicted)
    history: list[dict[str, float]] = []
    reasons: dict[int, str] = {}
    picture, state = starting_picture(plan, target, styles, shape), None
    for coarser, size in reversed(list(enumerate(reversed(plan.sizes())))):
        height, width = fitted(shape, size)
        picture = resize(picture, height, width)
        stage = replace(plan, content_weight=(plan.content_weight or 0) * FIRST_THINGS**coarser)
        function = objective(height, width, stage)
        outcome, state = paint_size(function, plan, size, picture, state, history, on_event)
        picture, reasons[size] = outcome.x[0].clip(0, 1), outcome.reason
        if outcome.reason == "asked to stop" and on_event is not None:
            break
    if plan.colours == "luminance" and own is not None:
        picture = colour.with_colours_of(picture, resize(own, *picture.shape[1:]))
    return Result(picture.astype(np.float32), history, reasons, time.perf_counter() - begun, predicted, plan)


def paint_size(
    objective: Objective,
    plan: Settings,
    size: int,
    picture: np.ndarray,
    state: State,
    history: list[dict[str, float]],
    on_event: Callable[[Event], object] | None,
) -> tuple[Outcome, State]:
    """Optimise the pixels at one size, from ``picture`` (3, H, W); returns the outcome and Adam's state."""
    evaluate = Tiled(objective) if plan.tile else objective
    begun = time.perf_counter()
    last: list[Value] = []
    totals: list[float] = []

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            last[:] = [evaluate(x)]
        except NumericError as error:
            raise NumericError(f"step {len(totals) + 1} at size {size}: {error}") from error
        return last[0].total, last[0].gradient

    def after(number: int, x: np.ndarray, total: float) -> bool:
        totals.append(total)
        history.append({"size": size, "iteration": number, "total": total, **last[0].parts})
        event = Event(size, number, plan.iterations, total, last[0].parts, x[0], time.perf_counter() - begun)
        asked = on_event is not None and on_event(event) is True
        return asked or stalled(totals, plan.stop)

    start = np.ascontiguousarray(picture[None], np.float32)
    if plan.optimizer == "lbfgs":
        outcome, state = minimise(function, start, iterations=plan.iterations, on_iteration=after), None
    else:
        outcome, state = descend(
            function,
            start,
            optimizer=plan.optimizer,
            lr=plan.lr,
            ema=plan.ema,
            state=state,
            iterations=plan.iterations,
            on_iteration=after,
        )
    if outcome.reason == "asked to stop" and stalled(totals, plan.stop):
        reason = (
            f"after {outcome.iterations} iterations: the last {PATIENCE} lowered the loss by less than "
            f"{plan.stop:.2%}"
        )
        outcome = replace(outcome, reason=reason)
    return outcome, state


def stalled(totals: Sequence[float], share: float) -> bool:
    """Whether the last PATIENCE iterations lowered the loss by less than ``share`` of itself."""
    return share > 0 and len(totals) > PATIENCE and totals[-1] > (1 - share) * totals[-1 - PATIENCE]


def build(
    extractor: Extractor,
    plan: Settings,
    content: np.ndarray | None,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    masks: Sequence[np.ndarray | None],
    height: int,
    width: int,
    least: int = 8,
) -> Objective:
    """The objective for one size: every picture resized to what it is compared at, a style to no less than
    ``least`` pixels each way (which only a picture that is painted to take the time needs)."""
    side = round(max(height, width) * plan.style_scale)
    sized = [resize(one, *(max(n, least) for n in fitted(one.shape[1:], side))) for one in styles]
    return Objective(
        extractor,
        plan,
        None if content is None else resize(content, height, width),
        sized,
        shares,
        [None if mask is None else resize(mask[None], height, width)[0] for mask in masks],
    )


def starting_picture(
    plan: Settings, content: np.ndarray | None, styles: Sequence[np.ndarray], shape: tuple[int, ...]
) -> np.ndarray:
    """The picture the optimisation begins with, at the first size. Noise lies around grey."""
    height, width = fitted(shape, plan.sizes()[0])
    generator = np.random.default_rng(plan.seed)
    if isinstance(plan.init, (np.ndarray, os.PathLike)):
        return resize(load(plan.init, "init"), height, width)
    if plan.init == "content" and content is not None:
        return resize(content, height, width)
    if plan.init == "style" and styles:
        return colour.noise_like(styles[0], height, width, generator)
    return (0.5 + 0.1 * generator.standard_normal((3, height, width))).clip(0, 1).astype(np.float32)


def load(picture: Picture, what: str, channels: int = 3) -> np.ndarray:
    """A picture as (channels, H, W) float32 in [0, 1], from an array or a file."""
    if isinstance(picture, (str, os.PathLike)):
        return load_image(picture, channels=channels)
    if not isinstance(picture, np.ndarray) or picture.dtype.kind not in "fbiu":
        raise ArgumentError(
            f"{what}: expected a picture (an array of numbers) or the path of one, got {shown(picture)}"
        )
    if picture.ndim != 3 or picture.shape[0] not in (1, channels) or 0 in picture.shape:
        raise ShapeError(f"{what}: expected a picture ({channels}, H, W), got {picture.shape}")
    if not np.isfinite(picture).all():
        raise ArgumentError(f"{what}: expected values in [0, 1], got NaN or infinity")
    if picture.min() < 0 or picture.max() > 1:
        raise ArgumentError(
            f"{what}: expected values in [0, 1], got {picture.min():.3g} to {picture.max():.3g}; "
            "divide by 255?"
        )
    return np.repeat(picture, channels // picture.shape[0], 0).astype(np.float32)


def _opened(plan: Settings) -> Extractor:
    if isinstance(plan.features, Extractor):
        return plan.features
    return open_features(plan.features, weights=plan.weights, pooling=plan.pooling, seed=plan.seed)


def _taking_part(
    styles: Sequence[np.ndarray], shares: Sequence[float], masks: Sequence[np.ndarray | None]
) -> tuple[list, list, list]:
    """Styles, shares and masks without the styles whose share is 0."""
    kept = [k for k, share in enumerate(shares) if share]
    return [styles[k] for k in kept], [shares[k] for k in kept], [masks[k] for k in kept]


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    unknown = [name for name in settings if name not in Settings.__dataclass_fields__]
    if unknown:
        raise ArgumentError(
            f"transfer: unknown setting {', '.join(unknown)}; there are "
            + ", ".join(Settings.__dataclass_fields__)
        )
    return settings
