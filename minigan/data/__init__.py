"""Data sets as host arrays: NumPy in, NumPy out, whatever device trains on them.

Start at :func:`open_dataset`; :class:`Loader` cuts what it returns into shuffled batches.
"""

from minigan.data.dataset import NAMES, Dataset, open_dataset
from minigan.data.glyphs import render_glyphs
from minigan.data.images import load_image, resize, save_image
from minigan.data.loader import Loader

__all__ = [
    "NAMES",
    "Dataset",
    "Loader",
    "load_image",
    "open_dataset",
    "render_glyphs",
    "resize",
    "save_image",
]
