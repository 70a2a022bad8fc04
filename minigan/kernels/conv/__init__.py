"""The convolution algorithms, and the choice among them.

Read naive.py for the plain loops, im2col.py for the classic fast way, then the others.  ``use("winograd")``
forces an algorithm in a ``with`` block; ``explain(spec)`` says what is chosen and why.
"""

from minigan.kernels.conv import (  # noqa: F401 - importing an algorithm registers it
    cuda_im2col,
    depthwise,
    fft,
    grouped,
    im2col,
    mec,
    naive,
    planar,
    shifted,
    triad,
    whole,
    winograd,
    winograd1d,
)
from minigan.kernels.conv.autotune import autotune
from minigan.kernels.conv.registry import choose, explain, names, use

__all__ = ["autotune", "choose", "explain", "names", "use"]
