"""The tables that install operators, methods and properties on Tensor: each name leads to its function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import autograd, backend
from minigan.ops import (
    activation,
    arithmetic,
    broadcast,
    choice,
    compare,
    counting,
    creation,
    elementwise,
    inplace,
    linalg,
    matrices,
    operands,
    placing,
    reduce,
    select,
    shape,
    steps,
    trigonometry,
)
from minigan.ops.members import (
    Size,
    call_numpy,
    clone,
    contiguous,
    cpu,
    cuda,
    formatted,
    item_or_rows,
    maker_like,
    max_or_pair,
    min_or_pair,
    new,
    rows,
    strides,
    swapped,
    to,
    to_array,
    truth,
    type_as,
    type_of,
    typed,
)
from minigan.tensor import Tensor

OPERATORS: dict[str, Callable[..., Any]] = {
    "__add__": arithmetic.add,
    "__radd__": swapped(arithmetic.add),
    "__sub__": arithmetic.sub,
    "__rsub__": swapped(arithmetic.sub),
    "__mul__": arithmetic.mul,
    "__rmul__": swapped(arithmetic.mul),
    "__truediv__": arithmetic.div,
    "__rtruediv__": swapped(arithmetic.div),
    "__pow__": elementwise.pow,
    "__rpow__": swapped(elementwise.pow),
    "__matmul__": linalg.matmul,
    "__rmatmul__": swapped(linalg.matmul),
    "__floordiv__": steps.floor_divide,
    "__mod__": steps.remainder,
    "__and__": compare.bitwise_and,
    "__or__": compare.bitwise_or,
    "__xor__": compare.bitwise_xor,
    "__invert__": compare.bitwise_not,
    "__iadd__": inplace.add_,
    "__isub__": inplace.sub_,
    "__imul__": inplace.mul_,
    "__itruediv__": inplace.div_,
    "__neg__": arithmetic.neg,
    "__abs__": elementwise.abs,
    "__getitem__": shape.getitem,
    "__setitem__": inplace.setitem,
    "__iter__": rows,
    "__array__": to_array,
    "__array_function__": call_numpy,
    "__eq__": compare.eq,
    "__ne__": compare.ne,
    "__lt__": compare.lt,
    "__le__": compare.le,
    "__gt__": compare.gt,
    "__ge__": compare.ge,
    "__bool__": truth,
    "__int__": lambda x: int(x.item()),
    "__index__": lambda x: x.item().__index__(),
    "__format__": formatted,
}


def _by_name(*functions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    return {function.__name__: function for function in functions}


METHODS: dict[str, Callable[..., Any]] = {
    **_by_name(shape.reshape, shape.permute, shape.transpose, shape.flatten, shape.flip),
    **_by_name(broadcast.broadcast_to, broadcast.sum),
    **_by_name(elementwise.exp, elementwise.log, elementwise.sqrt, elementwise.abs, elementwise.pow),
    **_by_name(elementwise.clip, elementwise.maximum, elementwise.minimum, operands.astype),
    **_by_name(arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.div, arithmetic.neg),
    **_by_name(reduce.mean, reduce.var, reduce.std, reduce.amax, reduce.amin, reduce.logsumexp),
    **_by_name(reduce.cumsum, reduce.prod, reduce.norm),
    **_by_name(activation.relu, activation.leaky_relu, activation.sigmoid, activation.tanh),
    **_by_name(activation.softmax, activation.log_softmax),
    **_by_name(linalg.matmul, linalg.mm, linalg.bmm, linalg.mv, linalg.dot, linalg.outer),
    **_by_name(
        compare.eq, compare.ne, compare.lt, compare.le, compare.gt, compare.ge, compare.any, compare.all
    ),
    **_by_name(compare.argmax, compare.argmin, compare.sort, compare.argsort, compare.topk, compare.equal),
    **_by_name(compare.allclose, compare.isnan, compare.isinf, compare.isfinite, steps.sign),
    **_by_name(steps.floor, steps.ceil, steps.round, steps.floor_divide, steps.remainder),
    **_by_name(compare.logical_and, compare.logical_or, compare.logical_not, compare.logical_xor),
    **_by_name(
        select.view, select.view_as, select.squeeze, select.unsqueeze, select.expand, select.expand_as
    ),
    **_by_name(select.repeat, select.repeat_interleave, select.split, select.chunk, select.unbind),
    **_by_name(select.gather, select.index_select, select.masked_fill, select.masked_select, select.roll),
    **_by_name(select.tril, select.triu, select.movedim, select.t, select.numel),
    **_by_name(inplace.add_, inplace.sub_, inplace.mul_, inplace.div_, inplace.pow_, inplace.neg_),
    **_by_name(inplace.clamp_, inplace.exp_, inplace.sqrt_, inplace.abs_, inplace.masked_fill_),
    **_by_name(inplace.fill_, inplace.zero_, inplace.normal_, inplace.uniform_, inplace.bernoulli_),
    **_by_name(clone, contiguous, to, cpu, cuda, type_as),
    **_by_name(autograd.backward, autograd.register_hook, autograd.retain_grad),
    **_by_name(inplace.unsqueeze_, inplace.squeeze_, inplace.t_, inplace.transpose_, inplace.resize_),
    **_by_name(elementwise.log1p, elementwise.sin, elementwise.cos, elementwise.rsqrt, elementwise.square),
    **_by_name(elementwise.reciprocal, activation.erf),
    **_by_name(elementwise.lerp, elementwise.addcmul, elementwise.addcdiv, elementwise.clamp_min),
    **_by_name(elementwise.clamp_max, steps.trunc, steps.frac, steps.fmod, compare.bitwise_and),
    **_by_name(compare.bitwise_or, compare.bitwise_xor, compare.bitwise_not),
    **_by_name(trigonometry.tan, trigonometry.asin, trigonometry.acos, trigonometry.atan, trigonometry.atan2),
    **_by_name(
        trigonometry.sinh, trigonometry.cosh, trigonometry.expm1, trigonometry.exp2, trigonometry.log2
    ),
    **_by_name(trigonometry.log10, trigonometry.logit, trigonometry.sinc, trigonometry.logaddexp),
    **_by_name(trigonometry.xlogy, trigonometry.hypot),
    **_by_name(matrices.addmm, matrices.baddbmm, matrices.cross, matrices.cumprod, matrices.diag),
    **_by_name(matrices.diagonal, matrices.dist, matrices.fliplr, matrices.flipud, matrices.inner),
    **_by_name(matrices.inverse, matrices.logdet, matrices.rot90, matrices.slogdet, matrices.trace),
    **_by_name(select.select, select.narrow, select.take, select.take_along_dim, select.tile, select.ravel),
    **_by_name(select.reshape_as, select.unflatten, select.tensor_split, select.unfold),
    **_by_name(
        placing.scatter, placing.scatter_add, placing.index_add, placing.index_copy, placing.index_fill
    ),
    **_by_name(placing.masked_scatter, placing.scatter_, placing.scatter_add_, placing.index_add_),
    **_by_name(placing.index_copy_, placing.index_fill_, placing.masked_scatter_, placing.fill_diagonal_),
    **_by_name(inplace.copy_, placing.random_, inplace.detach_, inplace.resize_as_),
    **_by_name(counting.kthvalue, counting.median, counting.quantile, counting.aminmax, counting.nansum),
    **_by_name(counting.nanmean, counting.nan_to_num, counting.unique, counting.bincount, counting.histc),
    **_by_name(counting.nonzero, counting.argwhere, counting.count_nonzero, counting.isclose),
    **_by_name(counting.multinomial, creation.bernoulli),
    "type": type_of,
    "new": new,
    "new_zeros": maker_like(creation.zeros, "new_zeros"),
    "new_ones": maker_like(creation.ones, "new_ones"),
    "new_empty": maker_like(creation.empty, "new_empty"),
    "new_full": maker_like(creation.full, "new_full"),
    "new_tensor": maker_like(creation.tensor, "new_tensor"),
    "max": max_or_pair,
    "min": min_or_pair,
    "clamp": elementwise.clip,
    "absolute": elementwise.abs,
    "multiply": arithmetic.mul,
    "divide": arithmetic.div,
    "true_divide": arithmetic.div,
    "subtract": arithmetic.sub,
    "negative": arithmetic.neg,
    "greater": compare.gt,
    "greater_equal": compare.ge,
    "less": compare.lt,
    "less_equal": compare.le,
    "not_equal": compare.ne,
    "swapaxes": shape.transpose,
    "swapdims": shape.transpose,
    "moveaxis": select.movedim,
    "where": lambda x, condition, other: choice.where(condition, x, other),
    "tolist": item_or_rows,
    "dim": lambda x: x.ndim,
    "ndimension": lambda x: x.ndim,
    "nelement": select.numel,
    "element_size": lambda x: x.dtype.itemsize,
    "stride": lambda x, dim=None: strides(x) if dim is None else strides(x)[dim],
    "data_ptr": lambda x: backend.address(x.array),
    "get_device": lambda x: -1 if x.device == "numpy" else 0,
    "is_contiguous": lambda x: bool(x.array.flags.c_contiguous),
    "is_floating_point": lambda x: x.dtype.kind == "f",
    "pin_memory": contiguous,
    "share_memory_": contiguous,
    "byte": typed("byte", np.uint8),
    "char": typed("char", np.int8),
    "short": typed("short", np.int16),
    "float": typed("float", np.float32),
    "double": typed("double", np.float64),
    "half": typed("half", np.float16),
    "int": typed("int", np.int32),
    "long": typed("long", np.int64),
    "bool": typed("bool", np.bool_),
}

CHANGED = """relu sigmoid tanh log log1p log2 log10 sin cos tan asin acos atan sinh cosh expm1 exp2 erf rsqrt
square reciprocal floor ceil round trunc frac sign remainder fmod floor_divide lerp addcmul addcdiv clip
clamp_min clamp_max nan_to_num tril triu cumsum cumprod eq ne lt le gt ge logical_and logical_or
logical_not logical_xor bitwise_and bitwise_or bitwise_xor bitwise_not absolute negative subtract
multiply divide addmm baddbmm""".split()
METHODS.update({f"{name}_": inplace.in_place(f"{name}_", METHODS[name]) for name in CHANGED})

PROPERTIES: dict[str, property] = {
    "size": property(Size, doc=Size.__doc__),
    "T": property(lambda x: shape.permute(x, *reversed(range(x.ndim))), doc="All axes in reverse order."),
    "mT": property(lambda x: shape.transpose(x), doc="The last two axes swapped."),
    "grad_fn": property(lambda x: x.node, doc="The operation that made this tensor, where it was recorded."),
    "is_sparse": property(lambda x: False, doc="False: there are no sparse tensors here."),
    "is_cpu": property(lambda x: x.device == "numpy", doc="Whether the array lives in main memory."),
    "nbytes": property(lambda x: x.array.nbytes, doc="Bytes of the elements."),
    "itemsize": property(lambda x: x.dtype.itemsize, doc="Bytes of one element."),
    "is_cuda": property(lambda x: x.device != "numpy", doc="Whether the array lives on a GPU."),
}


def install(table: dict[str, Any]) -> None:
    """Make each function of the table a method of Tensor, each property one of its properties."""
    for name, function in table.items():
        setattr(Tensor, name, function)


for _table in (OPERATORS, METHODS, PROPERTIES):
    install(_table)
