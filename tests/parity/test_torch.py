"""The same call in PyTorch: value, first and second gradients to 1e-9 in float64, over random settings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import Tensor, grad
from minigan.testing.cases import all_cases
from minigan.testing.strategies import seeds

torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install 'minigan[bench]')")

CASES = [case for case in all_cases() if case.torch is not None]


def signed(generator, shape):
    return generator.uniform(0.5, 1.5, shape) * generator.choice([-1.0, 1.0], shape)


def ours(case, sample, seed):
    generator = np.random.default_rng(seed)
    leaves = [Tensor(np.array(a), requires_grad=a.dtype.kind == "f") for a in sample.inputs]
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    result = case.fn(*leaves, **sample.kwargs)
    cotangent = Tensor(signed(generator, result.shape))
    first = grad(result, wanted, cotangent, create_graph=True)
    pairs = [(g, Tensor(signed(generator, g.shape))) for g in first]
    roots, again = [g for g, _ in pairs if g.requires_grad], [v for g, v in pairs if g.requires_grad]
    second = grad(roots, wanted, again, allow_unused=True) if roots else [None] * len(wanted)
    return [t.numpy() for t in (result, *first)], [None if t is None else t.numpy() for t in second]


def theirs(case, sample, seed):
    generator = np.random.default_rng(seed)
    leaves = [torch.tensor(np.array(a), requires_grad=a.dtype.kind == "f") for a in sample.inputs]
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    result = case.torch(torch, *leaves, **sample.kwargs)
    cotangent = torch.tensor(signed(generator, tuple(result.shape)))
    first = torch.autograd.grad(result, wanted, cotangent, create_graph=True)
    pairs = [(g, torch.tensor(signed(generator, tuple(g.shape)))) for g in first]
    pairs = [(g, v) for g, v in pairs if g.requires_grad]
    second = [None] * len(wanted)
    if pairs:
        roots, again = zip(*pairs, strict=True)
        second = torch.autograd.grad(roots, wanted, again, allow_unused=True)
    values = [t.detach().numpy() for t in (result, *first)]
    return values, [None if t is None else t.numpy(force=True) for t in second]


def close(mine, other, what):
    mine = np.zeros_like(other) if mine is None and other is not None else mine
    other = np.zeros_like(mine) if other is None and mine is not None else other
    if mine is None:
        return
    assert mine.shape == other.shape, f"{what}: shape {mine.shape} against {other.shape}"
    size = np.max(np.abs(other), initial=0.0)
    miss = np.max(np.abs(mine - other), initial=0.0)
    assert miss <= 1e-9 * size + 1e-12, f"{what}: off by {miss:.3g} of {size:.3g}"


@pytest.mark.parametrize("case", CASES, ids=[case.name.replace(" ", "-") for case in CASES])
@given(data=st.data())
def test_value_and_both_gradients_are_pytorchs(case, data):
    sample, seed = data.draw(case.strategy), data.draw(seeds())
    mine, other = ours(case, sample, seed), theirs(case, sample, seed)
    for position, pair in enumerate(zip(mine[0], other[0], strict=True)):
        close(*pair, "value" if position == 0 else f"gradient {position - 1}")
    for position, pair in enumerate(zip(mine[1], other[1], strict=True)):
        close(*pair, f"second gradient {position}")
