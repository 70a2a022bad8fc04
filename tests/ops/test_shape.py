"""Shape operations beyond their cases: indices of every kind, tensors of no axes."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops, tensor
from minigan.errors import ShapeError
from minigan.ops.linalg import along_axis

X = np.arange(24.0).reshape(2, 3, 4)
INDICES = [
    0, -1, slice(None, None, -2), (slice(None), 1), (..., 2), None, (0, None, slice(1, 3)), [1, 0, 1],
    (slice(None), [0, 0, 2]), np.array([1, 1]), tensor([1, 0]), (np.array([[0, 1]]), np.array([[2], [0]])),
    X > 10, True, ([True, False], slice(None)), (0, 1, 2), (tensor([0, 1]), 0),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=lambda index: str(index).replace("\n", ""))
def test_indexing_is_numpys_and_repeats_add_up(index):
    def plain(part):
        return part.numpy() if isinstance(part, Tensor) else part

    known = tuple(map(plain, index)) if isinstance(index, tuple) else plain(index)
    x = Tensor(X, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.numpy(), X[known])
    seed = np.random.default_rng(0).standard_normal(y.shape)
    expected = np.zeros(X.shape)
    np.add.at(expected, known, seed)
    np.testing.assert_allclose(grad(y, x, Tensor(seed))[0].numpy(), expected)


def test_an_index_out_of_range_is_a_shape_error():
    for index in (5, (0, 0, 0, 0), [7]):
        with pytest.raises(ShapeError, match=r"getitem: .*\(shape \(2, 3, 4\)\)"):
            Tensor(X)[index]


def test_a_tensor_of_no_axes_flattens_to_one_element():
    assert ops.flatten(Tensor(2.0)).shape == (1,)


def test_reshaping_to_the_same_shape_is_the_tensor_itself():
    x = Tensor(X)
    assert x.reshape(2, 3, 4) is x and ops.broadcast_to(x, (2, 3, 4)) is x and ops.sum_to(x, (2, 3, 4)) is x


def test_a_matrix_along_an_axis_must_fit():
    with pytest.raises(ShapeError, match="expected a matrix with 3 columns for axis 1"):
        along_axis(Tensor(X), np.ones((2, 4)), 1)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_a_matrix_along_an_axis_is_a_contraction(axis):
    matrix = np.random.default_rng(0).standard_normal((5, X.shape[axis]))
    expected = np.moveaxis(np.tensordot(matrix, X, (1, axis)), 0, axis)
    np.testing.assert_allclose(along_axis(Tensor(X), matrix, axis).numpy(), expected)


def test_labels_and_masks_are_joined_too():
    joined = ops.concatenate([Tensor(np.array([1, 2])), Tensor(np.array([3]))])
    assert joined.dtype.kind == "i"
    np.testing.assert_array_equal(joined.numpy(), [1, 2, 3])
    masks = ops.concatenate([Tensor(np.array([True])), Tensor(np.array([False]))])
    assert masks.dtype == bool


def test_labels_and_masks_are_reshaped_too():
    assert ops.reshape(Tensor(np.arange(6)), (2, 3)).dtype.kind == "i"
    assert ops.reshape(Tensor(np.array([True, False])), (2, 1)).dtype == bool
