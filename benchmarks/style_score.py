"""How near is a painting to its style? Figures that any picture file can be judged by.

Two kinds, neither of which is the loss that ``minigan style`` minimises:

* **Gram distances by scale**: painting and style, both as they are and shrunk 4 and 8 times (means over
  squares), go through a network of fixed random weights, and their Gram matrices are compared layer by layer.
  The distance is divided by that of the *recoloured content*, the content with the mean and covariance of the
  style's colours: 1 says that nothing but colours changed, 0 that the statistics are the style's own. Shrunk
  pictures see what is 4 and 8 times as large: masses of light and dark, sweeps over a third of the picture.
* **Energy by band**: the power spectrum between two frequencies, divided by the style's. The highest band, at
  and above a quarter of the sampling rate, is the grain: below 1 is too smooth, above 1 is noise.
"""

import functools

import numpy as np

from minigan import Tensor, no_grad
from minigan.data import resize
from minigan.style import open_features
from minigan.style.checks import fitted
from minigan.style.colour import match_colours
from minigan.style.gram import gram

SHRUNK = (1, 4, 8)
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
BANDS = (0.25, 0.125, 0.0625, 0.03125)  # lower ends, in cycles a pixel; the first reaches to the corner


@functools.cache
def network():
    """The random network that judges; its seed is no default of any painting."""
    return open_features("random", seed=1016)


def shrunk(picture, factor):
    """(3, H, W) -> (3, H // factor, W // factor): means over squares."""
    channels, height, width = picture.shape
    height, width = height // factor, width // factor
    squares = picture[:, : height * factor, : width * factor].reshape(channels, height, factor, width, factor)
    return squares.mean((2, 4), dtype=np.float32)


def grams(picture):
    """(3, H, W) -> the Gram matrix of each layer."""
    with no_grad():
        found = network()(Tensor(np.ascontiguousarray(picture[None], np.float32)), LAYERS)
        return [gram(found[layer]).numpy().astype(np.float64) for layer in LAYERS]


def distance(picture, style):
    """Mean over layers of |G - G_style|^2 / |G_style|^2 (sums of squares): arXiv 1508.06576, equation 5."""
    pairs = zip(grams(picture), grams(style), strict=True)
    return float(np.mean([((ours - wanted) ** 2).sum() / (wanted**2).sum() for ours, wanted in pairs]))


def band_energies(picture):
    """(3, H, W) -> mean power between each of BANDS and the one before, under a window without edges."""
    height, width = picture.shape[1:]
    window = np.hanning(height)[:, None] * np.hanning(width)
    centred = picture - picture.mean((1, 2), keepdims=True)
    power = (np.abs(np.fft.fft2(centred * window)) ** 2).mean(0) / (window**2).sum() / (height * width)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    bands = zip((1.0, *BANDS[:-1]), BANDS, strict=True)
    return np.array([power[(low <= frequency) & (frequency < high)].sum() for high, low in bands])


def judge(painting, content, style):
    """Figures of a painting (3, H, W): {"gram": {1: ..., 4: ..., 8: ...}, "bands": [highest, ...]}.

    Content and style come as they are; the style is looked at with the painting's longer side.
    """
    height, width = painting.shape[1:]
    style = resize(style, *fitted(style.shape[1:], max(height, width)))
    plain = match_colours(resize(content, height, width), style)
    found = {}
    for factor in SHRUNK:
        small, wanted, recoloured = (shrunk(one, factor) for one in (painting, style, plain))
        found[factor] = distance(small, wanted) / distance(recoloured, wanted)
    return {"gram": found, "bands": list(band_energies(painting) / band_energies(style))}
