"""What the strategies can draw: each documented extreme is reached, and none is exceeded."""

import numpy as np
import pytest
from hypothesis import find

from minigan.testing import strategies as st
from minigan.testing.graphs import OPERATIONS

MANY = 120


def drawn(strategy, count=MANY):
    return st.draw_examples(strategy, count, seed=3)


def of_axes(config, *names):
    """The settings of a configuration, one tuple for the rows and one for the columns."""
    return list(zip(*(np.broadcast_to(config.kwargs[name], 2).tolist() for name in names), strict=True))


def test_examples_are_counted_and_the_seed_is_0_unless_one_is_given():
    first = st.draw_examples(st.seeds(), 40)
    assert len(first) == 40 and first == st.draw_examples(st.seeds(), 40, 0)
    assert first != st.draw_examples(st.seeds(), 40, 1)


def test_seeds_are_what_32_bits_hold():
    many = drawn(st.seeds(), 300)
    assert find(st.seeds(), lambda seed: True) == 0
    assert max(many) == 2**32 - 1 and len(set(many)) > 200


def test_shapes():
    default = drawn(st.shapes())
    assert {len(shape) for shape in default} == {0, 1, 2, 3, 4}
    assert {side for shape in default for side in shape} == {1, 2, 3, 4}
    chosen = drawn(st.shapes(1, 2, 0, 3))
    assert {len(shape) for shape in chosen} == {1, 2} and {n for shape in chosen for n in shape} == {
        0,
        1,
        2,
        3,
    }
    for strategy in (st.arrays, st.tied_arrays, st.distinct_arrays):
        assert {array.ndim for array in drawn(strategy(), 80)} == {0, 1, 2, 3, 4}


def test_uniform_numbers_fill_their_interval():
    for strategy, low, high in [
        (st.arrays((1000,)), -2, 2),
        (st.arrays((1000,), 0.5, 0.75), 0.5, 0.75),
        (st.array_samples((1000,), low=0.5).map(lambda sample: sample.inputs[0]), 0.5, 2),
    ]:
        numbers = np.concatenate(drawn(strategy, 3))
        edge = 0.01 * (high - low)
        assert low <= numbers.min() < low + edge and high - edge < numbers.max() < high


@pytest.mark.parametrize("count, gap", [(1, 0.5), (7, 0.5), (8, 0.5), (10, 0.4), (200, 0.02), (401, 0.02)])
def test_distinct_numbers_lie_a_quarter_gap_around_a_grid_without_0(count, gap):
    """Half of the numbers below 0; the grid spans [-2, 2] until its gap would fall below 0.02."""
    arrays = drawn(st.distinct_arrays((count,)), 60)
    grid = (np.arange(count) - count // 2 + 0.5) * gap
    shifts = np.array([np.sort(array) - grid for array in arrays]) / gap
    assert np.abs(shifts).max() <= 0.25 + 1e-9
    assert shifts.min() < -0.15 and shifts.max() > 0.15
    assert count == 1 or any((np.diff(array) < 0).any() for array in arrays)


def test_arrays_without_elements_can_be_asked_for():
    assert drawn(st.distinct_arrays((0, 3)), 1)[0].shape == (0, 3)


def test_tied_numbers_are_of_three_kinds():
    kinds = {tuple(np.unique(array)) for array in drawn(st.tied_arrays((60,)))}
    assert kinds == {(-1, 0, 1), (0, 1), (1,)}


def test_a_sample_is_one_array_of_numbers_apart_unless_more_is_asked_for():
    samples = drawn(st.array_samples((6,)), 30)
    assert {len(sample.inputs) for sample in samples} == {1}
    assert all(len(np.unique(sample.inputs[0])) == 6 for sample in samples)
    assert all(sample.inputs[0].min() < 0 < sample.inputs[0].max() for sample in samples)


def test_pairs_lack_axes_and_hold_ones_on_either_side():
    pairs = drawn(st.broadcast_pairs())
    shapes = [shape for pair in pairs for shape in pair]
    assert {len(shape) for shape in shapes} == {0, 1, 2, 3} and {n for shape in shapes for n in shape} == {
        1,
        2,
        3,
    }
    for larger in (lambda a, b: len(a) - len(b), lambda a, b: int(np.prod(a)) - int(np.prod(b))):
        assert {np.sign(larger(*pair)) for pair in pairs} == {-1, 0, 1}
    assert any(np.broadcast_shapes(*pair) not in pair for pair in pairs)  # both give way
    assert any(a == b and min(a, default=1) > 1 for a, b in pairs if a)  # neither does
    assert any(len(a) == len(b) + 2 for a, b in pairs)


def convolution_axes(configs, slack_of):
    """(kernel, stride, dilation, padding, slack) of every axis drawn."""
    rows = []
    for c in configs:
        for axis, (s, p, d) in enumerate(of_axes(c, "stride", "padding", "dilation")):
            rows.append((c.weight_shape[2 + axis], s, d, p, slack_of(c, axis, s, p, d)))
    return rows


def check_convolutions(configs, rows):
    kernels, strides, dilations, paddings, _ = zip(*rows, strict=True)
    assert (set(kernels), set(strides), set(dilations)) == ({1, 2, 3}, {1, 2, 3}, {1, 2})
    assert set(paddings) == {0, 1, 2, 3}
    assert {c.kwargs["groups"] for c in configs} == {1, 2, 3} and {c.x_shape[0] for c in configs} == {1, 2, 3}
    assert any(isinstance(c.kwargs["stride"], int) for c in configs)
    alike = [c.kwargs["stride"] for c in configs if len(set(of_axes(c, "stride"))) == 1]
    assert {type(stride) for stride in alike} == {int, tuple}


def slack_of_convolution(c, axis, s, p, d):
    return (c.x_shape[2 + axis] + 2 * p - d * (c.weight_shape[2 + axis] - 1) - 1) % s


def test_convolutions():
    configs = drawn(st.conv_configs(), 160)
    rows = convolution_axes(configs, slack_of_convolution)
    check_convolutions(configs, rows)
    assert {(s, slack) for _, s, _, _, slack in rows} == {(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)}
    assert {size for c in configs for size in c.out_shape[2:]} == {1, 2, 3}
    sizes = {(c.x_shape[2 + axis], p) for c in configs for axis, (p,) in enumerate(of_axes(c, "padding"))}
    assert (
        min(size for size, _ in sizes) == 1 and {(1, 1), (1, 2), (1, 3)} <= sizes
    )  # as much as there can be
    per_group = {
        (c.x_shape[1] // c.kwargs["groups"], c.weight_shape[0] // c.kwargs["groups"]) for c in configs
    }
    assert per_group == {(1, 1), (1, 2), (2, 1), (2, 2)}
    for c in configs:
        assert c.weight_shape[1] * c.kwargs["groups"] == c.x_shape[1]
        assert c.out_shape[:2] == (c.x_shape[0], c.weight_shape[0])
    small = drawn(st.conv_configs(1, 2, grouped=False), 40)
    assert {c.out_shape[2:] for c in small} == {(1, 1)} and {
        n for c in small for n in c.weight_shape[2:]
    } == {1, 2}
    assert {c.kwargs["groups"] for c in small} == {1}


def test_transposed_convolutions():
    configs = drawn(st.conv_transpose_configs(), 160)
    rows = convolution_axes(configs, lambda c, axis, *_: of_axes(c, "output_padding")[axis][0])
    check_convolutions(configs, rows)
    assert {(max(s, d), extra) for _, s, d, _, extra in rows} == {
        (1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)
    }  # fmt: skip
    assert {size for c in configs for size in c.x_shape[2:]} == {1, 2, 3}
    sizes = {(c.out_shape[2 + axis], p) for c in configs for axis, (p,) in enumerate(of_axes(c, "padding"))}
    assert min(size for size, _ in sizes) == 1 and {(1, 1), (1, 2), (1, 3)} <= sizes
    per_group = {(c.x_shape[1] // c.kwargs["groups"], c.weight_shape[1]) for c in configs}
    assert per_group == {(1, 1), (1, 2), (2, 1), (2, 2)}
    for c in configs:
        assert c.weight_shape[0] == c.x_shape[1]
        assert c.out_shape[:2] == (c.x_shape[0], c.weight_shape[1] * c.kwargs["groups"])
    small = drawn(st.conv_transpose_configs(1, 2, grouped=False), 40)
    assert {c.x_shape[2:] for c in small} == {(1, 1)} and {n for c in small for n in c.weight_shape[2:]} == {
        1,
        2,
    }
    assert {c.kwargs["groups"] for c in small} == {1}


def test_pools():
    configs, seen = drawn(st.pool_configs(), 150), set()
    for c in configs:
        for axis, (k, s, p) in enumerate(of_axes(c, "kernel_size", "stride", "padding")):
            size, out = c.x_shape[2 + axis], c.out_shape[2 + axis]
            assert (size + 2 * p - k) // s + 1 == out and size >= 1 and 2 * p <= k
            seen |= {
                ("out", out),
                ("k", k),
                ("s", s),
                ("k and p", k, p),
                ("slack", s, (size + 2 * p - k) % s),
            }
    assert seen == {
        *(("out", n) for n in (1, 2, 3)), *(("k", n) for n in (1, 2, 3)), *(("s", n) for n in (1, 2, 3)),
        *(("k and p", *pair) for pair in [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1)]),
        *(("slack", s, r) for s in (1, 2, 3) for r in range(s)),
    }  # fmt: skip
    assert {c.x_shape[0] for c in configs} == {1, 2} and {c.x_shape[1] for c in configs} == {1, 2, 3}
    assert all(c.out_shape[:2] == c.x_shape[:2] for c in configs)
    assert 1 in {c.x_shape[2] for c in configs if np.any(c.kwargs["padding"])}
    small = drawn(st.pool_configs(1, 2), 60)
    assert {c.out_shape[2:] for c in small} == {(1, 1)} and max(
        np.max(c.kwargs["kernel_size"]) for c in small
    ) == 2


def test_resizes():
    configs = drawn(st.resample_configs(), 200)
    assert {c.x_shape[:2] for c in configs} == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert {side for c in configs for side in c.x_shape[2:]} == {1, 2, 3, 4, 5}
    assert {side for c in configs for side in c.kwargs.get("size", ())} == set(range(1, 9))
    factors = {
        (side, factor)
        for c in configs if "scale_factor" in c.kwargs
        for side, (factor,) in zip(c.x_shape[2:], of_axes(c, "scale_factor"), strict=True)
    }  # fmt: skip
    assert {factor for _, factor in factors} == {1, 2, 3, 0.5, 1.5, 2.4, 0.75, 1.00001, 1.1, 2.05}
    assert (2, 0.5) in factors and min(int(side * factor) for side, factor in factors) == 1
    for c in configs:
        assert ("align_corners" in c.kwargs) == (c.kwargs["mode"] == "bilinear")
    assert {c.kwargs["align_corners"] for c in configs if "align_corners" in c.kwargs} == {True, False}
    assert {side for c in drawn(st.resample_configs(max_side=2), 60) for side in c.x_shape[2:]} == {1, 2}


def test_graphs():
    graphs = drawn(st.graphs(), 100)
    assert {len(graph.inputs) for graph in graphs} == {1, 2, 3}
    assert {len(graph.steps) for graph in graphs} == set(range(1, 9))
    shapes = {shape for graph in graphs for shape in graph.inputs}
    assert {len(shape) for shape in shapes} == {0, 1, 2} and {n for shape in shapes for n in shape} == {
        1,
        2,
        3,
    }
    steps = [(i, len(graph.inputs), step) for graph in graphs for i, step in enumerate(graph.steps)]
    assert 0.02 < np.mean([step.constant for *_, step in steps]) < 0.3
    assert any(max(step.reads) == inputs + i - 1 for i, inputs, step in steps)  # the newest value
    assert all(min(step.reads) >= 0 for *_, step in steps) and any(0 in step.reads for *_, step in steps)
    assert {len(step.reads) for *_, step in steps if step.operation in ("add", "matmul")} == {2}
    assert {len(step.reads) for *_, step in steps if step.operation in ("sum", "flip")} == {1}
    assert {len(graph.steps) for graph in drawn(st.graphs(max_steps=2), 40)} == {1, 2}


SHAPES = [(), (1,), (3,), (1, 1), (2, 3), (4, 3), (2, 1), (1, 3), (2, 3, 4), (1, 3, 4)]


@pytest.mark.parametrize("x", SHAPES, ids=str)
def test_what_may_be_done_can_be_done_and_has_the_shape_that_is_said(x):
    for y in SHAPES:
        arrays = np.ones(x), np.full(y, 2.0)
        for name, setting, shape in st._possible(x, y):
            reads = arrays if name in st._BINARY else arrays[:1]
            assert np.shape(OPERATIONS[name][1](*reads, setting)) == shape, (name, setting)


def test_all_that_can_be_done_may_be_done():
    def names(x, y):
        return {name for name, *_ in st._possible(x, y)}

    assert names((2, 3), (2, 3)) == set(OPERATIONS)
    assert names((2, 3), (4, 3)) == set(OPERATIONS) - {"add", "sub", "mul", "div"}
    for x, y in [((2, 3), (2, 4)), ((3,), (3,)), ((2, 2, 3), (4, 2, 3)), ((), ())]:
        assert ("matmul" in names(x, y)) == (len(x) == len(y) == 2 and x[1] == y[1])
        assert ("concatenate" in names(x, y)) == (len(x) == len(y) > 0 and x[1:] == y[1:])
        assert ("broadcast" in names(x, y)) == (len(x) < 3)
        assert ("transpose" in names(x, y)) == (len(x) > 1)
    axes = [setting[0] for name, setting, _ in st._possible((2, 3), ()) if name == "sum"]
    assert sorted(axes, key=str) == sorted([None, -2, -1, 0, 1], key=str)
    assert {s for name, s, _ in st._possible((2,), ()) if name == "mean"} == {(-1, True), (0, True)}
