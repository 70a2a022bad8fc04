"""The three operations: values, every order of gradient, and that nothing unwanted is computed or kept."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given

import minigan
from minigan.autograd import grad
from minigan.errors import ShapeError
from minigan.ops.conv import conv2d, conv_transpose2d, triad
from minigan.ops.conv.spec import from_conv
from minigan.tensor import Tensor
from minigan.testing import oracles
from minigan.testing.strategies import conv_configs, conv_transpose_configs


def draw(shapes, seed=0, dtype=np.float64):
    generator = np.random.default_rng(seed)
    return [Tensor(generator.normal(size=shape).astype(dtype), requires_grad=True) for shape in shapes]


def test_bias_is_added_to_every_pixel():
    x, weight, bias = draw([(2, 3, 5, 4), (6, 3, 3, 2), (6,)])
    plain, shifted = conv2d(x, weight, padding=1), conv2d(x, weight, bias, padding=1)
    np.testing.assert_allclose(
        shifted.array - plain.array,
        np.broadcast_to(bias.array.reshape(1, 6, 1, 1), plain.shape),
        rtol=1e-12,
        atol=1e-12,
    )
    (gbias,) = grad(shifted, [bias], [Tensor(np.arange(shifted.size, dtype=float).reshape(shifted.shape))])
    np.testing.assert_allclose(gbias.array, np.arange(shifted.size).reshape(shifted.shape).sum((0, 2, 3)))


@given(conv_transpose_configs())
def test_transposed_convolution_is_the_adjoint(config):
    """<g, conv_transpose(y)> = <conv(g), y>, with the convolution done by SciPy."""
    y, weight, g = draw([config.x_shape, config.weight_shape, config.out_shape])
    settings = {k: v for k, v in config.kwargs.items() if k != "output_padding"}
    out = conv_transpose2d(y, weight, **config.kwargs)
    assert out.shape == config.out_shape
    forward = oracles.conv2d(g.array, weight.array, **settings)
    seen = forward[:, :, : y.shape[2], : y.shape[3]]  # a whole stride of output_padding adds rows to it
    np.testing.assert_allclose(np.sum(g.array * out.array), np.sum(seen * y.array), rtol=1e-9, atol=1e-9)


@given(conv_configs())
def test_every_operation_differentiates_into_the_other_two(config):
    """The operations are bilinear: a difference of values is the derivative exactly, at any step."""
    spec = from_conv(config.x_shape, config.weight_shape, **config.kwargs)
    x, weight, g = draw([spec.x_shape, spec.weight_shape, spec.y_shape])
    for op, first, second in (
        (triad.Conv2d, x, weight), (triad.Conv2dInputGrad, g, weight), (triad.Conv2dWeightGrad, x, g),
    ):  # fmt: skip
        value = op(spec)(first, second)
        (cotangent,) = draw([value.shape], seed=1)
        gradients = grad(value, [first, second], [cotangent], create_graph=True)
        for moved, gradient in zip((first, second), gradients, strict=True):
            (step,) = draw([moved.shape], seed=2)
            ends = [(Tensor(t.array + step.array) if t is moved else t) for t in (first, second)]
            difference = op(spec)(*ends).array - value.array
            np.testing.assert_allclose(
                np.sum(gradient.array * step.array),
                np.sum(difference * cotangent.array),
                rtol=1e-8,
                atol=1e-8,
            )


@pytest.mark.parametrize("transpose", (False, True))
def test_pytorch_parity_to_second_order(transpose):
    torch = pytest.importorskip("torch")
    mine, theirs = (conv_transpose2d, "conv_transpose2d") if transpose else (conv2d, "conv2d")
    for stride, padding, dilation, groups in product((1, (2, 3)), (0, (1, 2)), (1, (2, 1)), (1, 2)):
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        if transpose and stride != 1:
            settings["output_padding"] = (1, 2)
        inner = (4, 6 // groups, 3, 2) if transpose else (6, 4 // groups, 3, 2)
        tensors = draw([(2, 4, 7, 8), inner, (6,)])
        twins = [torch.tensor(t.array, requires_grad=True) for t in tensors]
        y, z = mine(*tensors, **settings), getattr(torch.nn.functional, theirs)(*twins, **settings)
        np.testing.assert_allclose(y.array, z.detach().numpy(), rtol=1e-10, atol=1e-10)
        (cotangent,) = draw([y.shape], seed=3)
        first = grad(y, tensors, [cotangent], create_graph=True)
        first_twins = torch.autograd.grad(
            z, twins, torch.tensor(cotangent.array, requires_grad=True), create_graph=True
        )
        score, score_twin = (
            sum((a * a * a).sum() for a in first[:2]),
            sum((a**3).sum() for a in first_twins[:2]),
        )
        second = grad(score, tensors[:2])
        for a, b in zip(
            (*first, *second), (*first_twins, *torch.autograd.grad(score_twin, twins[:2])), strict=True
        ):
            np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "wanted, expected", [((True, False), ["Conv2dInputGrad"]), ((False, True), ["Conv2dWeightGrad"])]
)
def test_only_wanted_gradients_are_computed(wanted, expected):
    for function, shape in ((conv2d, (4, 3, 3, 3)), (conv_transpose2d, (3, 4, 3, 3))):
        x, weight = draw([(2, 3, 5, 5), shape])
        x.requires_grad, weight.requires_grad = wanted
        y = function(x, weight)
        ran = []
        with minigan.observe(lambda phase, op, *_, ran=ran: ran.append((phase, op.name))):
            y.backward(Tensor(np.ones(y.shape)))
        if function is conv_transpose2d:
            expected = ["Conv2d" if name == "Conv2dInputGrad" else name for name in expected]
        assert [name for phase, name in ran if phase == "forward"] == expected
        assert (x.grad is not None, weight.grad is not None) == wanted


def test_inputs_are_kept_only_where_a_gradient_reads_them():
    x, weight = draw([(2, 3, 5, 5), (4, 3, 3, 3)])
    assert [*conv2d(x, weight).node.keeps] == [1, 0]
    weight.requires_grad = False
    assert [*conv2d(x, weight).node.keeps] == [1]
    x.requires_grad, weight.requires_grad = False, True
    assert [*conv2d(x, weight).node.keeps] == [0]


def test_an_empty_batch_goes_through_both_orders():
    x, weight, bias = draw([(0, 3, 5, 5), (4, 3, 3, 3), (4,)])
    y = conv2d(x, weight, bias)
    assert y.shape == (0, 4, 3, 3)
    gradients = grad(y, [x, weight, bias], [Tensor(np.ones(y.shape))], create_graph=True)
    assert [t.shape for t in gradients] == [x.shape, weight.shape, bias.shape]
    assert all(not t.array.any() for t in gradients)


def test_wrong_shapes_are_refused():
    x, weight, bias = draw([(2, 3, 5, 5), (4, 3, 3, 3), (3,)])
    with pytest.raises(ShapeError, match=r"bias must have shape \(4,\)"):
        conv2d(x, weight, bias)
    spec = from_conv(x.shape, weight.shape)
    with pytest.raises(ShapeError, match="expected input of shape"):
        triad.Conv2dInputGrad(spec)(x, weight)
    with pytest.raises(ShapeError, match="expected weight of shape"):
        triad.Conv2d(spec)(x, x)
    with pytest.raises(ShapeError, match="expected output gradient of shape"):
        triad.Conv2dWeightGrad(spec)(x, x)
