"""What all optimisers share: groups, skipping, saving, and that a bad state changes nothing."""

import numpy as np
import pytest

import minigan
from minigan import Tensor, optim
from minigan.errors import ArgumentError, DTypeError, GraphError, ShapeError


def leaf(*shape, seed=0, dtype=np.float32):
    return Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype), requires_grad=True)


def give(parameters, seed):
    generator = np.random.default_rng(seed)
    for p in parameters:
        p.grad = Tensor(generator.normal(size=p.shape).astype(p.dtype))


BAD = [
    (lambda p: optim.Adam([]), "no parameters to optimise"),
    (lambda p: optim.Adam([{"params": []}]), "a group needs parameters"),
    (lambda p: optim.Adam([3]), "a group needs parameters"),
    (lambda p: optim.Adam([p, p]), "given twice"),
    (lambda p: optim.Adam([{"params": [p]}, {"params": p}]), "given twice"),
    (lambda p: optim.Adam([p * 2.0]), "only leaf tensors"),
    (lambda p: optim.Adam([{"params": p, "weight_decy": 1.0}]), r"unknown settings \['weight_decy'\]"),
    (lambda p: optim.Adam([{"params": p, "momentum": 1.0}]), r"unknown settings \['momentum'\]"),
    (lambda p: optim.Adam([p], lr=-1.0), "lr must be >= 0, got -1.0"),
    (lambda p: optim.Adam([p], lr=float("nan")), "lr must be >= 0"),
    (lambda p: optim.Adam([p], eps=-1.0), "eps"),
    (lambda p: optim.Adam([p], betas=(0.5, 1.0)), r"betas must lie in \[0, 1\)"),
    (lambda p: optim.AdamW([p], weight_decay=-0.1), "weight_decay"),
    (lambda p: optim.SGD([p], momentum=-0.1), "momentum"),
    (lambda p: optim.SGD([p], nesterov=True), "nesterov needs momentum"),
    (lambda p: optim.RMSprop([p], alpha=-1.0), "alpha"),
]


@pytest.mark.parametrize("make, message", BAD, ids=range(len(BAD)))
def test_bad_arguments(make, message):
    with pytest.raises(ArgumentError, match=message):
        make(leaf(2))


def test_groups_have_settings_of_their_own():
    a, b, c = leaf(2), leaf(2), leaf(2)
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.0}], lr=0.5)
    optimizer.add_param_group({"params": [c], "lr": 1.0})
    before = [p.numpy().copy() for p in (a, b, c)]
    give((a, b, c), 1)
    optimizer.step()
    for p, old, lr in zip((a, b, c), before, (0.5, 0.0, 1.0), strict=True):
        np.testing.assert_allclose(p.array, old - lr * p.grad.array, rtol=1e-6)
    optimizer.zero_grad()
    assert a.grad is b.grad is c.grad is None


def test_one_tensor_is_a_list_of_one():
    p = leaf(3)
    give([p], 0)
    version = p.version
    optim.SGD(p, lr=0.1).step()
    assert p.version > version


def test_without_a_gradient_nothing_moves():
    a, b = leaf(3), leaf(3)
    optimizer = optim.Adam([a, b], weight_decay=0.5)
    give([a], 0)
    before, version = b.numpy().copy(), b.version
    optimizer.step()
    np.testing.assert_array_equal(b.array, before)
    assert b.version == version
    assert list(optimizer.state_dict()["state"]) == [0]


def test_the_gradient_is_left_as_it_was():
    p = leaf(5)
    give([p], 0)
    before = p.grad.numpy().copy()
    optim.Adam([p], weight_decay=0.1).step()
    np.testing.assert_array_equal(p.grad.array, before)


def test_a_step_makes_earlier_graphs_stale():
    p = leaf(3)
    loss = (p * p).sum()
    give([p], 0)
    optim.SGD([p]).step()
    with pytest.raises(GraphError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("change, error", [
    (lambda p: setattr(p, "grad", Tensor(np.ones(4, np.float32))), ShapeError),
    (lambda p: setattr(p, "grad", Tensor(np.ones(3))), DTypeError),
    (lambda p: setattr(p, "data", np.ones(3)), ArgumentError),
    (lambda p: setattr(p, "data", np.ones(4, np.float32)), ArgumentError),
])  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_moves(change, error):
    first, second = leaf(3), leaf(3)
    optimizer = optim.Adam([first, second])
    give([first, second], 0)
    optimizer.step()
    before, state = first.numpy().copy(), optimizer.state_dict()
    change(second)
    with pytest.raises(error, match="Adam: "):
        optimizer.step()
    np.testing.assert_array_equal(first.array, before)
    assert optimizer.state_dict()["state"][0]["step"] == state["state"][0]["step"] == 1


MAKERS = {
    "sgd": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda ps: optim.RMSprop(ps, centered=True, momentum=0.5),
    "adam": lambda ps: optim.Adam(ps, amsgrad=True, weight_decay=0.1),
    "adamw": lambda ps: optim.AdamW(ps),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_resumed_run_is_bit_equal(name):
    straight = [leaf(3, 4), leaf(2), leaf(5, 7, seed=2)]
    straight[0].array = np.asfortranarray(straight[0].array)
    optimizer = MAKERS[name](straight)
    for step in range(6):
        if step == 3:
            resumed = [Tensor(p.numpy().copy(order="C"), requires_grad=True) for p in straight]
            second = MAKERS[name](resumed)
            second.load_state_dict(optimizer.state_dict())
        give(straight, step)
        straight[1].grad = None if step == 1 else straight[1].grad
        if step >= 3:
            for p, q in zip(straight, resumed, strict=True):
                q.grad = p.grad
            second.step()
        optimizer.step()
    for p, q in zip(straight, resumed, strict=True):
        np.testing.assert_array_equal(p.array, q.array)
    a, b = optimizer.state_dict(), second.state_dict()
    assert a["param_groups"] == b["param_groups"]
    assert [a["state"][1]["step"], a["state"][2]["step"]] == [5, 6]
    for number, entry in a["state"].items():
        for slot, value in entry.items():
            np.testing.assert_array_equal(value, b["state"][number][slot])


def test_saved_state_is_a_copy():
    p = leaf(3)
    optimizer = optim.Adam([p])
    give([p], 0)
    optimizer.step()
    saved = optimizer.state_dict()["state"][0]["exp_avg"].copy()
    state = optimizer.state_dict()
    optimizer.step()
    np.testing.assert_array_equal(state["state"][0]["exp_avg"], saved)


def test_loading_brings_settings_and_forgets_state_that_was_not_saved():
    p, q = leaf(3), leaf(3)
    fresh = optim.SGD([p, q], lr=0.7, momentum=0.5).state_dict()
    optimizer = optim.SGD([p, q], lr=0.1)
    give([p, q], 0)
    optimizer.step()
    optimizer.load_state_dict(fresh)
    assert optimizer.param_groups[0]["lr"] == 0.7 and optimizer.param_groups[0]["params"] == [p, q]
    assert optimizer.state_dict()["state"] == {}


def test_one_error_lists_every_fault_and_nothing_is_changed():
    p, q = leaf(3), leaf(2, 2)
    optimizer = optim.Adam([p, q])
    give([p, q], 0)
    optimizer.step()
    before, bad = optimizer.state_dict(), optimizer.state_dict()
    bad["state"][0]["exp_avg"] = np.ones(4)
    del bad["state"][1]["exp_avg_sq"]
    bad["state"][5] = bad["state"][0]
    bad["param_groups"][0]["lr"] = 9.0
    with pytest.raises(ArgumentError) as caught:
        optimizer.load_state_dict(bad)
    for part in (
        "parameter 0: exp_avg of shape (4,), expected (3,)",
        "parameter 1: exp_avg_sq",
        "parameter 5 is not here",
    ):
        assert part in str(caught.value)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    np.testing.assert_array_equal(after["state"][0]["exp_avg"], before["state"][0]["exp_avg"])
    with pytest.raises(ArgumentError, match=r"groups of \[1\] parameters, expected \[2\]"):
        optimizer.load_state_dict(optim.Adam([leaf(3)]).state_dict())


def test_two_dtypes_in_one_group():
    p, q = leaf(3), leaf(3, dtype=np.float64)
    optimizer = optim.Adam([p, q], lr=0.1)
    give([p, q], 0)
    optimizer.step()
    assert p.dtype == np.float32 and q.dtype == np.float64
    assert optimizer.state_dict()["state"][1]["exp_avg"].dtype == np.float64


def test_base_class_has_no_rule():
    base = optim.Optimizer([leaf(2)], {"lr": 1.0})
    with pytest.raises(NotImplementedError):
        base.slots({})
    with pytest.raises(NotImplementedError):
        base.update(None, None, {}, {})


@pytest.mark.parametrize("kind", [optim.SGD, optim.RMSprop, optim.Adam, optim.AdamW])
def test_float16_is_refused_whose_digits_would_round_the_steps_away(kind):
    half, single = leaf(2, dtype=np.float16), leaf(2)
    for given in ([half], [single, half], [{"params": [single]}, {"params": half}]):
        with pytest.raises(DTypeError, match=f"{kind.__name__}: expected.*float16"):
            kind(given)
    rule = kind([single])
    with pytest.raises(DTypeError, match="float16"):
        rule.add_param_group({"params": [half]})


def test_a_rule_of_ones_own_by_its_step_and_a_setting_without_default():
    class Plain(optim.Optimizer):
        def __init__(self, params, lr=optim.optimizer.required):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.data.add_(p.grad.data, alpha=-group["lr"])

    p = minigan.tensor([1.0, 2.0], requires_grad=True)
    (p * p).sum().backward()
    Plain([p], lr=0.25).step()
    assert p.tolist() == [0.5, 1.0]
    with pytest.raises(ArgumentError, match="does not say lr"):
        Plain([p])


def test_a_group_may_carry_words_of_its_program():
    adam = optim.Adam([{"params": [minigan.ones(1, requires_grad=True)], "name": "style", "mult": 0.01}])
    assert adam.param_groups[0]["mult"] == 0.01 and adam.state_dict()["param_groups"][0]["name"] == "style"
