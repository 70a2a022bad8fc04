"""Counts, orders and truths beside plain Python: results that are constants, so that only values are held."""

import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigan
from minigan import ops

WHOLE = st.lists(st.integers(0, 5), min_size=1, max_size=8)


def t(values, dtype=None):
    return minigan.tensor(values, dtype=dtype)


@given(WHOLE)
def test_what_is_there_how_often_and_where(values):
    x = t(values)
    found, back, counts = ops.unique(x, return_inverse=True, return_counts=True)
    ordered = sorted(set(values))
    assert found.tolist() == ops.unique(x).tolist() == ordered
    assert [ordered[i] for i in back.tolist()] == values
    assert counts.tolist() == [values.count(v) for v in ordered]
    assert ops.bincount(x, minlength=3).tolist() == [values.count(v) for v in range(max(3, max(values) + 1))]
    weights = [0.5 * i for i in range(len(values))]
    assert ops.bincount(x, t(weights)).tolist() == [
        sum(w for w, v in zip(weights, values, strict=True) if v == n) for n in range(max(values) + 1)
    ]
    places = [[i] for i, v in enumerate(values) if v]
    assert ops.nonzero(x).tolist() == ops.argwhere(x).tolist() == places
    assert [[i] for i in ops.nonzero(x, as_tuple=True)[0].tolist()] == places
    assert ops.count_nonzero(x).item() == len(places)
    assert ops.isin(x, [1, 4]).tolist() == [v in (1, 4) for v in values]


@given(WHOLE, st.integers(1, 4))
def test_histograms_and_places_in_an_order(values, bins):
    x, low, high = t(values, "float32"), -0.5, 4.5
    width = (high - low) / bins
    counted = [0] * bins
    for v in values:
        if v <= high:
            counted[min(int((v - low) / width), bins - 1)] += 1
    edges = [low + i * width for i in range(bins + 1)]
    if all(abs(v - e) > 1e-6 for v in values for e in edges):
        assert ops.histc(x, bins, low, high).tolist() == counted
    steps = [1, 2, 2, 4]
    assert ops.searchsorted(t(steps), x).tolist() == [sum(s < v for s in steps) for v in values]
    found = ops.searchsorted(t(steps), x, right=True)
    assert found.tolist() == ops.bucketize(x, t(steps), right=True).tolist()
    assert found.tolist() == [sum(s <= v for s in steps) for v in values]
    assert ops.argmin(x).item() == values.index(min(values))


@pytest.mark.parametrize("name, rule", [
    ("eq", operator.eq), ("ne", operator.ne), ("lt", operator.lt), ("le", operator.le), ("gt", operator.gt),
    ("ge", operator.ge), ("floor_divide", operator.floordiv),
    ("bitwise_and", operator.and_), ("bitwise_or", operator.or_), ("bitwise_xor", operator.xor),
    ("logical_and", lambda a, b: bool(a) and bool(b)), ("logical_or", lambda a, b: bool(a) or bool(b)),
    ("logical_xor", lambda a, b: bool(a) != bool(b)),
])  # fmt: skip
@given(values=WHOLE)
def test_two_numbers_at_a_time(name, rule, values):
    others = [v + 1 for v in reversed(values)]
    found = getattr(ops, name)(t(values), t(others))
    assert found.tolist() == [rule(a, b) for a, b in zip(values, others, strict=True)]
    assert found.dtype == ("int64" if name.startswith(("bit", "floor")) else "bool")


@given(WHOLE)
def test_one_number_at_a_time(values):
    assert ops.bitwise_not(t(values)).tolist() == [~v for v in values]
    assert ops.logical_not(t(values)).tolist() == [not v for v in values]
    odd = [math.nan, math.inf, -math.inf, 0.0, *map(float, values)]
    for name in ("isnan", "isinf", "isfinite"):
        assert getattr(ops, name)(t(odd)).tolist() == [getattr(math, name)(v) for v in odd]


def test_near_enough():
    a, b = t([1.0, 2.0, math.nan], "float64"), t([1.0 + 1e-9, 2.1, math.nan], "float64")
    assert ops.isclose(a, b).tolist() == [True, False, False]
    assert ops.isclose(a, b, equal_nan=True).tolist() == [True, False, True]
    assert not ops.allclose(a, b) and ops.allclose(a[:1], b[:1])
    assert ops.isclose(a, b, rtol=0.0, atol=0.1001).tolist() == [True, True, False]


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_triangles(offset):
    lower = [[i for i in range(2) for j in range(3) if j - i <= offset],
             [j for i in range(2) for j in range(3) if j - i <= offset]]  # fmt: skip
    upper = [[i for i in range(2) for j in range(3) if j - i >= offset],
             [j for i in range(2) for j in range(3) if j - i >= offset]]  # fmt: skip
    assert ops.tril_indices(2, 3, offset).tolist() == lower
    assert ops.triu_indices(2, 3, offset).tolist() == upper


@pytest.mark.parametrize("replacement", [True, False])
def test_draws_by_weight(replacement):
    """Places with weight 0 never come; without replacement none comes twice; shares are the weights'."""
    weights, draw = t([0.0, 1.0, 3.0]), np.random.default_rng(0)
    found = ops.multinomial(weights, 2 if not replacement else 4000, replacement, generator=draw).tolist()
    assert 0 not in found and (replacement or sorted(found) == [1, 2])
    if replacement:
        assert found.count(2) / 4000 == pytest.approx(0.75, abs=0.03)
