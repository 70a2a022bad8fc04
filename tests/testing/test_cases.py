"""The records against PyTorch, where they name its call; oracles against one another."""

import numpy as np
import pytest
from hypothesis import given, settings

from minigan import Tensor, grad
from minigan.testing import cases, oracles
from minigan.testing.cases import pool
from minigan.testing.strategies import distinct_arrays, seeds

torch = pytest.importorskip("torch")
WITH_TORCH = [case for case in cases.all_cases() if case.torch]


def test_most_operations_have_a_call_in_pytorch():
    assert len(WITH_TORCH) > 50


@pytest.mark.parametrize("case", WITH_TORCH, ids=[case.name.replace(" ", "-") for case in WITH_TORCH])
def test_value_and_gradient_are_pytorchs(case):
    """Not the gradient at kinks, where each library has its own rule."""

    @settings(max_examples=max(settings.default.max_examples // 2, 1))
    @given(case.strategy, seeds())
    def same(sample, seed):
        ours = [Tensor(np.array(a), requires_grad=a.dtype.kind == "f") for a in sample.inputs]
        theirs = [torch.tensor(np.array(a), requires_grad=a.dtype.kind == "f") for a in sample.inputs]
        mine, other = case.fn(*ours, **sample.kwargs), case.torch(torch, *theirs, **dict(sample.kwargs))
        if other is None:
            return
        np.testing.assert_allclose(mine.numpy(), other.detach().numpy(), rtol=1e-10, atol=1e-10)
        if case.kinks or not mine.requires_grad:
            return
        weights = np.random.default_rng(seed).uniform(0.5, 1.5, mine.shape)
        leaves = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.requires_grad]
        found = grad(mine, [a for a, _ in leaves], Tensor(weights), allow_unused=True)
        expected = torch.autograd.grad(
            other, [b for _, b in leaves], torch.tensor(weights), allow_unused=True
        )
        for g, e in zip(found, expected, strict=True):
            assert (g is None) == (e is None)
            if g is not None:
                np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-9, atol=1e-9)

    same()


def test_a_window_of_padding_alone_has_no_winner():
    image, taps = np.zeros((1, 1, 2, 2)), {"kernel_size": 2, "stride": 1, "padding": 1, "dilation": 3}
    assert list(pool.winners(image, **taps)) == []
    assert pool.max_pool(image, **taps).tolist() == [[[[-np.inf]]]]


@given(distinct_arrays((2, 3, 4)))
def test_oracles_by_numpy(x):
    np.testing.assert_allclose(oracles.one_by_one(lambda a, b: a * b)(x, x[:, :1]), x * x[:, :1])
    np.testing.assert_allclose(oracles.along_axes(sum)(x, (0, -1), True), x.sum((0, 2), keepdims=True))
    np.testing.assert_allclose(oracles.along_axes(max)(x), x.max())
    assert oracles.along_axes(len)(np.zeros((2, 0)), 1).tolist() == [0, 0]
