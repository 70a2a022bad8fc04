"""Graphs: every operation once, every edge, and no box on top of another."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import minigan
from minigan.errors import ArgumentError, GraphError
from minigan.tensor import Tensor
from minigan.viz.graph import graph_dot, graph_svg

SVG = "{http://www.w3.org/2000/svg}"


def leaf(*shape, requires_grad=True):
    return Tensor(np.ones(shape, np.float32), requires_grad=requires_grad)


@pytest.fixture
def network():
    """Two inputs, one of them used early and late, and a constant: (root, name -> leaf)."""
    weight, bias, constant = leaf(3, 2), leaf(2), leaf(4, 3, requires_grad=False)
    hidden = constant @ weight + bias
    root = ((hidden * hidden).exp() * bias).sum()
    return root, {"weight": weight, "bias": bias}


def dot_parts(text):
    labels = dict(re.findall(r'(n\d+) \[label="(.*?)"', text))
    edges = re.findall(r"(n\d+) -> (n\d+);", text)
    return labels, [(labels[a].split("\\n")[0], labels[b].split("\\n")[0]) for a, b in edges]


def test_dot_has_every_operation_and_edge(network):
    root, names = network
    labels, edges = dot_parts(graph_dot(root, names))
    assert sorted(label.split("\\n")[0] for label in labels.values()) == sorted(
        ["weight", "bias", "MatMul", "Add", "Mul", "Exp", "Mul", "Sum"]
    )
    assert sorted(edges) == sorted(
        [
            ("weight", "MatMul"),
            ("MatMul", "Add"),
            ("bias", "Add"),
            ("Add", "Mul"),
            ("Add", "Mul"),
            ("Mul", "Exp"),
            ("Exp", "Mul"),
            ("bias", "Mul"),
            ("Mul", "Sum"),
        ]
    )
    assert "weight\\n3 x 2" in labels.values() and "Sum\\nscalar" in labels.values()


def test_what_is_frozen_is_not_drawn(network):
    frozen, free = leaf(2, requires_grad=False), leaf(2)
    labels, edges = dot_parts(graph_dot((frozen * free).sum(), {"D": frozen, "G": free}))
    assert len(labels) == 3 and edges[0] == ("G", "Mul")
    assert not any(label.startswith("D") for label in labels.values())


def test_a_leaf_alone_is_a_graph():
    assert dot_parts(graph_dot(leaf(5)))[0] == {"n0": "leaf\\n5"}
    assert "5" in graph_svg(leaf(5))


def test_names_are_escaped():
    x = leaf(2)
    text = graph_dot(x.sum(), {'a"b\\c': x})
    assert r'label="a\"b\\c\n2"' in text
    ElementTree.fromstring(graph_svg(x.sum(), {"<a & b>": x}))


def boxes_of(svg):
    tree = ElementTree.fromstring(svg)
    rectangles = [
        [float(r.get(k)) for k in ("x", "y", "width", "height")]
        for r in tree.iter(SVG + "rect")
        if r.get("x") is not None
    ]
    return tree, rectangles


def test_svg_boxes_do_not_overlap_and_lie_inside(network):
    root, names = network
    tree, boxes = boxes_of(graph_svg(root, names))
    width, height = float(tree.get("width")), float(tree.get("height"))
    assert len(boxes) == 8
    for i, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x and 0 <= y and x + w <= width and y + h <= height
        for ox, oy, _, _ in boxes[i + 1 :]:
            assert abs(x - ox) >= w or abs(y - oy) >= h
    texts = [text.text for text in tree.iter(SVG + "text")]
    assert texts.count("Mul") == 2 and "weight" in texts and "3 x 2" in texts


def test_svg_edges_run_behind_no_box(network):
    root, names = network
    tree, boxes = boxes_of(graph_svg(root, names))
    paths = [path.get("d") for path in tree.iter(SVG + "path") if path.get("marker-end")]
    assert len(paths) == 9
    for path in paths:
        for x, start, end in vertical_runs(path):
            for left, top, wide, high in boxes:
                inside = left < x < left + wide and start < top + high and end > top
                assert not inside, f"{path} crosses a box"


def vertical_runs(path):
    """(x, from y, to y) of the straight parts that are longer than nothing."""
    x = y = 0.0
    for command, numbers in re.findall(r"([MVC])([-\d. e]+)", path):
        values = [float(v) for v in numbers.split()]
        if command == "V":
            if values[0] > y:
                yield x, y, values[0]
            y = values[0]
        else:
            x, y = values[-2:]


def test_the_graph_of_a_gradient_can_be_drawn():
    x = leaf(3)
    (g,) = minigan.grad((x * x * x).sum(), [x], create_graph=True)
    labels, _ = dot_parts(graph_dot((g * g).sum(), {"x": x}))
    assert len(labels) > 6


def test_a_long_chain_is_refused_or_drawn_without_recursion():
    x = leaf(1)
    y = x
    for _ in range(3000):
        y = y * 1.0
    with pytest.raises(ArgumentError, match="3000 operations are too many to draw, expected at most 300"):
        graph_svg(y)
    assert graph_dot(y, most=5000).count("->") == 3000


def test_a_released_graph_is_an_error():
    x = leaf(2)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GraphError, match="released this graph"):
        graph_dot(y)


def test_notes_stand_after_the_names_of_their_operations():
    x = leaf(2)
    y = (x * x).sum()
    svg = graph_svg(y, {"x": x}, notes={id(y.node): "0.3 & more"})
    assert ">Sum 0.3 &amp; more</text>" in svg and ">Mul</text>" in svg
