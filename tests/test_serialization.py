"""`save` and `load`: what goes in comes out, half a file is none, and nothing that a file holds is run."""

import io
import json
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor, backend, nn, optim
from minigan.data import arrays
from minigan.data.arrays import write_npz
from minigan.errors import ArgumentError, DeviceError, DTypeError, FileError
from minigan.serialization import KIND, load, save

sys.path.insert(0, str(Path(__file__).parent / "data" / "weights"))
import makers

VALUES = {
    "none": None, "yes": True, "no": False, "whole": -3, "big": 2**127 - 1, "number": 0.1,
    "text": "\u00e4 \\ \0",
    "inf": [float("inf"), -float("inf")], "list": [1, [2.0, "x"]], "tuple": (1, (2,), []), "empty": {},
    "keys": {0: "a", -1: "b", 2.5: "c", None: "d", True: "e", (1, "x"): "f", "0": "g"},
    "ordered": OrderedDict([("b", 1), ("a", 2)]), "unsorted": {"z": 1, "a": 2},
}  # fmt: skip


def through(value, tmp_path):
    save(value, tmp_path / "x.pt")
    return load(tmp_path / "x.pt")


@pytest.mark.parametrize("name", VALUES)
def test_plain_values(tmp_path, name):
    found = through({"it": VALUES[name]}, tmp_path)["it"]
    assert found == VALUES[name] and type(found) is type(VALUES[name])
    if isinstance(found, dict):
        assert list(found) == list(VALUES[name])


def test_not_a_number(tmp_path):
    found = through([float("nan"), np.float32("nan"), Tensor([np.nan, np.inf])], tmp_path)
    assert np.isnan(found[0]) and type(found[1]) is np.float32 and np.isnan(found[1])
    np.testing.assert_array_equal(found[2].numpy(), [np.nan, np.inf])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "?"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3, 4)])
def test_tensors_and_arrays_keep_shape_and_dtype(tmp_path, dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    tensor, plain, turned = through([Tensor(array), array, array.T], tmp_path)
    assert type(tensor) is Tensor and type(plain) is np.ndarray
    for found, wanted in ((tensor.numpy(), array), (plain, array), (turned, array.T)):
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        np.testing.assert_array_equal(found, wanted)
    assert through(np.int16(7), tmp_path) == np.int16(7)


def test_a_parameter_comes_back_as_data(tmp_path):
    weight = nn.Linear(2, 3).weight
    found = through(weight, tmp_path)
    assert type(found) is Tensor and not found.requires_grad and found.is_leaf
    found.array += 1.0
    np.testing.assert_allclose(found.numpy(), weight.numpy() + 1.0)


def test_a_training_run(tmp_path):
    """The usual dictionary: network, optimiser, schedule, epoch and losses."""

    def make():
        net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        adam = optim.Adam(net.parameters(), 1e-2, (0.5, 0.999))
        return net, adam, optim.lr_scheduler.StepLR(adam, 2, 0.5)

    def steps(net, adam, schedule):
        x = Tensor(np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32))
        for _ in range(3):
            adam.zero_grad()
            (net(x) ** 2).mean().backward()
            adam.step()
            schedule.step()

    first, second = make(), make()
    steps(*first)
    names = ("net", "optimizer", "schedule")
    state = {name: thing.state_dict() for name, thing in zip(names, first, strict=True)}
    found = through({**state, "epoch": 3, "losses": [0.5, 0.25]}, tmp_path)
    assert list(found["optimizer"]["state"]) == list(range(6)) and found["epoch"] == 3
    assert found["optimizer"]["param_groups"][0]["betas"] == (0.5, 0.999)
    for thing, name in zip(second, names, strict=True):
        thing.load_state_dict(found[name])
    steps(*first)
    steps(*second)
    for p, q in zip(first[0].parameters(), second[0].parameters(), strict=True):
        np.testing.assert_array_equal(p.array, q.array)


def test_lbfgs_is_saved_too(tmp_path):
    p = Tensor(np.ones(2), requires_grad=True)
    lbfgs = optim.LBFGS([p], 0.1)

    def closure():
        lbfgs.zero_grad()
        loss = (p**4).sum()
        loss.backward()
        return loss

    lbfgs.step(closure)
    again = optim.LBFGS([Tensor(np.ones(2), requires_grad=True)])
    again.load_state_dict(through(lbfgs.state_dict(), tmp_path))
    assert len(again.pairs) == len(lbfgs.pairs) > 0


def test_file_objects(tmp_path):
    buffer = io.BytesIO()
    buffer.write(b"before")
    save({"x": Tensor([1.0])}, buffer)
    buffer.seek(6)
    assert load(buffer)["x"].item() == 1.0
    with open(tmp_path / "a", "wb") as file:
        save([1], file)
    with open(tmp_path / "a", "rb") as file:
        assert load(file) == [1]
    with pytest.raises(FileError, match="<BytesIO>: expected weights.*starts with b'hello'") as caught:
        load(io.BytesIO(b"hello"))
    assert "copy" not in str(caught.value)
    for strange in (io.StringIO("text"), 7):
        with pytest.raises(FileError, match="expected a path, or a file"):
            load(strange)


def test_equal_objects_give_equal_bytes(tmp_path):
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        save({"a": Tensor([1.0, 2.0]), "b": 1}, file)
    assert files[0].getvalue() == files[1].getvalue()


class Strange:
    pass


LOOP = []
LOOP.append(LOOP)


@pytest.mark.parametrize("value, error, message", [
    ({"a": [Strange()]}, ArgumentError, r"the object\['a'\]\[0\] is a Strange"),
    (nn.Linear(2, 2), ArgumentError, r"a Linear, expected.*save its state_dict\(\)"),
    ({1: {2, 3}}, ArgumentError, "is a set"),
    (LOOP, ArgumentError, "does it hold itself"),
    (np.array(["a"]), DTypeError, "has dtype <U1, expected numbers"),
    ([np.array([1j])], DTypeError, r"the object\[0\] has dtype complex128"),
    (10**5000, ArgumentError, "save: "),
    (list(range(200)), FileError, "put long lists of numbers into arrays"),
], ids=range(8))  # fmt: skip
def test_what_cannot_be_saved_leaves_the_old_file(tmp_path, monkeypatch, value, error, message):
    monkeypatch.setattr(arrays, "_LONGEST_MANIFEST", 500)
    path = tmp_path / "x.pt"
    save("old", path)
    with pytest.raises(error, match=message) as caught:
        save(value, path)
    assert load(path) == "old" and os.listdir(tmp_path) == ["x.pt"] and "\n" not in str(caught.value)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.pt"
    save("old", path)
    monkeypatch.setattr(
        os, "fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(FileError, match="disk is full"):
        save("new", path)
    monkeypatch.undo()
    assert load(path) == "old" and os.listdir(tmp_path) == ["x.pt"]
    with pytest.raises(FileError, match="does not exist; create it"):
        save(1, tmp_path / "none" / "x.pt")


def test_every_cut_and_every_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "x"
    save({"a": Tensor([1.0, 2.0]), "b": [1, "text"]}, path)
    good = path.read_bytes()
    for length in range(0, len(good), 7):
        path.write_bytes(good[:length])
        with pytest.raises(FileError):
            load(path)
    for place in range(0, len(good), 11):
        path.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
        with pytest.raises(FileError):
            load(path)


FORMS = [
    {"tensor": 5}, {"array": "x"}, {"list": 3}, {"list": None}, {"dict": [[1]]},
    {"dict": [[{"list": []}, 1]]},
    {"call": "os.system"}, {"tensor": 0, "list": []}, {}, [1], {"float": "1e5"}, {"float": []},
    {"tensor": [0]},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_tables_of_contents_that_are_not_sound(tmp_path, form):
    write_npz(tmp_path / "x", {"0": np.zeros(2)}, {"object": form}, kind=KIND)
    with pytest.raises(FileError, match="table of contents is not sound") as caught:
        load(tmp_path / "x")
    assert "\n" not in str(caught.value)


def test_deep_and_missing_tables(tmp_path):
    deep = 1
    for _ in range(200):
        deep = {"list": [deep]}
    for facts in ({"object": deep}, {}):
        write_npz(tmp_path / "x", {}, facts, kind=KIND)
        with pytest.raises(FileError, match="not sound"):
            load(tmp_path / "x")


def test_other_files(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(FileError, match="cannot read"):
        load(path)
    with pytest.raises(FileError, match="cannot read"):
        load(tmp_path)
    write_npz(path, {"a": np.zeros(2)}, kind="minigan-arrays")
    with pytest.raises(FileError, match="expected 'minigan-save', got 'minigan-arrays'"):
        load(path)
    makers.write_npz(path, {"a": np.zeros(2)})
    with pytest.raises(FileError, match="without a manifest"):
        load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps({"x": "0" * 10_000_000}))
    with pytest.raises(FileError, match="unpacks to 10,000,00"):
        load(path)


def test_more_than_the_free_host_memory(tmp_path, monkeypatch):
    save(Tensor(np.zeros(100)), tmp_path / "x")
    monkeypatch.setattr(backend, "free_host_memory", lambda: 100)
    with pytest.raises(FileError, match="more than the 100 of free memory"):
        load(tmp_path / "x")


class Trap:
    def __reduce__(self):
        return os.mkdir, ("owned",)


def test_hostile_pickles_are_refused_and_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x"
    for protocol in range(6):
        path.write_bytes(pickle.dumps({"a": Trap()}, protocol))
        with pytest.raises(FileError):
            load(path, weights_only=False)
    makers.write_torch_zip(path, {}, members={"data.pkl": pickle.dumps(Trap(), 2)})
    with pytest.raises(FileError, match="nothing was run: it asks for '(posix|nt).mkdir'"):
        load(path, weights_only=False)
    assert os.listdir(tmp_path) == ["x"]


BASE = np.arange(6, dtype=np.float32)


@pytest.mark.parametrize("write", [makers.write_torch_zip, makers.write_torch_stream])
def test_pytorchs_files_without_pytorch(tmp_path, write):
    t = makers.tensor("0", BASE)
    value = {"net": {"w": t}, "epoch": 3, "list": [t, (None, True)], 0: "zero"}
    found = load(write(tmp_path / "x", {"base": BASE}, value))
    assert list(found) == ["net", "epoch", "list", 0] and found["epoch"] == 3 and found[0] == "zero"
    assert found["list"][1] == (None, True)
    for tensor in (found["net"]["w"], found["list"][0]):
        np.testing.assert_array_equal(tensor.numpy(), BASE)


def test_small_pickles_of_endless_objects(tmp_path):
    loop = b"\x80\x02]q\x00h\x00a."  # a list that holds itself
    path = makers.write_torch_zip(tmp_path / "x", {}, members={"data.pkl": loop})
    with pytest.raises(FileError, match="levels deep"):
        load(path)
    double = b"\x80\x02]q\x00" + b"".join(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(40)) + b"."
    path = makers.write_torch_zip(tmp_path / "y", {}, members={"data.pkl": double})
    assert len(load(path)) == 2  # 2**40 lists, were each copied for itself
    many = [makers.tensor("0", np.zeros(1000, "f4")) for _ in range(99)]
    path = makers.write_torch_zip(tmp_path / "z", {"0": np.zeros(1000, "f4")}, many)
    with pytest.raises(FileError, match="its tensors need more than"):
        load(path)
    path = makers.write_torch_zip(tmp_path / "v", {"0": BASE}, makers.storage("0", BASE))
    with pytest.raises(FileError, match="a _View that is neither"):
        load(path)


def test_safetensors(tmp_path):
    arrays = {"a": BASE.reshape(2, 3), "b.c": np.arange(3), "none": np.zeros((0, 2))}
    found = load(makers.write_safetensors(tmp_path / "x.safetensors", arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert type(found[name]) is Tensor and found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name].numpy(), array)


def test_map_location(tmp_path):
    save(Tensor([1.0]), tmp_path / "x")
    assert load(tmp_path / "x").device == backend.current().name
    for place in ("cpu", "numpy", "cpu:0", lambda storage, location: storage):
        assert load(tmp_path / "x", place).device == "numpy"
    with pytest.raises(ArgumentError, match="unknown backend 'tpu'"):
        load(tmp_path / "x", map_location="tpu")
    try:
        backend.get("cupy")
    except DeviceError:
        with pytest.raises(DeviceError):
            load(tmp_path / "x", "cuda:0")


@pytest.mark.parametrize("new", [True, False])
def test_what_pytorch_writes(tmp_path, new):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    adam = torch.optim.Adam(theirs.parameters(), lr=0.1)
    theirs(torch.randn(5, 3)).square().sum().backward()
    adam.step()
    run = {
        "net": theirs.state_dict(),
        "optimizer": adam.state_dict(),
        "epoch": 3,
        "shape": torch.Size([2, 3]),
    }
    torch.save(run, tmp_path / "x.pth", _use_new_zipfile_serialization=new)
    found = load(tmp_path / "x.pth")
    assert found["epoch"] == 3 and found["shape"] == (2, 3)
    mine = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    mine.load_state_dict(found["net"])
    ours = optim.Adam(mine.parameters())
    ours.load_state_dict(found["optimizer"])
    assert ours.param_groups[0]["lr"] == 0.1 and ours.state[mine[0].weight]["step"] == 1
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        p.grad = Tensor(q.grad.numpy())
    ours.step()
    adam.step()
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-7)
    torch.save(torch.arange(3.0), tmp_path / "y.pt", _use_new_zipfile_serialization=new)
    np.testing.assert_array_equal(load(tmp_path / "y.pt").numpy(), [0.0, 1.0, 2.0])
