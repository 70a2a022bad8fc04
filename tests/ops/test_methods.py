"""Operators and methods of tensors that no operation's record reaches."""

import operator

import numpy as np
import pytest

import minigan.testing
from minigan import Tensor, no_grad
from minigan.errors import DTypeError, GraphError, ShapeError

LESS, SAME, MORE = 1.0, 2.0, 3.0


@pytest.mark.parametrize(
    "compare", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
)
@pytest.mark.parametrize("swapped", (False, True))
def test_comparisons_are_numpys_and_have_no_gradient(compare, swapped):
    values, middle = np.array([LESS, SAME, MORE]), np.array([SAME, SAME, SAME])
    x, y = (Tensor(values, requires_grad=True), Tensor(middle))
    got = compare(y, x) if swapped else compare(x, y)
    wanted = compare(middle, values) if swapped else compare(values, middle)
    assert got.dtype == bool and not got.requires_grad
    np.testing.assert_array_equal(got.array, wanted)
    np.testing.assert_array_equal(compare(x, SAME).array, compare(values, SAME))


def test_numpy_reads_a_tensor_as_its_numbers(tmp_path):
    x = Tensor(np.arange(6, dtype=np.float32).reshape(2, 3))
    for array in (np.asarray(x), np.array(x), np.asarray(x, dtype=np.float64), np.array([x, x])[0]):
        assert array.dtype.kind == "f"
        np.testing.assert_array_equal(array, x.numpy())
    assert np.shares_memory(np.asarray(x), x.numpy()) and not np.shares_memory(np.array(x), x.numpy())
    np.save(tmp_path / "x.npy", x)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy", allow_pickle=False), x.numpy())


@pytest.mark.parametrize(
    "function",
    [
        np.mean,
        np.sum,
        np.std,
        np.max,
        np.argmax,
        np.squeeze,
        lambda x: np.mean(x, axis=0),
        lambda x: np.allclose(x, x),
        lambda x: np.concatenate([x, x], axis=1),
        lambda x: np.stack((x, np.ones((2, 3)))),
        lambda x: np.clip(x, a_min=1.0, a_max=2.0),
        lambda x: np.histogram(x, bins=3)[0],
        lambda x: np.where(np.asarray(x) > 1, x, x),
    ],
)
def test_functions_of_numpy_take_tensors(function):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    got = function(Tensor(values))
    assert not isinstance(got, Tensor)
    np.testing.assert_array_equal(got, function(values))


@pytest.mark.parametrize("function", (np.asarray, np.mean, lambda x: np.stack([x, x])))
def test_numpy_does_not_cut_a_graph_in_silence(function):
    x = Tensor(np.ones(3), requires_grad=True)
    for recorded in (x, x * 2.0):
        with pytest.raises(GraphError, match="lose this tensor's gradient"):
            function(recorded)
        function(recorded.detach())
        with no_grad():
            function(recorded)


RAISED = [2.0, 3, 0.5, np.float32(1.5), np.array([1.0, 2.0, 3.0]), np.array([[2.0], [4.0]])]


@pytest.mark.parametrize("base", RAISED)
def test_a_number_or_array_to_the_power_of_a_tensor(base):
    values = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]])
    report = minigan.testing.gradcheck(lambda x: base**x, [values], seed=0)
    assert report.verdict == "PASS", report
    np.testing.assert_allclose((base ** Tensor(values)).numpy(), np.asarray(base, float) ** values)


@pytest.mark.parametrize("shapes", [((2, 3), (3, 4)), ((3,), (3, 2)), ((5, 2, 3), (3,)), ((3,), (3,))])
@pytest.mark.parametrize("array_first", (True, False))
def test_products_with_arrays(shapes, array_first):
    left, right = (np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate(shapes))
    fixed, function = (left, lambda x: left @ x) if array_first else (right, lambda x: x @ right)
    moving = right if array_first else left
    np.testing.assert_allclose(function(Tensor(moving)).numpy(), left @ right, rtol=1e-12)
    assert minigan.testing.gradcheck(function, [moving], seed=0).verdict == "PASS", fixed


INTEGERS = (np.int64, np.int32, np.uint8, np.intp)
PLACES = {
    "sum": lambda x, i: x.sum(i(1)),
    "mean": lambda x, i: x.mean((i(0), i(2))),
    "var": lambda x, i: x.var(i(1), correction=0),
    "max": lambda x, i: x.amax(i(1)),
    "logsumexp": lambda x, i: x.logsumexp(i(1)),
    "softmax": lambda x, i: x.softmax(i(1)),
    "log_softmax": lambda x, i: x.log_softmax(i(1)),
    "flip": lambda x, i: x.flip(i(1)),
    "permute": lambda x, i: x.permute(i(2), i(0), i(1)),
    "transpose": lambda x, i: x.transpose(i(0), i(1)),
    "flatten": lambda x, i: x.flatten(i(1)),
    "reshape": lambda x, i: x.reshape(i(6), i(4)),
    "reshape by tuple": lambda x, i: x.reshape((i(6), i(4))),
    "broadcast": lambda x, i: x.broadcast_to((i(5), i(2), i(3), i(4))),
    "concatenate": lambda x, i: minigan.ops.concatenate([x, x], i(1)),
    "stack": lambda x, i: minigan.ops.stack([x, x], i(1)),
    "index": lambda x, i: x[i(1)],
    "group_norm": lambda x, i: minigan.ops.group_norm(x, i(3)),
    "layer_norm": lambda x, i: minigan.ops.layer_norm(x, i(4)),
    "pool": lambda x, i: minigan.ops.max_pool2d(x.reshape(1, 2, 3, 4), i(2), i(1)),
    "conv": lambda x, i: minigan.ops.conv2d(
        x.reshape(1, 2, 3, 4), Tensor(np.ones((2, 1, 2, 2))), groups=i(2)
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("integer", INTEGERS)
def test_integers_of_numpy_are_axes_and_sizes(place, integer):
    values = np.random.default_rng(3).standard_normal((2, 3, 4))
    wanted = PLACES[place](Tensor(values), int).numpy()
    x = Tensor(values, requires_grad=True)
    got = PLACES[place](x, integer)
    np.testing.assert_array_equal(got.numpy(), wanted)
    got.sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x.reshape(-2, -2),
        lambda x: x.reshape(-1, -3),
        lambda x: x.reshape(2.0, 3),
        lambda x: x.reshape("6"),
        lambda x: x.sum(1.0),
        lambda x: x.mean("rows"),
        lambda x: x.sum((0, 0.5)),
        lambda x: x.permute(0.0, 1.0),
        lambda x: minigan.ops.stack([], 0),
        lambda x: Tensor(np.zeros((0, 3))).logsumexp(0),
        lambda x: Tensor(np.zeros((2, 0))).logsumexp(1),
        lambda x: Tensor(np.zeros(0)).logsumexp(),
        lambda x: x @ np.ones((4, 2)),
        lambda x: np.ones((4, 1)) @ x,
    ],
)
def test_wrong_axes_and_sizes_get_one_line(wrong):
    with pytest.raises(ShapeError) as caught:
        wrong(Tensor(np.ones((2, 3))))
    assert "\n" not in str(caught.value)


def test_tensors_join_with_arrays_and_choose_by_lists():
    x = Tensor(np.ones((2, 2), np.float32), requires_grad=True)
    more = np.zeros((2, 2), np.float32)
    for joined in (
        minigan.ops.concatenate([more, x]),
        minigan.ops.stack((x, more, more)),
        minigan.ops.concatenate([x, [[1, 2]]]),
    ):
        assert joined.dtype == np.float32 and joined.requires_grad
    chosen = minigan.ops.where([[True, False], [False, True]], x, 5.0)
    np.testing.assert_array_equal(chosen.numpy(), [[1, 5], [5, 1]])
    assert minigan.ops.where(True, 1.0, 2.0).item() == 1.0
    with pytest.raises(DTypeError, match="boolean"):
        minigan.ops.where([1, 0], x, 5.0)
