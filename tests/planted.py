"""Bugs that real projects shipped, each planted in minigan, and the property that must find it.

A fault is an edit of one function's source: `old` becomes `new`.  The function runs the edited code for the
length of a test, whoever refers to it.  An edit that no longer applies fails loudly.
"""

# ruff: noqa: E501  (an edit is one string, however long)

import importlib
import inspect
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minigan import Tensor, gan, ops, optim
from minigan.gan import losses, penalties
from minigan.gan.trainer import Trainer
from minigan.modes import set_mode
from minigan.style.gram import gram
from minigan.testing import GradReport, OpCase, Sample, check_op, gradcheck
from minigan.testing.cases import all_cases
from minigan.testing.strategies import arrays, just


@dataclass(frozen=True)
class Fault:
    """`where` is module:owner.function; `check()` runs the tests that must notice; `by` is the property.

    Where the draw decides which property comes first, `by` names them: "value or error".
    """

    name: str
    where: str
    old: str
    new: str
    check: Callable[[], GradReport]
    by: str

    def is_found_by(self, report):
        return report.properties and report.properties[0] in self.by.split(" or ")


def plant(patch, fault):
    """Let the function at `fault.where` run its source with `old` replaced by `new`, until `patch` is undone."""
    module_name, _, path = fault.where.partition(":")
    module = importlib.import_module(f"minigan.{module_name}")
    found = module
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
    if hasattr(found, "cache_clear"):  # cached results are as wrong as the function
        patch.setattr(module, path, found.__wrapped__)
    function = inspect.unwrap(found.fget if isinstance(found, property) else found)
    source = textwrap.dedent(inspect.getsource(function))
    assert fault.old in source, f"{fault.where}: the fault no longer applies, {fault.old!r} is gone"
    lines = source.replace(fault.old, fault.new)
    lines = lines[lines.index("def ") :] if lines.startswith("@kernel") else lines  # it is registered already
    place = {**vars(module), "lru_cache": lambda maxsize: lambda function: function}
    exec(compile("from __future__ import annotations\n" + lines, fault.where, "exec"), place)
    patch.setattr(function, "__code__", inspect.unwrap(_plain(place[function.__name__])).__code__)


def _plain(function):
    return function.fget if isinstance(function, property) else function


def case(name, examples=25):
    """`check_op` on the operation of that name, by definition; tests/kernels has the faults of kernels."""

    def check():
        (found,) = [c for c in all_cases() if c.name == name]
        with set_mode("kernels", False):
            return check_op(found, examples=examples)

    return check


def engine(fn, *shapes):
    """`gradcheck` on a function that leans on the engine."""
    rng = np.random.default_rng(0)
    return lambda: gradcheck(fn, [rng.uniform(0.5, 1.5, shape) for shape in shapes], seed=0)


def oracle(fn, strategy, reference, order=2):
    """`check_op` on a function that is no operation of its own, against a closed form."""

    def check():
        with np.errstate(all="ignore"):
            return check_op(OpCase("function", fn, strategy, reference, order=order), examples=10)

    return check


def holds(property, statement):
    """One statement about training; an exception is as bad as a wrong answer."""

    def check():
        report = GradReport(property, 0)
        try:
            held = statement()
        except Exception:
            held = False
        if not held:
            report.add(property, "does not hold")
        return report

    return check


def own_networks_only():
    images = np.random.default_rng(0).uniform(-1, 1, (12, 1, 8, 8)).astype(np.float32)
    options = {"shape": (1, 8, 8), "latent": 4, "base": 2, "batch": 6, "generator_first": False}
    trainer = Trainer.create(gan.resolve("dcgan", **options), images, None)
    trainer.train_step()
    return all(
        names and all(name.startswith(phase.split("'")[0]) for name in names)
        for phase, names in trainer.touched.items()
    )


def stale_value_is_noticed():
    x = Tensor(np.ones(3), requires_grad=True)
    y = (x * x).exp()
    x.array += 1.0
    try:
        y.sum().backward()
    except RuntimeError:
        return True
    return False


def resumes():
    def step(parameter, optimiser):
        parameter.grad = Tensor(np.array([0.5, -2.0]))
        optimiser.step()

    first, second = (Tensor(np.ones(2), requires_grad=True) for _ in range(2))
    one, other = optim.Adam([first], lr=0.1), optim.Adam([second], lr=0.1)
    for _ in range(3):
        step(first, one)
    second.array = first.array.copy()
    other.load_state_dict(one.state_dict())
    step(first, one)
    step(second, other)
    return np.array_equal(first.array, second.array)


def running_statistics_move():
    x = np.random.default_rng(0).normal(2.0, 3.0, (4, 2, 3))
    mean, var = np.zeros(2), np.ones(2)
    ops.batch_norm(Tensor(x), mean, var, training=True, momentum=0.1)
    lanes = [x[:, c].ravel() for c in range(2)]
    means = [0.1 * math.fsum(lane) / 12 for lane in lanes]
    spreads = [
        0.9 + 0.1 * math.fsum((v - 10 * m) ** 2 for v in lane) / 11
        for m, lane in zip(means, lanes, strict=True)
    ]
    return np.allclose(mean, means) and np.allclose(var, spreads)


def softplus(values):
    return [max(v, 0.0) + math.log1p(math.exp(-abs(v))) for v in values]


def mean_of(values):
    return np.asarray(math.fsum(values) / len(values))


POINTS = np.random.default_rng(1).uniform(0.5, 1.5, (3, 2, 2))


def penalty(weight):
    s = penalties.steepness(
        lambda p: (p * p * weight).sum(axis=(1, 2)) * 0.5, Tensor(POINTS.astype(weight.dtype))
    )
    return ((s - 1.0) ** 2).mean()


def penalty_by_hand(weight):
    """The critic sum(w x^2) / 2 has slope w x: the penalty is the mean over samples of (|w x_n| - 1)^2."""
    return mean_of([(math.hypot(*(weight * row).ravel()) - 1) ** 2 for row in POINTS])


def gram_by_hand(f):
    _, C, H, W = f.shape
    return np.array([[math.fsum((f[0, i] * f[0, j]).ravel()) / (H * W) for j in range(C)] for i in range(C)])


def flat_critic(weight):
    return penalties.steepness(lambda p: (p * weight).sum(axis=1) * 0.0 + (p * weight * weight).sum(axis=1),
                               Tensor(np.ones((2, 3))))  # fmt: skip


def chain(x):
    for _ in range(1500):
        x = x + 0.001
    return x


LOGITS = just(Sample((np.array([-900.0, -3.0, 0.5, 2.0]),)))
PAIR = just(Sample((np.array([-3.0, 0.5, 2.0]), np.array([1.0, -0.2, 4.0]))))
WEIGHTS = arrays((2, 2), 0.5).map(lambda x: Sample((x,)))
FEATURES = arrays((1, 3, 2, 4)).map(lambda x: Sample((x,)))

TRIAD, DEFINITION, WINDOWS, POOL = "ops.conv.triad", "ops.conv.definition", "ops.windows", "ops.pool"
H_BY_FORMULA = "(s.OH - 1) * s.stride[0] - 2 * s.padding[0] + s.dilation[0] * (s.KH - 1) + 1"

CONVOLUTION = [
    Fault("col2im overwrites on overlap", f"{WINDOWS}:fold", "] += values", "] = values", case("conv2d"), "gradient"),
    Fault("dilation missing in backward", f"{WINDOWS}:Windows.place", "k * self.dilation", "k", case("conv2d"),
          "gradient"),
    Fault("kernel height and width swapped in backward", f"{WINDOWS}:fold", "values[..., i, j]",
          "values[..., j % rows.kernel, i % columns.kernel]", case("conv2d"), "gradient"),
    Fault("kernel flipped once too often", f"{DEFINITION}:_matrix", "weight.reshape(",
          "weight[:, :, ::-1, ::-1].reshape(", case("conv2d"), "value"),
    Fault("in and out channels transposed in the weight gradient", f"{DEFINITION}:conv_w",
          ".reshape(spec.weight_shape)", ".swapaxes(-2, -1).reshape(spec.weight_shape)", case("conv2d"),
          "gradient"),
    Fault("weight gradient averaged over the batch", f"{DEFINITION}:conv_w", "each.sum(axis=0)",
          "each.mean(axis=0)", case("conv2d"), "gradient"),
    Fault("weight gradient overwritten by each sample", f"{DEFINITION}:conv_w", "each.sum(axis=0)", "each[-1]",
          case("conv2d"), "gradient"),
    Fault("groups ignored in the weight gradient", f"{DEFINITION}:conv_w", "_columns(x, spec)",
          "_columns(x, spec)[:, :1]", case("conv2d"), "gradient"),
    Fault("non-contiguous kernel read as contiguous", f"{DEFINITION}:_matrix", "weight.reshape(",
          'weight.ravel(order="K").reshape(', case("conv2d"), "layout"),
    Fault("a buffer that was not cleared, where s > k leaves gaps", f"{WINDOWS}:fold",
          ".zeros((*values.shape[:2], rows.end, columns.end),",
          ".full((*values.shape[:2], rows.end, columns.end), 0.1,", case("conv2d"), "linear in cotangent"),
    Fault("k < s: windows moved by the kernel's size", f"{WINDOWS}:unfold", "h * rows.stride",
          "h * min(rows.stride, rows.kernel)", case("conv2d"), "value"),
    Fault("input gradient's size from the formula", f"{TRIAD}:Conv2d.backward",
          "gx = Conv2dInputGrad(self.spec)",
          f"from dataclasses import replace\n    s = self.spec\n    gx = Conv2dInputGrad(replace(s, H={H_BY_FORMULA}))",
          case("conv2d"), "shape"),
    Fault("pad top used for bottom", "ops.shape:Fold.forward", "for axis, (before, after)",
          "for axis, (after, before)", case("pad"), "gradient"),
    Fault("double backward reads its own result", f"{TRIAD}:Conv2dInputGrad.backward",
          "Conv2dWeightGrad(self.spec)(ggx, self.input(0))",
          "Conv2dWeightGrad(self.spec)(Conv2dInputGrad(self.spec)(self.input(0), self.input(1)), self.input(0))",
          case("conv2d"), "second order"),
    Fault("output_padding ignored in forward", "ops.conv.spec:from_transpose", "d * (k - 1) + e + 1",
    "d * (k - 1) + 1",
          case("conv_transpose2d"), "value or error"),
    Fault("output_padding ignored in backward", f"{TRIAD}:Conv2dInputGrad.backward",
          "gg = Conv2d(self.spec)(ggx,",
          f"s = self.spec\n    h = {H_BY_FORMULA}\n    gg = Conv2d(s)(pad(ggx[:, :, :h], (0, 0, 0, s.H - h)),",
          case("conv_transpose2d"), "gradient or shape"),
    Fault("transposed flag lost in the double backward", f"{TRIAD}:Conv2dInputGrad.backward",
          "gg = Conv2d(self.spec", "gg = Conv2dInputGrad(self.spec", case("conv2d"), "differentiable again or second order"),
    Fault("output_padding >= max(stride, dilation) accepted", "ops.conv.spec:from_transpose",
    "if e >= max(s, d):",
          "if e >= 9 * max(s, d):", case("conv_transpose2d"), "bad input"),
]  # fmt: skip

POOLING = [
    Fault("ties counted twice", "ops.reduce:Max.backward",
          "reshape(g, extreme.shape) * share", "reshape(g, extreme.shape)",
          case("amax"), "sub-gradient"),
    Fault("overlapping windows overwrite", f"{WINDOWS}:fold", "] += values", "] = values", case("max_pool2d"),
          "gradient or sub-gradient"),
    Fault("max-pool padding with 0", f"{POOL}:MaxPool2d.forward", "fill=-np.inf", "fill=0.0",
          case("max_pool2d"), "value"),
    Fault("pad offset forgotten", f"{WINDOWS}:fold", "top, left = rows.padding, columns.padding", "top = left = 0",
          case("max_pool2d"), "gradient or sub-gradient or second order"),
    Fault("average over the wrong count", f"{POOL}:Windows.counts", "if include_pad else",
    "if not include_pad else",
          case("avg_pool2d"), "value"),
    Fault("saved argmax changed between two backward calls", f"{POOL}:MaxPool2d.backward",
    "return ScatterMax(self.axes, self.saved,",
          "winner, self.saved = self.saved, self.saved * 0\n    return ScatterMax(self.axes, winner,",
          case("max_pool2d"), "second backward"),
]  # fmt: skip

NORMALISATION = [
    Fault("x-hat term dropped", "ops.norm:Standardize.backward",
          " - xhat * drift", "", case("group_norm"), "gradient"),
    Fault("eval backward uses the batch formula", "ops.norm:_batch_norm_with", "shift = ",
          "m = mean(x, tuple(range(1, x.ndim)), keepdims=True)\n    x = x - (m - m.detach())\n    shift = ", case("batch_norm eval"), "gradient"),
    Fault("running statistics not updated", "ops.norm:batch_norm",
    "_move_both(op, running_mean, running_var, momentum, count)", "pass",
          holds("value", running_statistics_move), "value"),
    Fault("running variance biased", "ops.norm:_move_both", "op.var * (count / (count - 1))", "op.var",
          holds("value", running_statistics_move), "value"),
    Fault("labels read as logits", "ops.loss:BinaryCrossEntropyWithLogits.backward", "sigmoid(x) - t",
          "sigmoid(x - t)", case("binary_cross_entropy_with_logits"), "gradient"),
    Fault("eps outside the root", "ops.norm:Standardize.forward", "(variance + self.eps) ** -0.5",
          "(variance**0.5 + self.eps) ** -1.0", case("instance_norm"), "value"),
]  # fmt: skip

RESAMPLING = [
    Fault("column index minus row count", "ops.resample:_nearest_index", "cells * n // out if",
    "abs(cells - n) * n // out if",
          case("interpolate nearest"), "value"),
    Fault("align_corners scale wrong", "ops.resample:_bilinear_matrix",
    "((n - 1) / (out - 1) if out > 1 else 0.0)", "(n / out)",
          case("interpolate bilinear"), "value"),
    Fault("non-integer scale truncated", "ops.resample:_bilinear_matrix", "1 / factor",
    "1 / max(int(factor), 1)",
          case("interpolate bilinear", 40), "value"),
]  # fmt: skip

ENGINE = [
    Fault("no topological order", "autograd:_walk", "(-edge.order, edge)", "(edge.order, edge)",
          engine(lambda x: (y := x.exp()) * y + y, (3,)), "error"),
    Fault("gradient of a reused tensor overwritten", "autograd:_walk", "gradients[key] = gradients[key] + g",
          "gradients[key] = g", engine(lambda x: x * x + x, (3,)), "gradient"),
    Fault("first gradient stored by reference, then added into", "autograd:_walk",
    "gradients[key] + g if",
          "Tensor._wrap(gradients[key].array.__iadd__(g.array)) if", engine(lambda x: x + x, (3,)), "cotangent unchanged"),
    Fault("in-place change of a saved tensor unnoticed", "tensor:Op.input",
    "version[0] != seen", "False",
          holds("stale value", stale_value_is_noticed), "stale value"),
    Fault("broadcast gradient not summed", "ops.arithmetic:Add.backward",
    "sum_to(g, self.input_shapes[0])", "g",
          case("add"), "shape"),
    Fault("keepdims forgotten in backward", "ops.broadcast:Sum.backward", "reshape(g, kept)", "g",
    case("sum", examples=75), "shape or gradient"),
    Fault("negative axes taken for positive ones", "ops.operands:normalize_axes", "sorted(a % ndim for",
    "sorted(abs(a) % ndim for",
          case("sum", examples=75), "error or value"),
    Fault("only the first of several axes", "ops.reduce:mean", "sum(x, axis, keepdims)",
          "sum(x, axis[:1] if isinstance(axis, tuple) and len({a % x.ndim for a in axis}) > 1 else axis, keepdims)",
          case("mean", examples=75), "value"),
    Fault("repeated indices in getitem", "ops.shape:Scatter.forward", "xp.add.at(out, self.index, g)",
    "out[self.index] = g",
          case("getitem", examples=75), "gradient"),
    Fault("dtype silently up-cast", "ops.arithmetic:MulScalar.forward", "x * self.c",
    "x * namespace(x).float64(self.c)",
          case("times a number"), "dtype"),
    Fault("dtype silently down-cast", "ops.arithmetic:AddScalar.backward", "return g",
    "return Tensor(g.array.astype('float32'))",
          case("number added"), "dtype"),
    Fault("backward twice accumulates intermediates", "ops.arithmetic:MulScalar.backward",
    "return MulScalar(self.c)(g)",
          "self.seen = g if not hasattr(self, 'seen') else self.seen + g\n    return MulScalar(self.c)(self.seen)",
          case("times a number"), "second backward"),
    Fault("recursion depth", "autograd:ancestors", "pending.extend(edge.parents)",
          "seen.update((id(op), op) for p in edge.parents if isinstance(p, Op) for op in ancestors([type('R', (), {'node': p})]))",
          engine(chain, (1,)), "error"),
    Fault("backward on raw arrays cuts the second order", "ops.elementwise:Exp.backward", "g * self.output",
          "Tensor(g.array * self.output.array)", case("exp"), "differentiable again"),
    Fault("half of backward on raw arrays", "ops.elementwise:Log.backward", "g / self.input(0)",
          "g / Tensor(self.input(0).array)", case("log"), "second order"),
    Fault("dropout mask redrawn", "ops.noise:dropout", "return where(kept, x, 0.0)",
          "other = where(generator.random(x.shape, dtype=np.float32) >= p, x, 0.0)\n"
          "    return (other + (where(kept, x, 0.0) - other).detach())", case("dropout", 80), "gradient"),
    Fault("gradients that share memory", "autograd:_own", "if owner in owners or", "if",
          engine(lambda x, y: x + y, (3,), (3,)), "no alias"),
    Fault("forward works in place on its input", "ops.elementwise:Exp.forward", "exp(x)", "exp(x, out=x)",
    case("exp"),
          "inputs unchanged"),
]  # fmt: skip

TRAINING = [
    Fault("D's step leaks into G", "gan.trainer:Trainer.make_fakes", "with no_grad():", "if True:",
          holds("own network", own_networks_only), "own network"),
    Fault("detach in G's step", "gan.trainer:Trainer._generator_phase", "self.judge(fake, labels)",
          "self.judge(fake.detach(), labels)", holds("own network", own_networks_only), "own network"),
    Fault("probabilities taken for logits", "gan.losses:bce_d", "ops.softplus(-real)",
    "ops.softplus(-ops.sigmoid(real))",
          oracle(losses.bce_d, PAIR, lambda r, f: mean_of(softplus(-r)) + mean_of(softplus(f))), "value"),
    Fault("log of 0", "gan.losses:non_saturating_g", "ops.softplus(-fake)", "-ops.log(ops.sigmoid(fake))",
          oracle(losses.non_saturating_g, LOGITS, lambda f: mean_of(softplus(-f))), "value"),
    Fault("Adam's step count lost on resume", "optim.optimizer:Optimizer.load_state_dict",
    'int(float(saved[number].get("step", 1)))', "0",
          holds("resume", resumes), "resume"),
    Fault("gradient-penalty norm over the batch", "gan.penalties:_squares",
    "axis=tuple(range(1, slope.ndim))", "axis=None",
          oracle(penalty, WEIGHTS, penalty_by_hand, order=1), "value"),
    Fault("Gram normalised twice", "style.gram:gram", "/ flat.shape[0]", "/ flat.shape[0] / flat.shape[1]",
          oracle(gram, FEATURES, gram_by_hand), "value"),
    Fault("root of zero gives a NaN gradient", "gan.penalties:_lengths", " + 1e-12", "",
          lambda: gradcheck(flat_critic, np.zeros(3), seed=0, order=1), "finite"),
    Fault("mean divides by the wrong size", "ops.reduce:mean", "sums / (n or 1)",
    "1.0 / ((len(x.array) if x.ndim else 1) or 1)",
          case("mean"), "value"),
]  # fmt: skip

FAULTS = CONVOLUTION + POOLING + NORMALISATION + RESAMPLING + ENGINE + TRAINING
