"""Strategies: every draw is valid, the interesting ones come up, and failures shrink to the smallest case."""

import itertools

import numpy as np
import pytest
from hypothesis import find, given

from minigan.testing import strategies as st
from minigan.testing.layout import LAYOUTS, in_layout


def drawn(strategy, count=100):
    return st.draw_examples(strategy, count, seed=1)


def test_convolutions_have_the_output_they_were_built_from_and_reach_every_kind():
    configs = drawn(st.conv_configs())
    for c in configs:
        for axis in (0, 1):
            s, p, d = (np.broadcast_to(c.kwargs[name], 2)[axis] for name in ("stride", "padding", "dilation"))
            H, KH, OH = c.x_shape[2 + axis], c.weight_shape[2 + axis], c.out_shape[2 + axis]
            assert H >= 1 and (H + 2 * p - d * (KH - 1) - 1) // s + 1 == OH
    assert any(c.x_shape[2] != c.x_shape[3] for c in configs) and any(c.x_shape[0] == 1 for c in configs)
    assert any(isinstance(c.kwargs["stride"], int) for c in configs)
    assert any(c.kwargs["groups"] > 1 for c in configs)
    assert all(c.kwargs["groups"] == 1 for c in drawn(st.conv_configs(grouped=False), 30))


def test_transposed_convolutions_too():
    for c in drawn(st.conv_transpose_configs()):
        for axis in (0, 1):
            s, p, d, e = (np.broadcast_to(c.kwargs[name], 2)[axis]
                          for name in ("stride", "padding", "dilation", "output_padding"))  # fmt: skip
            i, k = c.x_shape[2 + axis], c.weight_shape[2 + axis]
            assert c.out_shape[2 + axis] == (i - 1) * s - 2 * p + d * (k - 1) + e + 1 >= 1 and e < max(s, d)


def test_pools_overlap_touch_and_leave_gaps():
    kinds = set()
    for c in drawn(st.pool_configs()):
        k, s, p = (np.broadcast_to(c.kwargs[name], 2) for name in ("kernel_size", "stride", "padding"))
        assert (p <= k // 2).all() and min(c.x_shape) >= 1
        kinds |= set(np.sign(s - k).tolist())
    assert kinds == {-1, 0, 1}
    assert not any(np.any(c.kwargs["padding"]) for c in drawn(st.pool_configs(padded=False), 50))


def test_resizes_go_up_and_down_by_size_and_by_factor():
    configs = drawn(st.resample_configs())
    assert {"size" in c.kwargs for c in configs} == {True, False}
    assert {c.kwargs["mode"] for c in configs} == {"nearest", "bilinear"}


def test_pairs_broadcast():
    pairs = drawn(st.broadcast_pairs())
    assert all(np.broadcast_shapes(*pair) is not None for pair in pairs)
    assert any(len(a) != len(b) for a, b in pairs) and any(a == b for a, b in pairs)


def test_distinct_numbers_are_apart_and_tied_ones_are_not():
    for array in drawn(st.distinct_arrays((4, 5)), 30):
        numbers = np.sort(np.append(array.ravel(), 0.0))
        assert np.diff(numbers).min() >= 0.01
    for array in drawn(st.tied_arrays((4, 5)), 30):
        assert len(np.unique(array)) <= 3
    assert st.draw_examples(st.distinct_arrays(()), 1)[0].shape == ()
    assert all(1 <= array.ndim <= 2 for array in drawn(st.arrays(st.shapes(1, 2)), 30))


def test_samples_of_several_arrays_of_one_shape():
    for sample in drawn(st.array_samples(count=2, low=0.5, high=0.75), 20):
        first, second = sample.inputs
        assert first.shape == second.shape and 0.5 <= first.min() and second.max() < 0.75
    tied = drawn(st.array_samples((6,), ties=True), 40)
    assert any(len(np.unique(s.inputs[0])) < 6 for s in tied) and any(
        len(np.unique(s.inputs[0])) == 6 for s in tied
    )


def test_graphs_know_the_shapes_of_their_values():
    for graph in drawn(st.graphs(max_steps=12), 50):
        assert all(max(step.reads) < len(graph.inputs) + i for i, step in enumerate(graph.steps))
    names = {step.operation for graph in drawn(st.graphs(), 200) for step in graph.steps}
    assert {"matmul", "concatenate", "broadcast", "detach", "take"} <= names
    assert not any(name == "broadcast" for name, _, _ in st._possible((2, 2, 2), (2,)))


@given(st.layouts(), st.arrays(st.shapes(0, 4)))
def test_every_layout_holds_the_same_numbers(layout, array):
    laid = in_layout(array, layout)
    assert laid.shape == array.shape and laid.dtype == array.dtype
    if layout != "broadcast":
        np.testing.assert_array_equal(laid, array)


def test_layouts_lie_as_they_say():
    array = np.arange(24.0).reshape(2, 3, 4)
    strides = {name: in_layout(array, name).strides for name in LAYOUTS}
    assert strides["c"] == (96, 32, 8) and strides["fortran"] == (8, 16, 48)
    assert strides["channels_last"][1] == 8 and strides["broadcast"][0] == 0
    assert all(step < 0 for step in strides["reversed"] + strides["tangled"])
    assert len(set(strides.values())) == len(LAYOUTS)


def test_a_failure_shrinks_to_the_smallest_convolution():
    smallest = find(st.conv_configs(), lambda c: np.max(c.kwargs["stride"]) > 1)
    assert smallest.x_shape == (1, 1, 1, 1) and smallest.kwargs["groups"] == 1
    assert max(smallest.weight_shape + smallest.out_shape) <= 2


def test_examples_are_no_variations_of_one_another():
    examples = drawn(st.shapes(4, 4, 1, 9), 80)
    alike = [sum(a == b for a, b in zip(*pair, strict=True)) for pair in itertools.pairwise(examples)]
    assert np.mean(alike) < 1  # 4/9 by chance
    assert len(set(examples)) > 75


def test_there_are_no_more_examples_than_the_strategy_holds():
    assert st.draw_examples(st.just(1), 10) == [1]


@pytest.mark.parametrize("name", st.__all__)
def test_what_is_promised_is_there(name):
    assert hasattr(st, name)
