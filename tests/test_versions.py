"""Versions: a change through any tensor that sees the same memory is noticed at backward."""

import numpy as np
import pytest

import minigan
from minigan import Op, Tensor, enable_grad, no_grad
from minigan.errors import GraphError

VIEWS = {
    "slice": lambda h: h[1:],
    "row": lambda h: h[0],
    "new axis": lambda h: h[None],
    "row of rows": lambda h: next(iter(h)),
    "step": lambda h: h[::-1],
    "numpy integer": lambda h: h[np.int64(1)],
    "reshape": lambda h: h.reshape(6),
    "transpose": lambda h: h.transpose(),
    "permute": lambda h: h.permute(1, 0),
    "flatten": lambda h: h.flatten(),
    "flip": lambda h: h.flip(0),
    "detached slice": lambda h: h.detach()[:, 1],
    "slice of a reshape": lambda h: h.reshape(3, 2)[1:],
    "tensor of the tensor": lambda h: minigan.Tensor(h),
    "detached twice": lambda h: h.detach().detach(),
}


@pytest.mark.parametrize("way", VIEWS)
@pytest.mark.parametrize("recording", (True, False))
def test_a_change_through_any_view_is_noticed(way, recording):
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    h = x * 1.0
    y = (h * h).sum()
    with enable_grad() if recording else no_grad():
        view = VIEWS[way](h)
    view.copy_(np.full(view.shape, 9.0))
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


@pytest.mark.parametrize("way", VIEWS)
def test_a_change_of_the_base_is_noticed_by_what_kept_a_view(way):
    h = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True) * 1.0
    view = VIEWS[way](h)
    view.requires_grad_()
    y = (view * view).sum()
    h.copy_(np.zeros((2, 3)))
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_a_kept_output_that_is_a_view_counts_from_where_its_base_stood():
    x = Tensor(np.array([1.0, 4.0]), requires_grad=True)
    x.copy_(np.array([4.0, 9.0]))
    y = ViewRoot()(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [1.0, 1.0])


class ViewRoot(Op):
    """Hands its input on, and reads it back from its result."""

    keeps_output = True

    def forward(self, x):
        return x[:]

    def backward(self, g):
        return g * (self.output.detach() / self.output.detach())


def test_copies_and_computed_results_have_a_version_of_their_own():
    x = Tensor(np.arange(4.0), requires_grad=True)
    y = (x * x).sum()
    for other in (x[np.array([0, 1])], x + 0.0, x.astype("float32"), Tensor(x.numpy().copy())):
        other.copy_(np.zeros(other.shape))
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0.0, 2.0, 4.0, 6.0])


def test_new_memory_leaves_views_of_the_old_alone():
    x = Tensor(np.arange(4.0), requires_grad=True)
    view = x[1:]
    y = (view * view).sum()
    kept = (x * x).sum()
    x.array = np.zeros(4)
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0.0, 2.0, 4.0, 6.0])
    with pytest.raises(GraphError, match="changed in place"):
        kept.backward()
