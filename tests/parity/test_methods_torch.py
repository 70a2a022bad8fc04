"""Every name on Tensor that computes, beside PyTorch's: values, shapes, dtypes, two orders of gradients."""

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigan
from minigan import Tensor

_spec = importlib.util.spec_from_file_location("methods_table", Path(__file__).with_name("methods_table.py"))
table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(table)
TABLE, Fixed = table.TABLE, table.Fixed
NAMES = sorted({n for n in dir(Tensor) if not n.startswith("_")} | {*minigan.ops.methods.OPERATORS})


def row(name):
    """The row of a name; one that ends in "_" changes its tensor to what the name without returns."""
    return TABLE.get(name) or (TABLE.get(name[:-1]) if name.endswith("_") else None)


def test_every_name_that_computes_has_a_row():
    missing = [n for n in NAMES if row(n) is None and n not in table.OTHERS and n not in table.OURS]
    assert not missing, f"no row in methods_table.py for {missing}"
    assert not [
        n for n in (*TABLE, *table.OTHERS) if not hasattr(Tensor, n) and not hasattr(minigan.ones(1), n)
    ]


def argument(value, library, dtype):
    wanted = isinstance(value, np.ndarray)
    value = value.array if isinstance(value, Fixed) else value
    if not isinstance(value, np.ndarray):
        return value, None
    value = np.array(value.astype(dtype) if value.dtype.kind == "f" else value)
    made = minigan.Tensor(value) if library is minigan else library.from_numpy(value)
    return made, made.requires_grad_() if wanted else None


def parts(value):
    """What a result is made of: tensors, or a Python value."""
    return list(value) if isinstance(value, (tuple, list)) and hasattr((*value, 0)[0], "detach") else [value]


def outcome(library, name, seed, dtype="float64"):
    args, kwargs = row(name)(table.Draw(seed))
    given, leaves = map(list, zip(*(argument(value, library, dtype) for value in args), strict=True))
    changes = name.endswith("_") and not name.endswith("__") or name in IN_PLACE
    leaves = [leaf for leaf in leaves if leaf is not None]
    if changes:
        given[0] = given[0] * 1 if leaves and given[0] is leaves[0] else given[0].clone()
    named = {key: argument(value, library, dtype)[0] for key, value in kwargs.items()}
    found = getattr(given[0], name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = found(*given[1:], **named) if callable(found) and not hasattr(found, "detach") else found
    results = parts(result)
    if changes:
        results.append(given[0])
    draw = np.random.default_rng(seed)
    total = 0
    for part in results:
        c = draw.uniform(0.5, 1.5, tuple(getattr(part, "shape", ()))).astype(dtype)
        if getattr(part, "requires_grad", False):
            total = total + (part * argument(Fixed(c), library, dtype)[0].to(part.dtype)).sum()
    grads = [[None] * len(leaves)] * 2
    grad = minigan.grad if library is minigan else library.autograd.grad
    if hasattr(total, "sum") and dtype == "float64":
        grads[0] = grad(total, leaves, create_graph=True, allow_unused=True)
        again = sum((leaf * 0.0).sum() for leaf in leaves)
        for g in grads[0]:
            again = again if g is None else again + (g * g * 0.5 + g).sum()
        grads[1] = grad(again, leaves, allow_unused=True)
    return results, grads


IN_PLACE = ("__iadd__", "__isub__", "__imul__", "__itruediv__")


def agree(mine, theirs, what, worst):
    if not hasattr(theirs, "detach"):
        if mine is None or theirs is None or hasattr(mine, "detach"):
            rest = [x for x in (mine, theirs) if x is not None]
            assert not any(np.asarray(x.detach().numpy()).any() for x in rest), what
        else:
            assert mine == theirs and (type(mine) is type(theirs) or isinstance(mine, (tuple, int))), (
                what,
                mine,
                theirs,
            )
        return
    if mine is None:
        assert not theirs.detach().numpy().any(), what
        return
    a, b = (np.asarray(x.detach().numpy()) for x in (mine, theirs))
    assert a.shape == b.shape and a.dtype == b.dtype, (what, a.shape, b.shape, a.dtype, b.dtype)
    np.testing.assert_allclose(
        a, b, rtol=worst, atol=worst * max(np.abs(b[np.isfinite(b)]).max(initial=0), 1e-3), err_msg=what
    )


@pytest.mark.parametrize("name", [n for n in NAMES if row(n) and n not in table.OURS])
@given(seed=st.integers(0, 2**32 - 1))
def test_method_agrees_with_pytorchs(name, seed):
    torch = pytest.importorskip("torch")
    mine, theirs = outcome(minigan, name, seed), outcome(torch, name, seed)
    assert len(mine[0]) == len(theirs[0])
    for a, b in zip(mine[0], theirs[0], strict=True):
        agree(a, b, f"{name}: value", 1e-9)
    for order in (0, 1):
        for a, b in zip(mine[1][order], theirs[1][order], strict=True):
            agree(a, b, f"{name}: order {order + 1}", 1e-8)
    single = [outcome(library, name, seed, "float32")[0] for library in (minigan, torch)]
    for a, b in zip(*single, strict=True):
        agree(a, b, f"{name}: float32", 5e-4)
