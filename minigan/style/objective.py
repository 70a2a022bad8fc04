"""The function that a painting minimises: from pixels to a loss, its parts, and its gradient.

An objective is built once for a size (targets are computed, the network is not touched again) and then called
for every step. Style targets are statistics of the style, the content target is a feature map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from minigan import ops
from minigan.autograd import grad
from minigan.data import resize
from minigan.errors import NumericError
from minigan.modes import no_grad
from minigan.style.features import Extractor
from minigan.style.gram import Statistic, Sums, spread, statistics
from minigan.style.losses import style_loss, variation
from minigan.style.settings import Settings, layer_weights
from minigan.tensor import Tensor

Key = tuple[str, str, int, int]  # ("style" or "content", layer, number of the statistic, number of the mask)
Window = Callable[[str, Tensor], tuple[Tensor, tuple[slice, slice]]]


@dataclass(frozen=True)
class Value:
    """The loss at a picture: total, its parts before weighting, and the gradient (1, 3, H, W)."""

    total: float
    parts: dict[str, float]
    gradient: np.ndarray


class Objective:
    """Total loss of a picture (1, 3, H, W) for one content and any number of styles.

    content: (3, H, W) or None; styles: pictures (3, h, w), of any sizes; shares: weight of each style; masks:
    per style None or (H, W) in [0, 1], where in the painting it counts.
    """

    def __init__(
        self,
        extractor: Extractor,
        settings: Settings,
        content: np.ndarray | None,
        styles: Sequence[np.ndarray],
        shares: Sequence[float],
        masks: Sequence[np.ndarray | None],
    ) -> None:
        self.extractor, self.settings = extractor, settings
        self.shares, self.masks = list(shares), list(masks)
        self.content_layers = (
            layer_weights(settings.content_layers, extractor.content, extractor)
            if content is not None and settings.content_weight
            else {}
        )
        self.style_layers = (
            layer_weights(settings.style_layers, extractor.style, extractor)
            if styles and settings.style_weight
            else {}
        )
        self.wanted = tuple(dict.fromkeys([*self.content_layers, *self.style_layers]))
        self._small_masks: dict[tuple[int, str], np.ndarray] = {}
        self.statistics: tuple[Statistic, ...] = statistics(settings.statistic)
        self._set_targets(content, styles)

    def _set_targets(self, content: np.ndarray | None, styles: Sequence[np.ndarray]) -> None:
        self.content_target: dict[str, Tensor] = {}
        self.style_targets: list[dict[tuple[str, int], Sums]] = []
        self.spreads: list[dict[str, Tensor]] = []
        with no_grad():
            if self.content_layers and content is not None:
                self.content_target = self.extractor(self._batch(content), tuple(self.content_layers))
            for style in styles if self.style_layers else ():
                found = self.extractor(self._batch(style), tuple(self.style_layers))
                self.spreads.append({layer: spread(found[layer]) for layer in self.style_layers})
                self.style_targets.append(
                    {
                        (layer, k): statistic.finish(statistic.sums(found[layer]))
                        for layer in self.style_layers
                        for k, statistic in enumerate(self.statistics)
                    }
                )
            rough = [
                variation(self._batch(picture), self.settings.variation).item()
                for picture in (styles or ([content] if content is not None else []))
            ]
        self.roughness = max(float(np.mean(rough)), 1e-6) if rough else 1.0

    def _batch(self, picture: np.ndarray) -> Tensor:
        return Tensor(np.ascontiguousarray(picture[None], self.extractor.dtype))  # (1, 3, H, W)

    def __call__(self, picture: np.ndarray) -> Value:
        """Evaluate at a picture (1, 3, H, W). Raises NumericError if the loss is not finite."""
        x = Tensor(np.asarray(picture, self.extractor.dtype), requires_grad=True)
        total, parts = self.assemble(self.collect(x), x)
        (gradient,) = grad(total, x)
        return finished(total, parts, gradient.numpy() if gradient is not None else np.zeros_like(picture))

    def collect(self, x: Tensor, window: Window | None = None) -> dict[Key, Sums]:
        """Everything the loss needs from a picture, as sums over places, which add up over tiles.

        Of a tile, ``window`` cuts the features that count and finds the places in the whole picture's map
        where they lie (see :mod:`minigan.style.tiles`); a whole picture needs none.
        """
        found = self.extractor(x, self.wanted) if self.wanted else {}
        sums: dict[Key, Sums] = {}
        for layer, features in found.items():
            place = (slice(None), slice(None))
            if window is not None:
                features, place = window(layer, features)
            if layer in self.content_layers:
                difference = features - self.content_target[layer][(slice(None), slice(None), *place)]
                sums["content", layer, 0, 0] = (ops.sum(difference * difference),)
            if layer in self.style_layers:
                for m, mask in self.distinct_masks():
                    small = None if mask is None else self._fitted(mask, layer)[place]
                    for k, statistic in enumerate(self.statistics):
                        sums["style", layer, k, m] = statistic.sums(features, small)
        return sums

    def _fitted(self, mask: np.ndarray, layer: str) -> np.ndarray:
        """A mask at the size of a layer's map; kept, as it is asked for at every step."""
        key = (id(mask), layer)
        if key not in self._small_masks:
            _, _, height, width = self.extractor.walk(mask.shape[0], mask.shape[1], (layer,))[-1]
            self._small_masks[key] = resize(mask[None], height, width)[0]
        return self._small_masks[key]

    def distinct_masks(self) -> list[tuple[int, np.ndarray | None]]:
        """(number of the first style that has it, mask), each different mask once."""
        seen: dict[int, tuple[int, np.ndarray | None]] = {}
        for i, mask in enumerate(self.masks):
            seen.setdefault(id(mask), (i, mask))
        return list(seen.values())

    def assemble(self, sums: dict[Key, Sums], x: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
        """Sums (and the picture, for its variation) -> total loss and its parts before weighting."""
        parts: dict[str, Tensor] = {}
        if self.content_layers:
            parts["content"] = _weighted(
                (
                    # A hundredth per element: a grey content has no energy in the layers of pixels.
                    sums["content", layer, 0, 0][0] / (ops.sum(target * target) + 0.01 * target.size),
                    self.content_layers[layer],
                )
                for layer, target in self.content_target.items()
            )
        if self.style_targets:
            first = {id(mask): m for m, mask in self.distinct_masks()}
            parts["style"] = _weighted(
                (
                    style_loss(
                        statistic.finish(sums["style", layer, k, first[id(self.masks[i])]]),
                        self.style_targets[i][layer, k],
                        self.spreads[i][layer] if statistic.balanced else None,
                    ),
                    share * weight / len(self.statistics),
                )
                for i, share in enumerate(self.shares)
                for layer, weight in self.style_layers.items()
                for k, statistic in enumerate(self.statistics)
            )
        if x is not None and self.settings.variation_weight:
            parts["variation"] = variation(x, self.settings.variation) / self.roughness
        weights = {name: getattr(self.settings, f"{name}_weight") for name in parts}
        return _weighted((part, weights[name]) for name, part in parts.items()), parts


def finished(total: Tensor, parts: dict[str, Tensor], gradient: np.ndarray) -> Value:
    """Bring numbers to the host; NaN or infinity is a NumericError that names the part."""
    values = {name: float(part.item()) for name, part in parts.items()}
    bad = [name for name, value in values.items() if not np.isfinite(value)]
    if bad or not np.isfinite(gradient).all():
        raise NumericError(
            f"style: {', '.join(bad) or 'the gradient'} became NaN or infinite; "
            "lower the weights or the learning rate"
        )
    return Value(float(total.item()), values, gradient)


def _weighted(pairs: Iterable[tuple[Tensor, float]]) -> Tensor:
    total: Tensor | None = None
    for part, weight in pairs:
        total = part * weight if total is None else total + part * weight
    return Tensor(np.zeros((), np.float32)) if total is None else total
