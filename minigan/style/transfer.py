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
from functools import partial
from typing import Any

import numpy as np

from minigan.data import load_image, resize
from minigan.errors import ArgumentError, NumericError, ShapeError, shown
from minigan.style import colour, forecast
from minigan.style.checks import beginning, check, fitted
from minigan.style.descent import State, descend
from minigan.style.enlarging import enlarged, regrained, roughened
from minigan.style.features import Extractor, open_features
from minigan.style.lbfgs import Outcome
from minigan.style.objective import Value
from minigan.style.pyramid import Pyramid, build
from minigan.style.settings import Settings
from minigan.style.waves import minimise_in_waves

Picture = np.ndarray | str | os.PathLike
# Coarse sizes place things, fine ones paint: content counts so much more at each coarser size. From noise
# there is nothing in its place yet.
FIRST_THINGS, FROM_NOISE = 1.25, 10.0
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
    :class:`minigan.style.settings.Settings`, such as ``size=256, iterations=80, init="noise", seed=1``.
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
    extractors = _opened(plan)
    least, of_style = check(plan, extractors[0], target, styles, shares, masks)
    if plan.colours == "histogram" and target is not None:
        styles = [colour.match_colours(one, target) for one in styles]
    shape = (target if target is not None else styles[0]).shape[1:]
    plan = replace(plan, coarse=beginning(plan, shape, least))
    styles, shares, masks = _taking_part(styles, shares, masks)
    final = fitted(shape, plan.size)
    if target is not None and target.shape[1] > final[0]:  # nothing larger is needed from here on
        target = resize(target, *final)
    own = target

    tinted = partial(_tinted, plan=plan, styles=styles, shares=shares, masks=masks)
    target = None if target is None else tinted(target)

    def objective(height: int, width: int, plan: Settings = plan) -> Pyramid:
        return build(extractors, plan, target, styles, shares, masks, height, width, of_style)

    small = forecast.probe_size(*final, least)
    probe = objective(*small)
    predicted = forecast.predict(probe, probe.whole, plan, *final, least)
    if not plan.tile:
        forecast.check(predicted, plan.size)
    if on_forecast is not None:
        on_forecast(predicted)
    grain = partial(roughened, styles=styles, shares=shares, scale=plan.style_scale)
    picture = starting_picture(plan, target, styles, shape)
    picture, history, reasons = paint_sizes(plan, shape, objective, picture, target, grain, on_event)
    if history and plan.style_weight:
        picture = regrained(picture, styles, shares, plan.style_scale, plan.grain)
    if len(styles) == 1 and masks[0] is None:  # several in one painting have no colours in common
        picture = tinted(picture)
    if plan.colours == "luminance" and own is not None:
        picture = colour.with_colours_of(picture, resize(own, *picture.shape[1:]))
    return Result(picture.astype(np.float32), history, reasons, time.perf_counter() - begun, predicted, plan)


def paint_sizes(
    plan: Settings,
    shape: Sequence[int],
    objective: Callable[[int, int, Settings], Pyramid],
    picture: np.ndarray,
    target: np.ndarray | None,
    grain: Callable[..., np.ndarray],
    on_event: Callable[[Event], object] | None,
) -> tuple[np.ndarray, list[dict[str, float]], dict[int, str]]:
    """Paint at every size of the plan, each from what the one before it left; picture, history, reasons."""
    history: list[dict[str, float]] = []
    reasons: dict[int, str] = {}
    generator, state = np.random.default_rng(plan.seed), None
    seen = target if isinstance(plan.init, str) and plan.init == "content" else None
    sizes = plan.sizes()
    for number, size in enumerate(sizes):
        height, width = fitted(shape, size)
        if number:
            picture = grain(enlarged(picture, seen, height, width), generator=generator)
        first = (FROM_NOISE if plan.from_noise() else FIRST_THINGS) ** (len(sizes) - 1 - number)
        stage = replace(plan, content_weight=(plan.content_weight or 0) * first)
        evaluate = objective(height, width, stage)
        outcome, state = paint_size(evaluate, plan, size, picture, state, history, on_event)
        picture, reasons[size] = outcome.x[0].clip(0, 1), outcome.reason
        if outcome.reason == "asked to stop" and on_event is not None:
            picture = enlarged(picture, seen, *fitted(shape, plan.size))
            break
    return picture, history, reasons


def paint_size(
    evaluate: Pyramid,
    plan: Settings,
    size: int,
    picture: np.ndarray,
    state: State,
    history: list[dict[str, float]],
    on_event: Callable[[Event], object] | None,
) -> tuple[Outcome, State]:
    """Optimise the pixels at one size, from ``picture`` (3, H, W); returns the outcome and Adam's state."""
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
        seconds, shown = time.perf_counter() - begun, x[0].clip(0, 1)
        event = Event(size, number, iterations, total, last[0].parts, shown, seconds)
        asked = on_event is not None and on_event(event) is True
        return asked or stalled(totals, plan.stop)

    start, iterations = np.ascontiguousarray(picture[None], np.float32), plan.steps(size)
    if plan.optimizer == "lbfgs":
        outcome, state = minimise_in_waves(function, start, iterations, after), None
    else:
        outcome, state = descend(
            function,
            start,
            optimizer=plan.optimizer,
            lr=plan.lr,
            ema=plan.ema,
            state=state,
            iterations=iterations,
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


def _opened(plan: Settings) -> list[Extractor]:
    """The network for the whole picture and, where there is a use for it, the one for the halved."""

    def opened(network: str | Extractor, **options: Any) -> Extractor:
        if isinstance(network, Extractor):
            return network
        return open_features(network, pooling=plan.pooling, seed=plan.seed, **options)

    first = opened(plan.features, weights=plan.weights)
    return [first, opened(plan.small_features)] if any(plan.scales[1:]) else [first]


def _tinted(
    picture: np.ndarray,
    plan: Settings,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    masks: Sequence[np.ndarray | None],
) -> np.ndarray:
    """The picture with the styles' colours, as far as the settings want them."""
    if plan.colours != "style" or not styles:
        return picture
    fit = [None if mask is None else resize(mask[None], *picture.shape[1:])[0] for mask in masks]
    side = round(max(picture.shape[1:]) * plan.style_scale)  # a larger copy of a style has more contrast
    sized = [resize(one, *fitted(one.shape[1:], side)) for one in styles]
    return colour.recoloured(picture, sized, shares, fit, plan.recolour)


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
