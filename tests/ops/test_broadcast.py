"""Shapes that meet."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from minigan.errors import ShapeError
from minigan.ops.operands import broadcast_shapes


@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3))
def test_shapes_meet_as_numpys_do(shapes):
    assert broadcast_shapes(*shapes.input_shapes, "add") == shapes.result_shape
    assert broadcast_shapes(*shapes.input_shapes, "add") == np.broadcast_shapes(*shapes.input_shapes)


@pytest.mark.parametrize("a, b", [((2,), (3,)), ((2, 1), (3, 2)), ((4, 2, 3), (2, 2))])
def test_shapes_that_do_not_meet_are_named(a, b):
    with pytest.raises(ShapeError, match=re.escape(f"mul: shapes {a} and {b} do not broadcast")):
        broadcast_shapes(a, b, "mul")
