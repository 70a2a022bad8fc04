"""Bugs planted in kernels, and the property that must find each: see tests/planted.py."""

# ruff: noqa: E501  (an edit is one string, however long)

import importlib.util
from pathlib import Path

from minigan.kernels.conv import registry
from minigan.testing import check_op
from minigan.testing.cases import all_cases


def _load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


planted = _load(Path(__file__).parents[1] / "planted.py")
Fault, plant = planted.Fault, planted.plant


def case(name, examples=25, algorithm="auto"):
    """`check_op` on the operation of that name, a convolution perhaps by one algorithm."""

    def check():
        (found,) = [c for c in all_cases() if c.name == name]
        with registry.use(algorithm):
            return check_op(found, examples=examples)

    return check


NAIVE, HOST = "kernels.conv.naive", "kernels.host"
LOOPS = case("conv2d", algorithm="naive")

FAULTS = [
    Fault("col2im overwrites on overlap", f"{NAIVE}:input_grad", "gx[at_x] +=", "gx[at_x] =", LOOPS,
    "gradient"),
    Fault("stride missing in backward", f"{NAIVE}:input_grad", "gx[at_x]",
          "gx[at_x[0], at_x[1], max(0, at_x[2] - at_y[2] * (spec.stride[0] - 1)), at_x[3]]", LOOPS,
          "gradient"),
    Fault("dilation missing in backward", f"{NAIVE}:input_grad", "gx[at_x]",
          "gx[at_x[0], at_x[1], max(0, at_x[2] - at_weight[2] * (spec.dilation[0] - 1)), at_x[3]]", LOOPS,
          "gradient"),
    Fault("kernel height and width swapped", f"{NAIVE}:forward", "weight[at_weight]",
          "weight[at_weight[0], at_weight[1], at_weight[3] % spec.KH, at_weight[2] % spec.KW]", LOOPS,
          "value"),
    Fault("kernel flipped once too often", f"{NAIVE}:input_grad", "weight[at_weight]",
          "weight[at_weight[0], at_weight[1], spec.KH - 1 - at_weight[2], spec.KW - 1 - at_weight[3]]",
          LOOPS, "gradient"),
    Fault("in and out channels transposed in the weight gradient", f"{NAIVE}:weight_grad", "return gweight",
          "return gweight.swapaxes(0, 1).reshape(gweight.shape)", LOOPS, "gradient"),
    Fault("weight gradient averaged over the batch", f"{NAIVE}:weight_grad", "return gweight",
          "return gweight / spec.N", LOOPS, "gradient"),
    Fault("weight gradient overwritten by each sample", f"{NAIVE}:weight_grad", "x[at_x] * g[at_y]",
          "x[at_x] * g[at_y] * (at_y[0] == spec.N - 1)", LOOPS, "gradient"),
    Fault("groups ignored in the weight gradient", f"{NAIVE}:weight_grad", "x[at_x]",
          "x[at_x[0], at_weight[1], at_x[2], at_x[3]]", LOOPS, "gradient"),
    Fault("non-contiguous kernel read as contiguous", f"{NAIVE}:forward", "for at_y",
          'weight = weight.ravel(order="K").reshape(weight.shape)\n    for at_y',
          LOOPS, "layout"),
    Fault("a buffer that was not cleared, where s > k leaves gaps", f"{NAIVE}:input_grad",
    ".zeros(spec.x_shape, g.dtype)",
          ".full(spec.x_shape, 0.1, g.dtype)", LOOPS, "linear in cotangent"),
    Fault("k < s: windows moved by the kernel's size", f"{NAIVE}:terms", "i * SH + kh",
    "i * min(SH, spec.KH) + kh",
          case("conv_transpose2d", algorithm="naive"), "value"),
    Fault("overlapping windows overwrite in the kernel", f"{HOST}.pool:tiles",
    "return windows.stride >= windows.kernel and windows.dilation == 1",
          "return True", case("max_pool2d"), "gradient"),
    Fault("pad offset forgotten in the kernel", f"{HOST}.pool:tap", "k * windows.dilation - windows.padding",
    "k * windows.dilation",
          case("max_pool2d"), "value"),
    Fault("float64 through a float32 buffer", f"{HOST}.pool:spread_along", "return gx",
          "return gx.astype(np.float32).astype(gx.dtype)", case("avg_pool2d"), "dtype"),
    Fault("mean term dropped", f"{HOST}.norm:standardize_derivative",
          "np.subtract(g[some], mean(g[some], axes), out=part)",
          "part[...] = g[some]", case("instance_norm"), "gradient"),
    Fault("x-hat term dropped", f"{HOST}.norm:standardize_derivative", "part -= xhat", "pass",
          case("layer_norm"), "gradient"),
    Fault("gradient before the leaky ReLU", f"{HOST}.norm:batch_norm_derivative",
          "leaky_gradient(y[part], given[part], leak, gx[part])", "gx[part] = given[part]",
          case("batch_norm leaky relu"), "gradient"),
    Fault("label left out in the kernel", f"{HOST}.loss:cross_entropy_derivative", "gx -= wanted", "pass",
          case("binary_cross_entropy_with_logits"), "gradient"),
    # A definition differs from its kernel:
    Fault("x-hat term dropped where it is differentiated again", "ops.norm:Standardize.backward",
          " - xhat * drift", "", case("group_norm"), "same gradient recorded"),
]  # fmt: skip
