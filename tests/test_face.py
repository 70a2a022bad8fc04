"""The face of PyTorch: names that programs use are there, wrong ones are answered, and nothing is silent."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigan
from minigan import Tensor, nn, no_grad, optim
from minigan.errors import ArgumentError, DeviceError, DTypeError, GraphError

MODULE = """tensor as_tensor from_numpy zeros ones full empty arange linspace eye randn rand randint
randperm zeros_like ones_like full_like randn_like rand_like cat stack where sum mean std var
max min argmax abs exp log sqrt sigmoid tanh relu softmax clamp matmul mm bmm einsum flatten
squeeze unsqueeze chunk split norm equal allclose isnan isfinite manual_seed no_grad enable_grad
is_tensor save load float32 float64 int64 long bool FloatTensor LongTensor device
get_default_dtype set_default_dtype cuda backends autograd nn optim utils normal bernoulli
set_grad_enabled Tensor Generator argmin sort topk prod cumsum tril triu roll gather
index_select masked_select outer dot mv numel maximum minimum log_softmax pow add sub mul div
neg eq ne lt le gt ge meshgrid diag diagonal trace multinomial inverse linalg Size inf pi finfo inference_mode
scatter scatter_add median quantile unique nonzero cdist addmm lerp atan2 tan log2 isclose hstack vstack tile
narrow unflatten histc bincount std_mean nan_to_num clamp_min rot90 tensordot broadcast_tensors""".split()
METHODS = """view view_as reshape size dim numel T t mT unsqueeze squeeze expand expand_as repeat clone
contiguous float double long to cpu cuda numpy item tolist sum mean var std max min argmax prod
norm cumsum any all pow abs exp log sqrt sigmoid tanh relu clamp add mul sub div eq ne gt lt mm
bmm matmul dot masked_fill gather index_select chunk split fill_ zero_ add_ mul_ clamp_ copy_
requires_grad_ detach data grad is_leaf retain_grad register_hook sub_ div_ normal_ uniform_
softmax log_softmax flatten permute transpose type_as half int bool backward shape dtype device
requires_grad grad_fn array topk sort argsort roll tril triu unbind scatter_ scatter_add_
index_add_ masked_scatter_ new lerp unfold
select narrow where data_ptr is_contiguous stride relu_ sigmoid_ tanh_ detach_ resize_as_ random_""".split()
FUNCTIONAL = """relu leaky_relu elu selu sigmoid logsigmoid tanh softplus gelu silu mish prelu softmax
log_softmax gumbel_softmax mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy
binary_cross_entropy_with_logits cross_entropy nll_loss kl_div conv1d conv2d conv_transpose2d
max_pool2d avg_pool2d adaptive_avg_pool2d pad interpolate normalize dropout dropout2d linear
embedding one_hot pixel_shuffle batch_norm instance_norm layer_norm group_norm cosine_similarity""".split()
LAYERS = """Module Parameter Sequential ModuleList ModuleDict ParameterList Identity Linear Embedding Conv1d
Conv2d ConvTranspose2d BatchNorm1d BatchNorm2d InstanceNorm2d LayerNorm GroupNorm ReLU LeakyReLU
PReLU ELU SELU Sigmoid Tanh Softplus GELU SiLU Mish Softmax LogSoftmax Dropout Dropout2d Flatten
Unflatten Upsample MaxPool2d AvgPool2d AdaptiveAvgPool2d ZeroPad2d ReflectionPad2d
ReplicationPad2d PixelShuffle MSELoss L1Loss SmoothL1Loss BCELoss BCEWithLogitsLoss
CrossEntropyLoss NLLLoss KLDivLoss init utils functional parallel DataParallel""".split()
UTILS = "spectral_norm clip_grad_norm_ clip_grad_value_ parameters_to_vector".split()
INIT = """normal_ uniform_ constant_ zeros_ ones_ xavier_uniform_ xavier_normal_ kaiming_uniform_
kaiming_normal_ orthogonal_""".split()
OPTIM = "Adam AdamW SGD RMSprop Adagrad LBFGS lr_scheduler".split()
SCHEDULES = """StepLR MultiStepLR ExponentialLR CosineAnnealingLR LambdaLR ReduceLROnPlateau CyclicLR
PolynomialLR CosineAnnealingWarmRestarts""".split()
DATA = "Dataset TensorDataset DataLoader random_split Subset".split()
AUTOGRAD = "grad Function gradcheck backward".split()
MODULE_METHODS = """apply children parameters named_parameters modules named_modules cuda cpu to float double
register_forward_hook register_buffer register_parameter extra_repr state_dict load_state_dict
train eval zero_grad requires_grad_""".split()
PLACES = {
    "minigan": MODULE, "minigan.Tensor": METHODS, "minigan.nn.functional": FUNCTIONAL, "minigan.nn": LAYERS,
    "minigan.nn.utils": UTILS, "minigan.nn.init": INIT, "minigan.optim": OPTIM,
    "minigan.optim.lr_scheduler": SCHEDULES, "minigan.utils.data": DATA, "minigan.autograd": AUTOGRAD,
    "minigan.nn.Module": MODULE_METHODS,
}  # fmt: skip


def place(name):
    if name in ("minigan.Tensor", "minigan.nn.Module"):
        return Tensor(np.ones((2, 2), np.float32)) if name == "minigan.Tensor" else nn.Module
    return importlib.import_module(name)


@pytest.mark.parametrize("where, name", [(where, name) for where, names in PLACES.items() for name in names])
def test_the_name_is_there(where, name):
    assert hasattr(place(where), name)


@pytest.mark.parametrize(
    "where, name, near",
    [("minigan", "ranndn", "randn"), ("minigan.nn", "Conv2D", "Conv2d"), ("minigan.nn", "LSTM", ""),
     ("minigan.nn.functional", "leakyrelu", "leaky_relu"), ("minigan.optim", "Adamm", "nearest: Adam"),
     ("minigan.linalg", "invert", "inv")],
)  # fmt: skip
def test_a_wrong_name_is_answered_with_the_nearest(where, name, near):
    with pytest.raises(AttributeError) as caught:
        getattr(importlib.import_module(where), name)
    assert near in str(caught.value) and "\n" not in str(caught.value)


def test_a_wrong_method_is_answered_with_the_nearest():
    """By Python itself: a ``__getattr__`` of ours would slow down every look-up on a tensor."""
    program = [sys.executable, "-c", "import minigan; minigan.ones(1).sofmax()"]
    said = subprocess.run(program, capture_output=True, text=True, check=False).stderr.splitlines()[-1]
    assert said == "AttributeError: 'Tensor' object has no attribute 'sofmax'. Did you mean: 'softmax'?"


def test_in_place_under_no_grad_moves_the_parameters():
    net = nn.Linear(2, 1)
    before, memory = net.weight.numpy().copy(), net.weight.array
    net(minigan.ones(1, 2)).sum().backward()
    with no_grad():
        for p in net.parameters():
            p -= 0.5 * p.grad
    np.testing.assert_allclose(net.weight.numpy(), before - 0.5)
    assert net.weight.array is memory


@pytest.mark.parametrize(
    "change",
    [lambda p: p.add_(1.0), lambda p: p.__setitem__(0, 1.0), lambda p: p.fill_(0.0), lambda p: p.mul_(2.0),
     lambda p: p.clamp_(0, 1), lambda p: p.zero_(), lambda p: p.normal_()],
)  # fmt: skip
def test_a_leaf_that_records_is_not_changed_in_place(change):
    leaf = minigan.randn(3, requires_grad=True)
    with pytest.raises(GraphError, match="no_grad"):
        change(leaf)
    change(leaf.data)


def test_a_result_that_is_changed_in_place_has_the_right_gradient():
    x = minigan.tensor([1.0, 2.0, 3.0], requires_grad=True)
    v = minigan.tensor([5.0, 6.0], requires_grad=True)
    y = x * 2
    y += 1
    y *= x
    y[:2] = v * v
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0, 0, 13])
    np.testing.assert_allclose(v.grad.numpy(), [10, 12])


def test_a_value_that_a_graph_needs_may_not_change():
    x = minigan.ones(3, requires_grad=True)
    y = x.exp()
    z = y * y
    y += 1
    with pytest.raises(GraphError, match="changed in place"):
        z.sum().backward()


def test_views_see_what_is_written():
    x = minigan.zeros(2, 3)
    x[0].fill_(2.0)
    x.view(-1)[4] = 7.0
    np.testing.assert_array_equal(x.numpy(), [[2, 2, 2], [0, 7, 0]])


@pytest.mark.parametrize(
    "a, b, wanted",
    [("float32", "float64", "float64"), ("int64", "float32", "float32"), ("bool", "int64", "int64"),
     ("int32", "int64", "int64"), ("bool", "float64", "float64"), ("uint8", "float32", "float32")],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["add", "sub", "mul", "maximum"])
def test_types_meet_as_in_pytorch(a, b, wanted, operation):
    x, y = minigan.ones(3, dtype=a), minigan.ones(3, dtype=b)
    assert getattr(minigan, operation)(x, y).dtype == wanted == getattr(minigan, operation)(y, x).dtype


def test_a_tensor_without_axes_counts_as_a_number():
    assert (minigan.ones(3) * minigan.tensor(2.0, dtype=minigan.float64)).dtype == np.float32
    assert (minigan.ones(3, dtype=int) * minigan.tensor(2.5)).dtype == np.float32


def test_whole_numbers_and_truths_compute():
    x = minigan.arange(6).view(2, 3)
    assert (x + 1).dtype == (x * x).dtype == (x // 2).dtype == (-x).dtype == np.int64
    assert (x / 2).dtype == (x + 0.5).dtype == np.float32 and (2**x).dtype.kind in "if"
    assert ((x > 3) & ~(x == 4)).sum().item() == 1 and (x > 3).any() and not (x > 3).all()
    with pytest.raises(DTypeError, match="expected floating-point"):
        (x > 3).mean()


def test_numbers_come_out():
    loss = minigan.tensor(0.25)
    assert f"{loss:.3f}" == "0.250" and int(minigan.tensor(3)) == 3 and float(loss) == 0.25
    assert [10, 20, 30][minigan.tensor(1)] == 20
    with pytest.raises(ArgumentError, match="any"):
        bool(minigan.ones(2))


def test_hooks_see_and_change_gradients():
    x = minigan.ones(3, requires_grad=True)
    y, seen = x * 2, []
    y.retain_grad()
    handle = y.register_hook(lambda g: g * 10)
    x.register_hook(seen.append)
    (y * y).sum().backward()
    np.testing.assert_allclose(y.grad.numpy(), 4.0)
    np.testing.assert_allclose(x.grad.numpy(), 80.0)
    np.testing.assert_allclose(seen[0].numpy(), 80.0)
    handle.remove()


def test_devices_have_pytorchs_names():
    assert minigan.device("cuda:1").index == 1 and minigan.device("cpu").type == "cpu"
    assert minigan.ones(2).to("cpu").device == minigan.ones(2).to(minigan.device("cpu")).device
    assert not minigan.cuda.is_available() or minigan.cuda.device_count() == 1
    if not minigan.cuda.is_available():
        for ask in (minigan.cuda.current_device, minigan.cuda.get_device_name):
            with pytest.raises(DeviceError, match="CuPy|GPU"):
                ask()
    with pytest.raises(ArgumentError, match="expected cpu or cuda"):
        minigan.device("tpu")


class Cube(minigan.autograd.Function):
    """x**3 with a derivative of its own."""

    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return scale * x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * ctx.scale * 3 * x**2, None


def test_a_function_of_ones_own_goes_to_second_order():
    x = minigan.tensor([1.0, 2.0], dtype=minigan.float64, requires_grad=True)
    (g,) = minigan.autograd.grad(Cube.apply(x, 2.0).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.numpy(), [6, 24])
    np.testing.assert_allclose(minigan.autograd.grad(g.sum(), x)[0].numpy(), [12, 24])


def test_an_optimiser_sees_what_data_changes():
    p = minigan.ones(2, requires_grad=True)
    adam = optim.Adam([p], lr=0.1)
    p.data = minigan.tensor([3.0, 4.0])
    (p * p).sum().backward()
    adam.step()
    np.testing.assert_allclose(p.detach().numpy(), [2.9, 3.9], rtol=1e-5)


def test_the_default_generator_can_be_put_back():
    state = minigan.get_rng_state()
    first = minigan.randn(3)
    minigan.set_rng_state(state)
    assert minigan.equal(minigan.randn(3), first)


def test_linear_algebra_has_a_drawer():
    x = minigan.tensor([[2.0, 0.0], [0.0, 4.0]])
    assert minigan.linalg.inv(x).tolist() == [[0.5, 0.0], [0.0, 0.25]]
    assert minigan.linalg.norm(x).item() == minigan.linalg.matrix_norm(x).item() == pytest.approx(20**0.5)
    assert minigan.linalg.vector_norm(x, 1, dim=0).tolist() == [2.0, 4.0]
    with pytest.raises(ArgumentError, match="vector_norm"):
        minigan.linalg.norm(x, 2)
    with pytest.raises(AttributeError, match="nearest: .*norm"):
        minigan.linalg.svdnorm  # noqa: B018


def test_sizes_types_and_modes():
    assert minigan.Size([2, 3]).numel() == 6 and minigan.Size([2, 3]) == minigan.ones(2, 3).shape
    assert minigan.promote_types(minigan.int64, minigan.float32) == np.float32
    assert minigan.is_floating_point(minigan.ones(1)) and minigan.finfo(minigan.float32).max > 1e38
    with minigan.inference_mode():
        assert not (minigan.ones(1, requires_grad=True) * 2).requires_grad


def test_draws_by_weight():
    minigan.manual_seed(0)
    drawn = minigan.multinomial(minigan.tensor([[0.0, 1.0, 3.0], [1.0, 0.0, 0.0]]), 4000, replacement=True)
    assert drawn.shape == (2, 4000) and drawn.dtype == np.int64 and not drawn[1].any()
    assert 0.72 < (drawn[0] == 2).float().mean().item() < 0.78 and (drawn[0] > 0).all()
    assert sorted(minigan.multinomial(minigan.ones(4), 4).tolist()) == [0, 1, 2, 3]
    for weights, count in (([0.0, 0.0], 1), ([-1.0, 2.0], 1), ([1.0, 0.0], 2)):
        with pytest.raises(ArgumentError, match="multinomial"):
            minigan.multinomial(minigan.tensor(weights), count)


# Of ops: they make tensors or draw them, or say something about them.
MAKERS = """arange as_tensor bernoulli empty empty_like eye from_numpy full full_like get_default_dtype
linspace manual_seed normal ones ones_like rand rand_like randint randn randn_like randperm set_default_dtype
tensor zeros zeros_like astype numel""".split()
ORACLES = ("minigan/testing/cases", "tests/ops/test_counting.py")  # records, and constants beside Python


def words_of(path):
    """Names, attributes and words in strings of a file of the repository or of all in a folder."""
    root = Path(__file__).parents[1] / path
    found = set()
    for file in root.glob("*.py") if root.is_dir() else [root]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Name, ast.Attribute)):
                found.add(node.id if isinstance(node, ast.Name) else node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(node.value.split())
    return found


def test_every_name_that_computes_is_held_without_pytorch():
    """By a record or a test with an oracle; another name of the same function needs none of its own."""
    functions = {
        name: value
        for name, value in vars(minigan.ops).items()
        if inspect.isfunction(value) and not name.startswith("_") and name not in MAKERS
    }
    held = set().union(*map(words_of, ORACLES))
    proved = {value for name, value in functions.items() if name in held}
    assert not sorted(name for name, value in functions.items() if value not in proved)
    assert len(functions) > 200
