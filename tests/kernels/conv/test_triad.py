"""The triad by algorithms: what is prepared of a frozen weight."""

import numpy as np

from minigan import Tensor
from minigan.kernels.conv import naive, registry, use
from minigan.ops.conv import conv2d


def draw(shapes):
    generator = np.random.default_rng(0)
    return [Tensor(generator.normal(size=shape), requires_grad=True) for shape in shapes]


def test_a_frozen_weight_is_prepared_once_and_again_after_a_change(monkeypatch):
    made = []
    algorithm = registry.Algorithm(
        "counting",
        lambda x, w, s, p=None: naive.forward(x, p, s),
        lambda g, w, s, p=None: naive.input_grad(g, p, s),
        naive.weight_grad,
        lambda s, f: "",
        lambda s, f, frozen: 0.0,
        lambda w, s, f: made.append(f) or w.copy(),
    )
    monkeypatch.setitem(registry._algorithms, "counting", algorithm)
    x, weight = draw([(1, 2, 4, 4), (2, 2, 3, 3)])
    weight.requires_grad = False
    with use("counting"):
        for _ in range(2):
            conv2d(x, weight).sum().backward()
        assert made == ["forward", "input_grad"]
        weight.copy_(2 * weight.array)
        y = conv2d(x, weight)
    assert made == ["forward", "input_grad", "forward"]
    np.testing.assert_allclose(y.array, naive.forward(x.array, weight.array, y.node.spec))
