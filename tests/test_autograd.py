"""The walk: order, accumulation, release, pruning, hooks, and how long it may take and how much."""

import gc
import tracemalloc

import numpy as np
import pytest

import minigan
from minigan import Tensor, detect_anomaly, grad, no_grad, observe, ops
from minigan.autograd import ancestors
from minigan.errors import GraphError, NumericError, ShapeError
from minigan.modes import set_mode
from minigan.tensor import Op


def leaf(*values):
    return Tensor(np.array(values), requires_grad=True)


# --- values ------------------------------------------------------------------------------------------------


def test_every_derivative_of_a_power():
    x = leaf(2.0)
    y, factor = x**5, 1.0
    for order in range(1, 6):
        (y,) = grad(y.sum(), x, create_graph=True)
        factor *= 6 - order
        assert y.item() == pytest.approx(factor * 2.0 ** (5 - order)), f"derivative {order}"
    assert not y.requires_grad, "the fifth derivative is a constant"


def test_every_derivative_of_tanh():
    x = leaf(0.3)
    t = np.tanh(0.3)
    known = [1 - t**2, -2 * t * (1 - t**2), (1 - t**2) * (6 * t**2 - 2), (1 - t**2) * (16 * t - 24 * t**3)]
    y = ops.tanh(x)
    for expected in known:
        (y,) = grad(y.sum(), x, create_graph=True)
        assert y.item() == pytest.approx(expected, rel=1e-12)


def test_a_tensor_used_often_gets_every_gradient():
    x = leaf(3.0)
    (x * x * x + x + x).backward()
    assert x.grad.item() == 3 * 9 + 2


def test_a_diamond_waits_for_both_sides():
    x = leaf(2.0)
    a = x * 3.0
    long = a
    for _ in range(5):
        long = long * 1.5
    y = long * a  # one short and one long way from a
    y.backward()
    assert x.grad.item() == pytest.approx(2 * 9 * 1.5**5 * 2)


def test_backward_adds_to_grad_and_grad_does_not_write_it():
    x = leaf(2.0)
    (x * x).backward()
    (x * x).backward()
    assert x.grad.item() == 8.0
    grad(x * x, x)
    assert x.grad.item() == 8.0


def test_intermediates_do_not_accumulate_between_backwards():
    x = leaf(2.0)
    h = x * x
    y = h * h
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 2 * 32.0


def test_backward_keeps_the_graph_of_the_gradient_when_asked():
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    (x**3).backward(create_graph=True)
    assert x.grad.item() == 24.0 and x.grad.requires_grad
    (second,) = grad(x.grad, x)
    assert second.item() == 24.0


def test_a_gradient_in_may_be_given_and_must_fit():
    x = leaf(1.0, 2.0)
    (x * x).backward(Tensor(np.array([1.0, 10.0])))
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 40.0])
    with pytest.raises(ShapeError, match="a gradient is needed for a result of shape"):
        (x * x).backward()
    with pytest.raises(ShapeError, match="expected"):
        (x * x).backward(Tensor(np.ones(3)))
    with pytest.raises(ShapeError, match="float32"):
        (x * x).backward(Tensor(np.ones(2, np.float32)))


def test_a_leaf_is_its_own_root():
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1.0
    assert grad(x, x)[0].item() == 1.0


def test_grad_of_several_outputs_adds_up():
    x, y = leaf(2.0), leaf(5.0)
    gx, gy = grad([x * y, x * x], [x, y], [Tensor(np.array([1.0])), None])
    assert (gx.item(), gy.item()) == (9.0, 2.0)
    with pytest.raises(ShapeError, match="expected 2 grad_outputs"):
        grad([x * y, x * x], x, Tensor(np.array([1.0])))


def test_grad_with_respect_to_an_intermediate():
    x = leaf(2.0)
    h = x * x
    y = h * 3.0 + h * h
    gh, gx = grad(y, [h, x])
    assert (gh.item(), gx.item()) == (3 + 2 * 4, (3 + 2 * 4) * 4)


def test_an_input_the_result_does_not_depend_on():
    x, other = leaf(2.0), leaf(1.0)
    with pytest.raises(GraphError, match=r"do not depend on input \[1\]"):
        grad(x * x, [x, other])
    assert grad(x * x, [x, other], allow_unused=True)[1] is None
    with pytest.raises(GraphError, match="input 0 does not require a gradient"):
        grad(x * x, Tensor([1.0]))


# --- life and death of a graph -----------------------------------------------------------------------------


def test_a_released_graph_says_so():
    x = leaf(2.0)
    y = x * x
    y.backward()
    with pytest.raises(GraphError, match="Mul: this graph was released .* retain_graph=True"):
        y.backward()


def test_a_part_shared_with_a_released_graph_says_so():
    x = leaf(2.0)
    h = x * x
    (h * 2.0).backward()
    with pytest.raises(GraphError, match="released"):
        (h * 3.0).backward()


def test_release_frees_kept_values():
    x = leaf(2.0)
    y = x * x
    node = y.node
    y.backward()
    assert node.released and not node._kept and node.parents == ()


def test_nothing_recorded_is_an_error():
    for result in (Tensor([1.0]) * 2, Tensor([1.0])):
        with pytest.raises(GraphError, match="nothing was recorded"):
            result.backward()
    with no_grad():
        y = leaf(1.0) * 2.0
    with pytest.raises(GraphError, match="no_grad"):
        y.backward()


def test_detach_cuts():
    x = leaf(2.0)
    (x * (x * x).detach()).backward()
    assert x.grad.item() == 4.0


def test_ten_thousand_operations_in_a_row():
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = y + 1e-4
    y.backward()
    assert x.grad.item() == 1.0
    del y
    gc.collect()  # taking the chain apart must not recurse either


def test_cost_grows_with_the_graph_and_not_faster():
    def operations(n):
        x = leaf(1.0)
        y = x
        for _ in range(n):
            y = y * 0.5 + y * 0.5  # a diamond a step: a walk without an order would take 2**n steps
        calls = []
        with observe(lambda phase, op, result, seconds: calls.append(phase)):
            y.backward()
        return len(calls)

    assert operations(60) == 2 * operations(30) == 4 * operations(15)


def test_a_thousand_steps_grow_memory_by_less_than_five_percent():
    generator = np.random.default_rng(0)
    weight = Tensor(generator.standard_normal((64, 64)), requires_grad=True)
    x = Tensor(generator.standard_normal((32, 64)))

    def step():
        weight.grad = None
        loss = ((x @ weight).tanh() ** 2).mean()
        loss.backward()
        weight.array -= 1e-3 * weight.grad.array

    def memory():
        cycles = gc.collect()  # also empties the interpreter's free lists
        return cycles, tracemalloc.get_traced_memory()[0]

    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(20):
            step()
        _, before = memory()
        for _ in range(1000):
            step()
        cycles, after = memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert after < before * 1.05
    assert cycles == 0, "a step leaves cycles behind, which only the garbage collector frees"


# --- pruning -----------------------------------------------------------------------------------------------


def backward_names(run_it):
    names = []
    with observe(lambda phase, op, result, seconds: names.append(op.name) if phase == "backward" else None):
        run_it()
    return names


def test_grad_computes_only_what_leads_to_its_inputs():
    x, weight = leaf(2.0), leaf(3.0)
    y = (x * 2.0).sum() + weight.exp().tanh().sum()
    names = backward_names(lambda: grad(y, x))
    assert "Exp" not in names and "Tanh" not in names and "MulScalar" in names


def test_a_frozen_factor_costs_nothing():
    x, frozen = leaf(1.0, 2.0), Tensor(np.array([3.0, 4.0]))
    products, found = [], []

    def note(phase, op, result, seconds):
        products.append((phase, op.name))
        if phase == "backward" and op.name == "Mul":
            found.append([part is None for part in result])

    for on in (False, True):
        with set_mode("kernels", on), observe(note):
            (x * frozen).sum().backward()
        if not on:
            assert products.count(("forward", "Mul")) == 2, (
                "one product forward, one back: none for the constant"
            )
    assert found == [[False, True], [False, True]]


def test_what_comes_before_an_intermediate_target_is_not_walked():
    x = leaf(2.0)
    h = x.exp()
    y = h * h
    assert "Exp" not in backward_names(lambda: grad(y, h))


# --- whose memory ------------------------------------------------------------------------------------------


def memory_of(tensor):
    array = tensor.array
    while array.base is not None:
        array = array.base
    return array


def test_gradients_of_leaves_share_no_memory():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = Tensor(np.ones(2))
    (x + y).backward(seed)
    assert memory_of(x.grad) is not memory_of(y.grad)
    assert memory_of(seed) is not memory_of(x.grad) and memory_of(seed) is not memory_of(y.grad)
    x.grad.array += 5
    np.testing.assert_array_equal(y.grad.numpy(), [1.0, 1.0])
    np.testing.assert_array_equal(seed.numpy(), [1.0, 1.0])


def test_a_gradient_can_be_written_even_if_it_was_a_broadcast():
    x = leaf(1.0, 2.0, 3.0)
    x.sum().backward()
    x.grad.array += 1
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0, 2.0])


def test_a_second_backward_does_not_write_into_the_first_gradient():
    x = leaf(1.0, 2.0)
    (x * 1.0).sum().backward()
    first = x.grad
    (x * 2.0).sum().backward()
    np.testing.assert_array_equal(first.numpy(), [1.0, 1.0])
    np.testing.assert_array_equal(x.grad.numpy(), [3.0, 3.0])


def test_a_given_gradient_that_is_a_leaf_is_not_taken_over():
    x, seed = leaf(1.0), leaf(2.0)
    x.backward(seed)
    x.grad.array += 1
    assert seed.item() == 2.0


def test_accumulated_gradients_stay_detached_without_create_graph():
    x = leaf(2.0)
    (x * x).backward(create_graph=True)
    (x * x).backward()
    assert x.grad.item() == 8.0 and not x.grad.requires_grad


# --- faults of operations ----------------------------------------------------------------------------------


def faulty(back):
    class Faulty(Op):
        def forward(self, x, y):
            return x + y

        def backward(self, g):
            return back(g)

    return Faulty()(leaf(1.0, 2.0), leaf(3.0, 4.0)).sum()


def test_a_gradient_of_the_wrong_shape_names_the_operation():
    with pytest.raises(GraphError, match=r"Faulty: the gradient of input 1 has shape \(\), expected \(2,\)"):
        faulty(lambda g: (g, g.sum())).backward()


def test_the_wrong_number_of_gradients_names_the_operation():
    with pytest.raises(GraphError, match="Faulty: backward returned 1 gradients for 2 inputs"):
        faulty(lambda g: g).backward()


# --- watching ----------------------------------------------------------------------------------------------


def test_observers_see_every_pass_and_stop_with_the_block():
    seen = []
    x = leaf(2.0)
    with observe(lambda phase, op, result, seconds: seen.append((phase, op.name, seconds >= 0))):
        (x.exp() * 2.0).backward()
    (x.exp()).backward()
    assert ("forward", "Exp", True) in seen and ("backward", "Exp", True) in seen
    assert [s[1] for s in seen if s[0] == "backward"] == ["MulScalar", "Exp"]
    assert seen == [s for s in seen if s[2]]


def test_detect_anomaly_names_the_operation_and_the_pass():
    with np.errstate(all="ignore"), detect_anomaly():
        with pytest.raises(NumericError, match="Log: its forward pass gave NaN or infinity"):
            leaf(0.0).log()
        y = leaf(0.0).sqrt()
        with pytest.raises(NumericError, match="its backward pass|its forward pass"):
            y.backward()
        (leaf(1.0) * 2.0).backward()


def test_detect_anomaly_looks_past_integers():
    with detect_anomaly():
        assert Tensor(np.arange(3)).reshape(3, 1).shape == (3, 1)


def test_ancestors_come_oldest_first():
    x = leaf(1.0)
    y = (x * 2.0).exp() + x
    assert [op.name for op in ancestors([y])] == ["MulScalar", "Exp", "Add"]


def test_a_root_that_leads_to_no_input_is_not_walked():
    x, other = leaf(2.0), leaf(3.0)
    gx, gother = grad([x * 2.0, other.exp()], [x, other.detach().requires_grad_()], allow_unused=True)
    assert gx.item() == 2.0 and gother is None


def test_public_names():
    assert minigan.grad is grad and minigan.observe is observe
