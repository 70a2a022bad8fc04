"""Pictures of what happens: grids, films, curves. Arrays in, a file or an array out."""

from minigan.viz.curves import draw_curves
from minigan.viz.film import write_film
from minigan.viz.grid import image_grid

__all__ = ["draw_curves", "image_grid", "write_film"]
