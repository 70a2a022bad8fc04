"""Tensor and Op: what a tensor holds, what it refuses, and what an operation records."""

import weakref

import numpy as np
import pytest

import minigan
from minigan import Op, Tensor, enable_grad, is_grad_enabled, no_grad
from minigan.errors import ArgumentError, DeviceError, DTypeError, GraphError, ShapeError
from minigan.ops.operands import as_tensor


class Square(Op):
    """y = x**2, written as a user would."""

    keeps = (0,)

    def forward(self, x):
        return x * x

    def backward(self, g):
        return g * self.input(0) * 2.0


class Root(Op):
    """y = sqrt(x), read off its own result."""

    keeps_output = True

    def forward(self, x):
        return np.sqrt(x)

    def backward(self, g):
        return g * 0.5 / self.output


# --- making tensors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        ([[1.0, 2.0]], "float32"),
        ([1, 2], "float32"),
        ([[True], [False]], "float32"),
        ([], "float32"),
        (np.float64(2), "float64"),
        (np.ones(2), "float64"),
        (np.ones(2, np.float32), "float32"),
        (np.arange(3), "int64"),
    ],
)
def test_python_numbers_become_float32_and_arrays_keep_their_type(data, dtype):
    tensor = Tensor(data)
    assert tensor.dtype == dtype and type(tensor.array) is np.ndarray
    np.testing.assert_array_equal(tensor.numpy(), np.asarray(data))


def test_an_array_is_shared_and_a_dtype_converts():
    array = np.zeros(3, np.float32)
    assert Tensor(array).array is array
    assert Tensor(array, dtype=np.float64).dtype == np.float64
    assert Tensor(Tensor(array)).array is array


def test_subclasses_of_ndarray_become_plain_arrays():
    assert type(Tensor(np.ma.masked_array([1.0, 2.0])).array) is np.ndarray


@pytest.mark.parametrize("data", [["a"], np.array([object()]), np.ones(2, complex)])
def test_only_numbers_are_held(data):
    with pytest.raises(DTypeError, match="expected numbers"):
        Tensor(data)


def test_integers_have_no_gradient():
    with pytest.raises(DTypeError, match="only floating-point"):
        Tensor(np.array([1, 2]), requires_grad=True)


def test_whole_numbers_are_sizes():
    assert Tensor(2, 3).shape == (2, 3) and Tensor(0).shape == (0,) == Tensor().shape
    assert Tensor(4).dtype == np.float32 and Tensor(2.5).shape == ()
    with pytest.raises(ArgumentError, match=r"write Tensor\(\[2, 3\]\) for values, zeros"):
        Tensor((2, 3))
    with pytest.raises(ArgumentError, match="sizes alone or one list"):
        Tensor([1.0], 2)


def test_the_default_dtype_is_that_of_numbers():
    minigan.set_default_dtype(minigan.float64)
    try:
        assert Tensor([1]).dtype == Tensor(2, 1).dtype == minigan.tensor(1.5).dtype == np.float64
    finally:
        minigan.set_default_dtype(minigan.float32)


def test_shape_size_and_the_rest():
    tensor = Tensor(np.zeros((2, 3)))
    assert (tensor.shape, tensor.ndim, tensor.size, len(tensor)) == ((2, 3), 2, 6, 2)
    assert tensor.device == "numpy" and tensor.is_leaf and not tensor.requires_grad and tensor.grad is None
    assert [row.shape for row in tensor] == [(3,), (3,)]
    with pytest.raises(TypeError, match="0-d"):
        len(Tensor(1.0))


def test_one_element_is_a_number_a_truth_value_and_an_item():
    one = Tensor([[2.5]])
    assert one.item() == 2.5 and float(one) == 2.5 and bool(one) and not bool(Tensor(0.0))
    with pytest.raises(ShapeError, match=r"one element, got shape \(2,\)"):
        Tensor([1.0, 2.0]).item()


def test_repr_shows_values_dtype_and_origin():
    x = Tensor([1.0], requires_grad=True)
    assert repr(Tensor([1.0])) == "Tensor([1.], dtype=float32)"
    assert "requires_grad=True" in repr(x)
    assert "node=MulScalar" in repr(x * 2)


# --- changing tensors --------------------------------------------------------------------------------------


def test_every_way_of_changing_bumps_the_version():
    x = Tensor(np.zeros(2))
    x.array = np.ones(2)
    x.array += 1
    x.copy_([4, 5])
    x.bump()
    assert x.version == 4 and x.dtype == np.float64
    np.testing.assert_array_equal(x.numpy(), [4.0, 5.0])


def test_copy_keeps_the_memory_and_refuses_other_shapes():
    x = Tensor(np.zeros(2, np.float32))
    memory = x.array
    x.copy_(Tensor(np.array([1.0, 2.0])))
    assert x.array is memory and x.dtype == np.float32
    with pytest.raises(ShapeError, match=r"expected shape \(2,\), got \(1, 2\)"):
        x.copy_(np.ones((1, 2)))
    assert x.version == 1


def test_detached_twins_share_memory_and_version_but_no_graph():
    x = Tensor([1.0], requires_grad=True)
    y = x * 2
    twin = y.detach()
    assert twin.array is y.array and not twin.requires_grad and twin.is_leaf
    twin.copy_([7.0])
    assert y.version == 1 and y.item() == 7.0


def test_requires_grad_can_be_switched_on_leaves_only():
    x = Tensor([1.0]).requires_grad_()
    y = x * 2
    assert not x.requires_grad_(False).requires_grad
    with pytest.raises(GraphError, match="recorded result"):
        y.requires_grad_(False)


def test_to_the_same_device_is_the_tensor_itself():
    x = Tensor([1.0])
    assert x.to("numpy") is x


# --- recording ---------------------------------------------------------------------------------------------


def test_nothing_is_recorded_without_a_wish_for_gradients():
    assert (Tensor([1.0]) * 2).node is None
    with no_grad():
        assert not is_grad_enabled()
        y = Tensor([1.0], requires_grad=True) * 2
        assert y.node is None and not y.requires_grad
        with enable_grad():
            assert (Tensor([1.0], requires_grad=True) * 2).node is not None
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_no_grad_ends_with_an_error_and_works_as_a_decorator():
    with pytest.raises(KeyError):
        with no_grad():
            raise KeyError
    assert is_grad_enabled()

    @no_grad()
    def double(x):
        return x * 2

    assert double(Tensor([1.0], requires_grad=True)).node is None and is_grad_enabled()


def test_an_operation_knows_who_wants_a_gradient():
    asked = []

    class Asks(Op):
        def forward(self, x, y):
            return x + y

        def backward(self, g):
            asked.append((self.needs(0), self.needs(1)))
            return (g if self.needs(0) else None), (g if self.needs(1) else None)

    x, y = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    Asks()(x, Tensor([2.0])).backward()
    Asks()(x, y).backward()
    minigan.grad(Asks()(x, y), y)
    assert asked == [(True, False), (True, True), (False, True)]
    idle = Asks()
    idle(Tensor([1.0]), Tensor([1.0]))
    assert not idle.needs(0)


def test_an_own_operation_has_derivatives_of_every_order():
    x = Tensor(np.array([3.0]), requires_grad=True)
    y = Square()(Square()(x))  # x**4
    for expected in (4 * 27.0, 12 * 9.0, 24 * 3.0, 24.0):
        (y,) = minigan.grad(y.sum(), x, create_graph=True)
        assert y.item() == pytest.approx(expected)


def test_an_operation_without_derivative_says_so():
    class Opaque(Op):
        def forward(self, x):
            return x + 1

    with pytest.raises(NotImplementedError, match="Opaque has no derivative"):
        Opaque()(Tensor([1.0], requires_grad=True)).backward()
    with pytest.raises(NotImplementedError):
        Op().forward()


def test_only_what_backward_reads_is_kept_alive():
    x = Tensor(np.ones(5), requires_grad=True)
    shifted = x + 1.0
    squared = Square()(x * 1.0)
    dead, alive = weakref.ref(shifted.array.base if shifted.array.base is not None else shifted), None
    y = shifted + 2.0  # addition reads none of its inputs
    del shifted
    assert dead() is None
    alive = squared.node._kept[0][0]
    assert alive.shape == (5,) and y.shape == (5,)


def test_a_changed_input_is_noticed_and_the_operation_named():
    x = Tensor(np.array([2.0]), requires_grad=True)
    h = x * 1.0
    y = Square()(h)
    h.copy_([5.0])
    with pytest.raises(GraphError, match=r"Square: input 0 \(shape \(1,\)\) was changed in place"):
        y.backward()


def test_a_change_through_a_detached_twin_is_noticed_too():
    x = Tensor(np.array([2.0]), requires_grad=True)
    y = Square()(x)
    x.detach().copy_([3.0])
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_a_changed_result_is_noticed_where_backward_reads_it():
    x = Tensor(np.array([4.0]), requires_grad=True)
    y = Root()(x)
    y.array += 1
    with pytest.raises(GraphError, match="Root: its result was changed in place"):
        y.backward()


def test_a_change_that_backward_does_not_read_is_harmless():
    x = Tensor(np.array([2.0]), requires_grad=True)
    y = x + 1.0
    x.array += 1
    y.backward()
    assert x.grad.item() == 1.0


def test_reading_an_output_that_is_not_kept_is_a_fault_of_the_operation():
    class Forgets(Root):
        keeps_output = False

    with pytest.raises(AssertionError, match="Forgets reads its output"):
        Forgets()(Tensor(np.array([4.0]), requires_grad=True)).backward()


# --- number types and devices ------------------------------------------------------------------------------


def test_numbers_never_change_the_dtype_and_the_wider_float_wins():
    single = Tensor([1.0, 2.0])
    for result in (
        single * 2,
        2.5 * single,
        single + np.float64(3),
        single**2,
        1 / single,
        single - 1,
        3 - single,
    ):
        assert result.dtype == np.float32
    assert (single * Tensor([1, 2])).dtype == np.float32
    assert (Tensor([True, False]) * single).dtype == np.float32
    assert (single * Tensor(np.ones(2))).dtype == np.float64


def test_integers_have_no_softmax():
    with pytest.raises(DTypeError, match="Softmax: expected floating-point input, got int64"):
        minigan.tensor([1, 2]).softmax(0)


def test_an_array_on_the_left_leaves_the_operation_to_the_tensor():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = np.array([3.0, 4.0]) * x + np.array([1.0, 1.0])
    assert isinstance(y, Tensor) and y.shape == (2,)
    assert isinstance(np.array([3.0, 4.0]) - x, Tensor)
    np.testing.assert_array_equal((np.array([3.0, 4.0]) / x).numpy(), [3.0, 2.0])


def test_comparisons_are_constants():
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    found = [(x < 2), (x <= 2), (x == 2), (x != 2), (x >= 2), (x > Tensor([2.0, 2.0, 2.0]))]
    assert ["".join(str(int(v)) for v in f.numpy()) for f in found] == [
        "100",
        "110",
        "010",
        "101",
        "011",
        "001",
    ]
    assert all(not f.requires_grad and f.dtype == bool for f in found)
    assert bool(Tensor(1.0) < Tensor(2.0))
    assert len({x, x}) == 1, "tensors are told apart by identity in sets and dictionaries"


def test_as_tensor_takes_the_type_of_its_model():
    model = Tensor(np.ones(2))
    assert as_tensor(model) is model
    assert as_tensor([1, 2], like=model).dtype == np.float64
    assert as_tensor(np.array([1, 2]), like=model).dtype == np.float64
    assert as_tensor(np.ones(2, np.float32), like=model).dtype == np.float32, "a float array keeps its type"
    assert as_tensor(2.0).dtype == np.float32


def test_moving_a_recorded_result_is_refused():
    x = Tensor([1.0], requires_grad=True)
    y = x * 2
    with pytest.raises((GraphError, DeviceError)):
        y.to("cupy")


@pytest.mark.parametrize("value", ("text", None, {1, 2}, np.array(["a"])))
def test_what_is_no_number_beside_a_tensor_is_refused_in_one_line(value):
    with pytest.raises(DTypeError, match="expected a tensor, an array or numbers"):
        Tensor(np.ones(2)) * value
