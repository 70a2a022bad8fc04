"""Small extractors and pictures for the tests of style transfer."""

import numpy as np

from minigan.style import filters
from minigan.style.features import BESIDE, PALETTE, Extractor, vgg_like


def extractor(*, widths=(4, 6), dtype=np.float32, seed=0, **options):
    layers = [*BESIDE, *vgg_like(widths)]
    weights = filters.palette(PALETTE) | filters.random_weights(layers, np.random.default_rng(seed))
    blocks = range(1, len(widths) + 1)
    return Extractor(
        "tiny",
        layers,
        weights,
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
        content=(f"relu{len(widths)}_1",),
        style=tuple(f"relu{block}_1" for block in blocks),
        dtype=dtype,
        **options,
    )


def picture(seed, height=16, width=24, dtype=np.float32):
    """Smooth random colours in [0.1, 0.9]."""
    rng = np.random.default_rng(seed)
    waves = sum(
        np.sin(
            rng.uniform(0.2, 0.9) * np.arange(height)[:, None]
            + rng.uniform(0.2, 0.9) * np.arange(width)
            + rng.random((3, 1, 1)) * 6
        )
        for _ in range(3)
    )
    return (0.5 + 0.13 * waves).clip(0.1, 0.9).astype(dtype)
