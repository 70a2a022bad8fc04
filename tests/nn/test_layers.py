"""What the layers promise beyond PyTorch's: starts, errors, and the parts of GANs that PyTorch lacks."""

import numpy as np
import pytest

import minigan
from minigan import nn, optim
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.testing import gradcheck, gradgradcheck


def tensor(*shape, seed=0, dtype=np.float32):
    return minigan.Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype))


def test_manual_seed_repeats_the_start():
    made = []
    for _ in range(2):
        minigan.manual_seed(7)
        made.append(nn.Sequential(nn.Linear(3, 4), nn.Conv2d(1, 2, 3), nn.Embedding(3, 2), nn.Dropout()))
    for a, b in zip(made[0].parameters(), made[1].parameters(), strict=True):
        np.testing.assert_array_equal(a.array, b.array)
    assert made[0].random_state() == made[1].random_state()
    assert not np.array_equal(nn.Linear(3, 4).weight.array, made[0][0].weight.array)


def test_a_generator_of_one_s_own_leaves_the_default_one_alone():
    minigan.manual_seed(1)
    nn.Linear(3, 4, generator=np.random.default_rng(0))
    nn.Dropout(generator=np.random.default_rng(0))
    untouched = nn.init.default_generator().bit_generator.state
    minigan.manual_seed(1)
    assert nn.init.default_generator().bit_generator.state == untouched


BAD = [
    (lambda: nn.Linear(0, 3), "in_features: expected a whole number >= 1, got 0"),
    (lambda: nn.Linear(3, True), "out_features"),
    (lambda: nn.Linear(3, 2.0), "out_features"),
    (lambda: nn.Conv2d(3, 4, (3, 3, 3)), r"kernel_size: expected a number or a \(height, width\) pair"),
    (lambda: nn.Conv2d(3, 4, 3, stride=0), "stride: expected a whole number >= 1, got 0"),
    (lambda: nn.Conv2d(3, 4, 3, padding=-1), "padding: expected a whole number >= 0, got -1"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups: expected a divisor"),
    (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), "padding_mode"),
    (lambda: nn.Dropout(1.5), "p: expected a probability"),
    (lambda: nn.BatchNorm2d(0), "num_features"),
    (lambda: nn.BatchNorm2d(3, momentum=2.0), "momentum"),
    (lambda: nn.BatchNorm2d(3, eps=-1.0), "eps"),
    (lambda: nn.GroupNorm(2, 3), "num_groups: expected a divisor of num_channels 3, got 2"),
    (lambda: nn.MSELoss(reduction="average"), "reduction"),
    (lambda: nn.Unflatten(1, (2, 2))(tensor(1, 5)), "does not split"),
    (lambda: nn.spectral_norm(nn.ReLU()), "has no parameter 'weight'"),
    (lambda: nn.spectral_norm(nn.Linear(2, 2), n_power_iterations=0), "n_power_iterations"),
    (lambda: nn.Embedding(3, 2)(np.array([3])), r"expected numbers in \[0, 3\), got 3 to 3"),
]


@pytest.mark.parametrize("make, message", BAD, ids=[message[:20] for _, message in BAD])
def test_bad_settings_name_the_setting(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    "layer",
    [nn.BatchNorm1d(3), nn.BatchNorm2d(3), nn.InstanceNorm2d(3), nn.GroupNorm(3, 3), nn.MinibatchStdDev()],
)
def test_bad_shapes_show_both(layer):
    with pytest.raises(ShapeError, match=r"expected.*got \(2,\)"):
        layer(tensor(2))


def test_embedding_takes_whole_numbers():
    with pytest.raises(DTypeError, match="whole numbers"):
        nn.Embedding(3, 2)(np.array([0.5]))


def test_batch_norm_refuses_one_value_a_channel_and_does_not_count_it_in_evaluation():
    norm = nn.BatchNorm1d(3)
    with pytest.raises(ShapeError, match="more than one value per channel"):
        norm(tensor(1, 3))
    norm.eval()(tensor(1, 3))
    assert norm.state_dict()["running_mean"].tolist() == [0, 0, 0]
    assert norm.state_dict()["num_batches_tracked"] == 0
    norm.train()(tensor(4, 3))
    assert norm.state_dict()["running_mean"].all()
    assert norm.state_dict()["num_batches_tracked"] == 1


def test_batch_norm_follows_its_running_statistics_in_evaluation():
    norm = nn.BatchNorm1d(2, momentum=None)
    batches = [tensor(5, 2, seed=i) for i in range(3)]
    for batch in batches:
        norm(batch)
    arrays = [batch.array for batch in batches]
    mean, var = np.mean([a.mean(0) for a in arrays], 0), np.mean([a.var(0, ddof=1) for a in arrays], 0)
    got = norm.eval()(batches[0]).array
    np.testing.assert_allclose(got, (arrays[0] - mean) / np.sqrt(var + norm.eps), rtol=1e-4, atol=1e-5)


def test_pixel_norm_makes_mean_squares_one():
    y = nn.PixelNorm()(tensor(2, 5, 3, 4, dtype=np.float64)).array
    np.testing.assert_allclose((y * y).mean(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    "N, group, sizes",
    [(8, 4, [4, 4]), (6, 4, [3, 3]), (5, 4, [3, 2]), (2, 4, [2]), (1, 4, [1]), (3, 2, [3]),
     (11, 4, [4, 4, 3]), (10, 3, [3, 3, 2, 2]), (7, 2, [3, 2, 2])],
)  # fmt: skip
def test_minibatch_std_dev_by_plain_loops(N, group, sizes):
    x = tensor(N, 2, 3, 4, dtype=np.float64).array
    y = nn.MinibatchStdDev(group)(minigan.Tensor(x)).array
    assert y.shape == (N, 3, 3, 4)
    np.testing.assert_array_equal(y[:, :2], x)
    for n in range(N):
        members = x[n % len(sizes) :: len(sizes)]
        assert len(members) == sizes[n % len(sizes)]
        np.testing.assert_allclose(y[n, 2], np.sqrt(members.var(axis=0) + 1e-8).mean())


@pytest.mark.parametrize("N", [4, 5, 7])
def test_minibatch_std_dev_is_differentiable_twice(N):
    x = tensor(N, 1, 2, 1, dtype=np.float64).array
    assert gradcheck(nn.MinibatchStdDev(2), [x]) and gradgradcheck(nn.MinibatchStdDev(2), [x])


@pytest.mark.parametrize("N", [2, 3, 11, 17, 19, 23])
def test_minibatch_std_dev_sees_collapse_at_every_batch_size(N):
    layer = nn.MinibatchStdDev()
    varied = tensor(N, 2, 3, 4).array
    assert layer(minigan.Tensor(varied)).array[:, 2].min() > 0.1
    collapsed = layer(minigan.Tensor(varied[:1].repeat(N, axis=0))).array[:, 2]
    np.testing.assert_allclose(collapsed, 1e-4, rtol=1e-2)


@pytest.mark.parametrize(
    "layer, axis", [(nn.Linear(4, 3), 0), (nn.Conv2d(2, 3, 2), 0), (nn.ConvTranspose2d(2, 3, 2), 1)]
)
def test_spectral_norm_bounds_the_largest_singular_value(layer, axis):
    nn.spectral_norm(layer).to(dtype="float64")
    nn.init.normal_(layer.weight_orig, std=3.0, generator=np.random.default_rng(1))
    for _ in range(200):
        weight = layer.weight
    matrix = np.moveaxis(weight.array, axis, 0).reshape(weight.shape[axis], -1)
    assert np.linalg.norm(matrix, 2) == pytest.approx(1.0, rel=1e-6)
    assert {"weight_orig", "weight_u", "weight_v", "bias"} == set(layer.state_dict())
    before = layer.eval().state_dict()
    layer.weight
    np.testing.assert_array_equal(layer.state_dict()["weight_u"], before["weight_u"])


def test_earlier_graphs_survive_later_power_iterations():
    layer = nn.spectral_norm(nn.Linear(3, 2))
    x = tensor(4, 3)
    first = layer(x).sum()
    alone = minigan.grad(first, layer.weight_orig, retain_graph=True)[0].numpy().copy()
    layer(x)
    np.testing.assert_array_equal(minigan.grad(first, layer.weight_orig)[0].numpy(), alone)


@pytest.mark.parametrize("layer", [nn.Linear(50, 40), nn.Conv2d(20, 30, 3), nn.ConvTranspose2d(20, 30, 3)])
def test_equalized_lr_keeps_the_scale_of_he(layer):
    nn.equalized_lr(layer, generator=np.random.default_rng(0))
    fan = 50 if isinstance(layer, nn.Linear) else 20 * 9
    assert layer.weight_orig.array.std() == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose(layer.weight.array, layer.weight_orig.array * np.sqrt(2 / fan), rtol=1e-6)
    assert not layer.bias.array.any()
    nn.equalized_lr(nn.Linear(3, 2, bias=False))


def test_equalized_lr_with_a_multiplier_starts_alike_and_moves_less():
    """Adam's first step changes each stored number by lr, so the weight by lr times the scale."""
    usual, slow = (
        nn.equalized_lr(nn.Linear(50, 40), lr_multiplier=m, generator=np.random.default_rng(0))
        for m in (1.0, 0.01)
    )
    np.testing.assert_allclose(slow.weight.array, usual.weight.array, rtol=1e-5)
    moved = []
    for layer in (usual, slow):
        before = layer.weight.array.copy()
        adam = optim.Adam(layer.parameters(), lr=1e-2)
        layer(tensor(3, 50)).sum().backward()
        adam.step()
        moved.append(np.abs(layer.weight.array - before).mean())
    assert moved[1] == pytest.approx(0.01 * moved[0], rel=1e-3)
    with pytest.raises(ArgumentError, match="lr_multiplier"):
        nn.equalized_lr(nn.Linear(3, 2), lr_multiplier=0.0)


def test_containers_index_slice_and_name():
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Identity()
    net = nn.Sequential({"a": a, "b": b, "c": c})
    assert net[0] is a and net[-1] is c and len(net) == 3 and list(net) == [a, b, c] and net.b is b
    assert list(dict(net[1:].named_children())) == ["b", "c"]
    modules = nn.ModuleList([a, b]).append(c)
    assert (
        len(modules) == 3
        and modules[2] is c
        and isinstance(modules[:2], nn.ModuleList)
        and modules[:2][1] is b
    )
    assert net(tensor(2)).shape == (2,)


PRINTED = {
    "Conv2d(1, 2, kernel_size=(3, 3), stride=(2, 1), padding=(1, 1), bias=False)": lambda: nn.Conv2d(
        1, 2, 3, stride=(2, 1), padding=1, bias=False
    ),
    "ConvTranspose2d(2, 2, kernel_size=(3, 3), stride=(1, 1), dilation=(2, 2), output_padding=(1, 1), "
    "groups=2)": lambda: (
        nn.ConvTranspose2d(2, 2, 3, output_padding=1, dilation=2, groups=2)
    ),
    "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)": lambda: nn.MaxPool2d(2),
    "AvgPool2d(kernel_size=3, stride=1, padding=1)": lambda: nn.AvgPool2d(3, stride=1, padding=1),
    "AdaptiveAvgPool2d(output_size=1)": lambda: nn.AdaptiveAvgPool2d(1),
    "Upsample(scale_factor=2.0, mode='nearest')": lambda: nn.Upsample(scale_factor=2),
    "Upsample(size=4, mode='bilinear')": lambda: nn.Upsample(4, mode="bilinear"),
    "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, "
    "track_running_stats=False)": lambda: (
        nn.InstanceNorm2d(3)
    ),
    "LayerNorm((3,), eps=1e-05, elementwise_affine=True, bias=True)": lambda: nn.LayerNorm(3),
    "GroupNorm(1, 2, eps=1e-05, affine=True, bias=True)": lambda: nn.GroupNorm(1, 2),
    "PixelNorm(eps=1e-08)": lambda: nn.PixelNorm(),
    "MinibatchStdDev(group_size=4)": lambda: nn.MinibatchStdDev(),
    "LeakyReLU(negative_slope=0.2)": lambda: nn.LeakyReLU(0.2),
    "LeakyReLU(negative_slope=0.2, inplace=True)": lambda: nn.LeakyReLU(0.2, True),
    "Linear(in_features=2, out_features=3, bias=False)": lambda: nn.Linear(2, 3, bias=False),
    "Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=same, padding_mode=reflect)": lambda: nn.Conv1d(
        2, 4, 3, padding="same", padding_mode="reflect"
    ),
    "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)": lambda: (
        nn.BatchNorm2d(3)
    ),
    "ConstantPad2d(padding=(1, 1, 1, 1), value=2.0)": lambda: nn.ConstantPad2d(1, 2.0),
    "ReflectionPad1d((1, 2))": lambda: nn.ReflectionPad1d((1, 2)),
    "Unfold(kernel_size=3, dilation=1, padding=1, stride=2)": lambda: nn.Unfold(3, 1, 1, 2),
    "Fold(output_size=4, kernel_size=3, dilation=1, padding=0, stride=1)": lambda: nn.Fold(4, 3),
    "LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1.0)": lambda: nn.LocalResponseNorm(3),
    "ELU(alpha=1.0)": lambda: nn.ELU(),
    "Softmax(dim=1)": lambda: nn.Softmax(1),
    "Dropout(p=0.25, inplace=False)": lambda: nn.Dropout(0.25),
    "Unflatten(dim=1, unflattened_size=(2, 3))": lambda: nn.Unflatten(1, (2, 3)),
    "Embedding(3, 2)": lambda: nn.Embedding(3, 2),
    "MSELoss()": lambda: nn.MSELoss(reduction="sum"),
}  # fmt: skip


@pytest.mark.parametrize("text", PRINTED)
def test_printing_shows_the_settings(text):
    assert repr(PRINTED[text]()) == text


@pytest.mark.parametrize("text", [text for text in PRINTED if "PixelNorm" not in text and "Std" not in text])
def test_printing_is_pytorchs(text, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setitem(globals(), "nn", torch.nn)
    assert repr(PRINTED[text]()) == text


def test_dropout_keeps_the_mean_and_hands_on_in_evaluation():
    layer, x = nn.Dropout(0.25), minigan.Tensor(np.ones((200, 50), np.float32))
    y = layer(x).array
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert y.mean() == pytest.approx(1.0, abs=0.03)
    np.testing.assert_array_equal(layer.eval()(x).array, x.array)
