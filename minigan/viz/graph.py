"""Draw the graph behind a Tensor: which operations made it, from which leaves.

Values flow down the picture, gradients flow up the same edges.  What needs no gradient is not recorded and
so not drawn: that is how one sees that a discriminator is frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from minigan.autograd import ancestors
from minigan.errors import ArgumentError, GraphError
from minigan.tensor import Op, Tensor

_WIDE, _HIGH, _GAP, _DROP = 150, 40, 24, 34  # of a box, and between boxes, in SVG units
_Point: TypeAlias = tuple[float, float]


@dataclass
class _Box:
    lines: tuple[str, ...]  # what is written in it
    leaf: bool
    parents: tuple[int, ...]  # positions of the boxes whose values flow in
    layer: int  # 0 at the top


def _boxes(
    root: Tensor, names: Mapping[str, Tensor] | None, most: int, notes: Mapping[int, str] | None = None
) -> list[_Box]:
    """One box for each leaf, operation and for the root, each after its parents."""
    ops = ancestors([root])
    if any(op.released for op in ops):
        raise GraphError("graph: backward has released this graph; draw it before, or pass retain_graph=True")
    if len(ops) > most:
        raise ArgumentError(
            f"graph: {len(ops)} operations are too many to draw, expected at most {most}; "
            "draw a smaller part, or pass a larger most="
        )
    known = {id(tensor): name for name, tensor in (names or {}).items()}
    boxes: list[_Box] = []
    place: dict[int, int] = {}

    def add(thing: Op | Tensor, lines: tuple[str, ...], parents: tuple[int, ...]) -> None:
        layer = 1 + max((boxes[p].layer for p in parents), default=-1)
        place[id(thing)] = len(boxes)
        boxes.append(_Box(lines, isinstance(thing, Tensor), parents, layer))

    for op in ops:
        for edge in op.parents:
            if isinstance(edge, Tensor) and id(edge) not in place:
                add(edge, (known.get(id(edge), "leaf"), _shape(edge.shape)), ())
        sources = tuple(place[id(edge)] for edge in op.parents if edge is not None)
        name = f"{op.name} {notes[id(op)]}" if notes and id(op) in notes else op.name
        add(op, (name, _shape(op.shape)), sources)
    if root.node is None:
        add(root, (known.get(id(root), "leaf"), _shape(root.shape)), ())
    _lower_leaves(boxes)
    return boxes


def _lower_leaves(boxes: list[_Box]) -> None:
    """A leaf belongs just above the first operation that reads it, not at the very top."""
    for place, box in enumerate(boxes):
        readers = [other.layer for other in boxes if place in other.parents]
        if box.leaf and readers:
            box.layer = min(readers) - 1


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "scalar"


def graph_dot(root: Tensor, names: Mapping[str, Tensor] | None = None, *, most: int = 2000) -> str:
    """Return the graph in Graphviz's DOT language; ``names`` (name -> leaf) labels leaves.

    Raises GraphError if the graph was released, ArgumentError if it has more than ``most`` operations.
    """
    lines = ["digraph minigan {", '  node [shape=box, fontname="sans-serif"];']
    boxes = _boxes(root, names, most)
    for i, box in enumerate(boxes):
        text = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in box.lines)
        style = ', style=filled, fillcolor="#dbe9f6"' if box.leaf else ""
        lines.append(f'  n{i} [label="{text}"{style}];')
    lines += [f"  n{parent} -> n{i};" for i, box in enumerate(boxes) for parent in box.parents]
    return "\n".join([*lines, "}"]) + "\n"


def graph_svg(
    root: Tensor,
    names: Mapping[str, Tensor] | None = None,
    *,
    most: int = 300,
    notes: Mapping[int, str] | None = None,
) -> str:
    """Return the graph as an SVG picture; arguments and errors as in :func:`graph_dot`.

    ``notes`` (the id of an operation -> a few letters, a time say) stand after the operation's name.
    """
    boxes = _boxes(root, names, most, notes)
    centres, paths, width, height = _layout(boxes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12" text-anchor="middle">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for path in paths:
        line = f"M{path[0][0]:g} {path[0][1] + _HIGH / 2:g}"
        for (ax, ay), (bx, by) in zip(path, path[1:], strict=False):
            start, end = ay + _HIGH / 2, by - _HIGH / 2
            middle = (start + end) / 2
            line += f"V{start:g}C{ax:g} {middle:g} {bx:g} {middle:g} {bx:g} {end:g}"
        parts.append(f'<path d="{line}" fill="none" stroke="#555" marker-end="url(#tip)"/>')
    for box, (x, y) in zip(boxes, centres, strict=False):
        fill, corner = ("#dbe9f6", 3) if box.leaf else ("#fdf1dc", 12)
        parts.append(
            f'<rect x="{x - _WIDE / 2:g}" y="{y - _HIGH / 2:g}" width="{_WIDE}" height="{_HIGH}" '
            f'rx="{corner}" fill="{fill}" stroke="#555"/>'
        )
        name, shape = box.lines
        parts.append(f'<text x="{x:g}" y="{y - 3:g}" font-weight="bold">{escape(name)}</text>')
        parts.append(f'<text x="{x:g}" y="{y + 13:g}" fill="#555">{escape(shape)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _layout(boxes: list[_Box]) -> tuple[list[_Point], list[list[_Point]], int, int]:
    """Centres of the boxes, the points each edge runs through, width and height of the whole.

    An edge that passes a layer gets a narrow place of its own there, so that it runs behind no box.  In each
    layer the places stand in the order of what they read from.
    """
    layers = [box.layer for box in boxes]
    sources = [list(box.parents) for box in boxes]
    edges = []
    for i, box in enumerate(boxes):
        for parent in box.parents:
            chain = [parent]
            for layer in range(boxes[parent].layer + 1, box.layer):
                layers.append(layer)
                sources.append([chain[-1]])
                chain.append(len(layers) - 1)
            edges.append([*chain, i])
    rows: list[list[int]] = [[] for _ in range(max(layers) + 1)]
    for place, layer in enumerate(layers):
        rows[layer].append(place)
    wide = [_WIDE if place < len(boxes) else 0 for place in range(len(layers))]
    needed = [sum(wide[place] + _GAP for place in row) for row in rows]
    width = max(needed) + _GAP
    across = [0.0] * len(layers)
    for row, need in zip(rows, needed, strict=True):
        row.sort(key=lambda place: (_mean([across[p] for p in sources[place]], width), place))
        left = (width - need) / 2
        for place in row:
            across[place] = left + (wide[place] + _GAP) / 2
            left += wide[place] + _GAP
    down = [_GAP + _HIGH / 2 + layer * (_HIGH + _DROP) for layer in layers]
    points = list(zip(across, down, strict=True))
    height = 2 * _GAP + _HIGH + max(layers) * (_HIGH + _DROP)
    return points, [[points[place] for place in chain] for chain in edges], width, height


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
