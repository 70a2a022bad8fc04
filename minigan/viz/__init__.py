"""Pictures of what happens in a run: arrays in, file (or pixels) out.

Pixels are uint8 arrays (H, W, 1) or (H, W, 3).  matplotlib and Pillow are imported where they are used.
"""

from minigan.viz.curves import curves_png, save_curves
from minigan.viz.drawn_curves import curves_svg
from minigan.viz.film import save_film
from minigan.viz.graph import graph_dot, graph_svg
from minigan.viz.grid import image_grid, save_grid, save_png
from minigan.viz.html import Report
from minigan.viz.plane import draw_plane

__all__ = [
    "Report",
    "curves_png",
    "curves_svg",
    "draw_plane",
    "graph_dot",
    "graph_svg",
    "image_grid",
    "save_curves",
    "save_film",
    "save_grid",
    "save_png",
]
