"""Everything that can be set about a painting, checked once, before anything is computed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.errors import ArgumentError, shown
from minigan.style.features import NAMES, POOLINGS, Extractor
from minigan.style.gram import STATISTICS
from minigan.style.losses import VARIATIONS

INITS = ("content", "noise", "style")
OPTIMIZERS = ("lbfgs", "adam", "gd")
COLOURS = ("style", "luminance", "histogram")
COARSEST = 64  # pixels of the longer side where a painting begins, so that motifs keep their share of it
MOST_SCALES = 4  # the picture's sides are multiples of 8, which can be halved three times


@dataclass(frozen=True)
class Settings:
    """Words of :func:`minigan.style.transfer`, the same as the command line's."""

    size: int = 256  # pixels of the longer side, rounded to multiples of 8
    style_scale: float = 1.0  # size of the style picture relative to the painting: larger strokes above 1
    features: str | Extractor = "shipped"
    weights: str | os.PathLike | None = None  # file, for features that do not ship
    pooling: str = "average"
    content_layers: (
        Sequence[str] | Mapping[str, float]
    ) = ()  # names, or names with weights; () = the net's own
    style_layers: Sequence[str] | Mapping[str, float] = ()
    statistic: str = "covariance"
    scales: Sequence[float] = (
        1.0,
        0.25,
        0.25,
        0.5,
    )  # what style counts in the picture as it is, halved once, ...
    small_features: str | Extractor = "random"  # the network that looks at the halved pictures
    content_weight: float | None = None  # None: 0.3 from noise, else 0.1
    style_weight: float = 1.0
    variation_weight: float = 0.00025
    variation: str = "l2"
    # "content", "noise", "style" (its colour statistics), or a picture: an array, or a file as a Path
    init: str | np.ndarray | os.PathLike = "content"
    optimizer: str = "lbfgs"
    iterations: int | None = None  # at each size; None: as many as `steps` says
    lr: float = 0.02  # of adam and gd
    coarse: int | None = None  # begin at this size and double it up to `size`; 0: only the full size;
    # None: 64, or the first doubling of it at which the picture is large enough for its features
    blend: Sequence[float] = ()  # weight of each style; () = equal
    masks: Sequence[Any] = ()  # per style None or a picture (1, H, W) in [0, 1] of where it belongs
    recolour: float = 1.0  # how far the content to be found has the style's colours; 0: the paper's
    grain: float = 1.0  # how far a finished painting's grain is brought to the strength of the style's
    colours: str = "style"  # whose colours: "style", or the content's by "luminance" or "histogram"
    seed: int = 0
    ema: float = 0.0  # decay of the average of iterates that is returned (adam, gd); 0: the last one
    stop: float = 0.0  # end a size once 20 iterations lower the loss by less than this share
    tile: int = 0  # compute in tiles of this many pixels; 0: whole pictures

    def __post_init__(self) -> None:
        self._kinds()
        choices = (
            ("statistic", STATISTICS),
            ("variation", VARIATIONS),
            ("optimizer", OPTIMIZERS),
            ("colours", COLOURS),
            ("pooling", POOLINGS),
        )
        for name, allowed in choices:
            self._choice(name, tuple(allowed))
        if isinstance(self.features, str):
            self._choice("features", NAMES)
        if isinstance(self.init, str):
            self._choice("init", INITS)
        if isinstance(self.small_features, str):
            self._choice("small_features", NAMES)
        self._check_scales()
        for name, least in (("size", 16), ("iterations", 0), ("coarse", 0), ("seed", 0), ("tile", 0)):
            value = getattr(self, name)
            if value is None and name in ("coarse", "iterations"):
                continue
            if type(value) is not int or value < least:
                raise ArgumentError(f"{name}: expected a whole number of at least {least}, got {value!r}")
        if self.coarse and not 16 <= self.coarse <= self.size:
            raise ArgumentError(f"coarse: expected 0, or 16 to the size {self.size}, got {self.coarse}")
        if self.content_weight is None:
            object.__setattr__(self, "content_weight", 0.3 if self.from_noise() else 0.1)
        for name in ("content_weight", "style_weight", "variation_weight", "stop", "ema"):
            self._number(name, getattr(self, name), 0.0)
        for name in ("style_scale", "lr"):
            self._number(name, getattr(self, name), 1e-6)
        for name in ("recolour", "grain"):
            self._number(name, getattr(self, name), 0.0)
            if getattr(self, name) > 1:
                raise ArgumentError(f"{name}: expected a share from 0 to 1, got {getattr(self, name)!r}")
        if self.ema >= 1:
            raise ArgumentError(f"ema: expected a decay below 1, got {self.ema!r}")
        if self.ema and self.optimizer == "lbfgs":
            raise ArgumentError("ema: L-BFGS has no noise to average out; use it with optimizer adam or gd")
        if self.tile and "shifted" in self.statistic:
            raise ArgumentError("tile: shifted Gram matrices reach over tile edges; use gram or covariance")

    def steps(self, size: int) -> int:
        """The iterations at a size: unless they are set, 45 of L-BFGS at the last and more at smaller ones,
        where they cost little and masses find their places; 150 of the others' smaller steps at each."""
        if self.iterations is not None:
            return self.iterations
        if self.optimizer != "lbfgs":
            return 150
        return min(round(45 * (self.size / size) ** 0.7), 120)

    def from_noise(self) -> bool:
        """Whether the content has to be found before it can be painted."""
        return isinstance(self.init, str) and self.init in ("noise", "style")

    def _check_scales(self) -> None:
        """Refuse a list without a number above 0."""
        if not 1 <= len(self.scales) <= MOST_SCALES:
            raise ArgumentError(f"scales: expected 1 to {MOST_SCALES} numbers, got {len(self.scales)}")
        for value in self.scales:
            self._number("scales", value, 0.0)
        if not any(self.scales):
            raise ArgumentError("scales: at least one must be above 0")

    def _kinds(self) -> None:
        """Refuse what is no word, picture, file or list where one of these is expected."""
        kinds: dict[str, tuple[str, tuple[type, ...]]] = {
            "features": ("a network's name or an Extractor", (str, Extractor)),
            "weights": ("the path of a file", (str, os.PathLike, type(None))),
            "small_features": ("a network's name or an Extractor", (str, Extractor)),
            "scales": ("a list of numbers, one a halving", (list, tuple)),
            "init": ("a word or a picture", (str, np.ndarray, os.PathLike)),
            "content_layers": ("a list of layer names, or names with weights", (list, tuple, Mapping)),
            "style_layers": ("a list of layer names, or names with weights", (list, tuple, Mapping)),
            "blend": ("a list of numbers, one a style", (list, tuple)),
            "masks": ("a list of pictures, one a style", (list, tuple)),
        }
        for name, (words, allowed) in kinds.items():
            value: Any = getattr(self, name)
            names: Any = value if name.endswith("layers") and isinstance(value, allowed) else ()
            if not isinstance(value, allowed) or not all(isinstance(one, str) for one in names):
                raise ArgumentError(f"{name}: expected {words}, got {shown(value)}")

    def _choice(self, name: str, allowed: Sequence[str]) -> None:
        if getattr(self, name) not in allowed:
            raise ArgumentError(f"{name} {getattr(self, name)!r}: expected one of {', '.join(allowed)}")

    @staticmethod
    def _number(name: str, value: Any, least: float) -> None:
        most = sys.float_info.max  # neither infinity nor a whole number that no float can hold
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise ArgumentError(f"{name}: expected a number of at least {least:g}, got {shown(value)}")

    def sizes(self) -> list[int]:
        """The sizes to go through: ``coarse`` doubled until ``size``, or ``size`` alone."""
        coarse = COARSEST if self.coarse is None else self.coarse
        found = [self.size]
        while coarse and found[0] > coarse:
            found.insert(0, max(coarse, (found[0] + 1) // 2))
        return found

    def shares(self, count: int) -> list[float]:
        """The weight of each of ``count`` styles; they sum to 1. Raises ArgumentError."""
        if len(self.blend) not in (0, count) or len(self.masks) not in (0, count):
            raise ArgumentError(
                f"{count} styles: expected {count} blend weights and masks or none, "
                f"got {len(self.blend)} and {len(self.masks)}"
            )
        values = list(self.blend) or [1.0] * count
        for value in values:
            self._number("blend", value, 0.0)
        if count and sum(values) <= 0:
            raise ArgumentError("blend: at least one style needs a weight above 0")
        return [float(value) / sum(values) for value in values]


def layer_weights(
    given: Sequence[str] | Mapping[str, float],
    default: Sequence[str] | Mapping[str, float],
    extractor: Extractor,
) -> dict[str, float]:
    """Layer -> weight, summing to 1; equal where only names are given. Raises ArgumentError."""
    chosen = given or default
    pairs = dict(chosen) if isinstance(chosen, Mapping) else dict.fromkeys(chosen, 1.0)
    names = extractor.resolve(pairs)
    for value in pairs.values():
        Settings._number("layer weight", value, 0.0)
    total = sum(pairs.values())
    if total <= 0:
        raise ArgumentError("layer weights: at least one must be above 0")
    return {name: value / total for name, value in zip(names, pairs.values(), strict=True)}
