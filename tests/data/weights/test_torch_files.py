"""PyTorch's files: what PyTorch writes is read, what a hostile hand writes is refused and never run."""

import importlib.util
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from minigan.data.weights.torch_files import open_torch_stream, open_torch_zip
from minigan.errors import FileError

sys.path.insert(0, str(Path(__file__).parent))
import makers
from makers import Call, Global, Persistent, tensor

LIMIT = 1 << 20
KINDS = {
    "zip": (makers.write_torch_zip, lambda path: open_torch_zip(path, limit_bytes=LIMIT)),
    "stream": (makers.write_torch_stream, open_torch_stream),
}


def sample():
    rng = np.random.default_rng(0)
    return {
        "conv.weight": rng.standard_normal((4, 3, 2, 2)).astype(np.float32),
        "conv.bias": np.arange(4, dtype=np.float64),
        "steps": np.array(7),
        "none": np.zeros((0, 3), np.float16),
    }


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def test_hand_made_file_is_read(tmp_path, kind):
    write, read = kind
    found = read(write(tmp_path / "a.pth", sample()))
    assert list(found) == list(sample())
    for name, array in sample().items():
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name].read(), array)


def test_views_share_a_storage(tmp_path, kind):
    write, read = kind
    base = np.arange(24, dtype=np.float32)
    value = {
        "turned": tensor("0", base, offset=2, size=(3, 4), stride=(1, 3)),
        "parameter": Call(
            Global("torch._utils", "_rebuild_parameter"),
            (
                tensor("0", base, offset=20, size=(4,), stride=(1,)),
                True,
                Call(Global("collections", "OrderedDict"), ()),
            ),
        ),
    }
    found = read(write(tmp_path / "a.pth", {"base": base}, value={"state_dict": value}))
    np.testing.assert_array_equal(found["turned"].read(), base[2:14].reshape(4, 3).T)
    np.testing.assert_array_equal(found["parameter"].read(), base[20:])


def test_old_files_point_at_parts_of_a_storage(tmp_path):
    base = np.arange(10, dtype=np.float32)
    value = {"part": tensor("0", base, view=(("1", 4, 5),), offset=1, size=(3,), stride=(1,))}
    found = open_torch_stream(makers.write_torch_stream(tmp_path / "a.pth", {"base": base}, value))
    np.testing.assert_array_equal(found["part"].read(), base[5:8])


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch writes these files")
@pytest.mark.parametrize("new", [True, False])
def test_what_pytorch_writes_is_read(tmp_path, new):
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2))
    state = net.state_dict()
    state["half"], state["brain"] = torch.randn(3).half(), torch.randn(5).bfloat16()
    state["turned"] = torch.randn(4, 6).t()[1:, ::2]
    state["parameter"] = torch.nn.Parameter(torch.randn(2))
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=new)
    found = (
        open_torch_zip(tmp_path / "a.pth", limit_bytes=LIMIT)
        if new
        else open_torch_stream(tmp_path / "a.pth")
    )
    assert list(found) == list(state)
    for name, value in state.items():
        wanted = value.detach().float().numpy() if value.dtype == torch.bfloat16 else value.detach().numpy()
        np.testing.assert_array_equal(found[name].read(), wanted)
    torch.save(net, tmp_path / "b.pth", _use_new_zipfile_serialization=new)
    with pytest.raises(FileError, match="asks for 'torch.nn.modules.container.Sequential'"):
        KINDS["zip" if new else "stream"][1](tmp_path / "b.pth")


BASE = np.arange(6, dtype=np.float32)


def view(**options):
    return {"a": tensor("0", BASE, **options)}


HOSTILE = {
    "code": ({"a": Call(Global("os", "system"), ("touch owned",))}, "asks for 'os.system'"),
    "builtin": ({"a": Call(Global("builtins", "eval"), ("1",))}, "asks for 'builtins.eval'"),
    "nested name": ({"a": Call(Global("torch._utils", "_rebuild_tensor_v2.__globals__"), ())}, "asks for"),
    "class called": ({"a": Call(Global("torch", "FloatStorage"), (1,))}, "no admitted function"),
    "offset past the end": (view(offset=1), "does not fit its storage of 6"),
    "negative offset": (view(offset=-1), "at least 0"),
    "negative stride": (view(size=(6,), stride=(-1,)), "at least 0"),
    "stride past the end": (view(size=(2,), stride=(6,)), "does not fit"),
    "overflowing stride": (view(size=(2, 2), stride=(1 << 63, 1 << 63)), "does not fit"),
    "overflowing size": (view(size=(1 << 32, 1 << 32), stride=(0, 0)), "does not fit"),
    "repeated elements": (view(size=(1 << 40,), stride=(0,)), "does not fit"),
    "bool size": (view(size=(True,), stride=(1,)), "whole numbers"),
    "text size": (view(size=("6",), stride=(1,)), "whole numbers"),
    "sizes without strides": (view(size=(2, 3), stride=(1,)), "one stride per size"),
    "size that is no tuple": (view(size=6, stride=1), "whole numbers"),
    "storage larger than the file": (
        {
            "a": Call(
                Global("torch._utils", "_rebuild_tensor"),
                (
                    Persistent(("storage", Global("torch", "FloatStorage"), "0", "cpu", 1 << 40)),
                    0,
                    (6,),
                    (1,),
                ),
            )
        },
        "needs 4,398,046,511,104 bytes",
    ),
    "unknown pointer": ({"a": Persistent(("module", "x"))}, "no storage"),
    "storage of two kinds": ({"a": tensor("0", BASE), "b": tensor("0", np.zeros(6))}, "two ways"),
    "tensor of nothing": (
        {"a": Call(Global("torch._utils", "_rebuild_tensor"), (1, 2, (3,), (4,)))},
        "without a storage",
    ),
    "wrong arguments": ({"a": Call(Global("torch._utils", "_rebuild_tensor"), ())}, "damaged"),
    "not a dictionary": ([1], "expected a dictionary of tensors, got list"),
    "empty": ({}, "expected a dictionary of tensors"),
    "no tensors": ({"epoch": 3, "lr": None}, "these entries are no tensors: 'epoch', 'lr'"),
}


@pytest.mark.parametrize("case", HOSTILE, ids=str)
def test_hostile_pickle_is_refused_in_one_line(tmp_path, kind, case, monkeypatch):
    write, read = kind
    value, match = HOSTILE[case]
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "bad.pth", {"base": BASE}, value=value)
    with pytest.raises(FileError, match=match) as caught:
        read(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert os.listdir(tmp_path) == ["bad.pth"]


RAW = {
    "twice": (b"\x80\x02}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u.", "the name 'a' occurs twice"),
    "pop": (b"\x80\x02}0.", "uses the instruction POP"),
    "import by extension code": (b"\x80\x02\x82\x01.", "uses the instruction EXT1"),
    "object by class": (b"\x80\x02(cos\nsystem\no.", "asks for 'os.system'"),
    "inst": (b"\x80\x02(ios\nsystem\n.", "uses the instruction INST"),
    "new object": (b"\x80\x04)\x81.", "uses the instruction NEWOBJ"),
    "stack name": (b"\x80\x04\x8c\x02os\x8c\x06system\x93)R.", "asks for 'os.system'"),
    "stack name of no text": (b"\x80\x04K\x01K\x02\x93.", "names a function by something"),
    "list key": (b"\x80\x02}]K\x01s.", "a key that is neither"),
    "items of a list": (b"\x80\x02]K\x01K\x01s.", "that is no dictionary"),
    "append to a number": (b"\x80\x02K\x01K\x01a.", "that is no list"),
    "attributes of a list": (b"\x80\x02]}b.", "attributes of something"),
    "memo never set": (b"\x80\x02j\xff\xff\xff\x7f.", "damaged"),
    "huge text": (b"\x80\x02X\xff\xff\xff\xff.", "damaged"),
    "stack empty": (b"\x80\x02\x85.", "damaged"),
    "no end": (b"\x80\x02", "damaged"),
    "empty": (b"", "damaged"),
    "not a pickle": (b"hello", "damaged|refused"),
}


@pytest.mark.parametrize("case", RAW, ids=str)
def test_hostile_instructions(tmp_path, case):
    raw, match = RAW[case]
    path = makers.write_torch_zip(tmp_path / "bad.pth", {"base": BASE}, members={"data.pkl": raw})
    with pytest.raises(FileError, match=match):
        open_torch_zip(path, limit_bytes=LIMIT)


def test_endless_pickle_is_stopped(tmp_path):
    path = makers.write_torch_zip(
        tmp_path / "bad.pth", {"base": BASE}, members={"data.pkl": b"\x80\x02" + b"N" * 1_000_100 + b"."}
    )
    with pytest.raises(FileError, match="too many instructions"):
        open_torch_zip(path, limit_bytes=8 * LIMIT)


def test_memo_and_protocol_4(tmp_path):
    """What newer picklers write: frames, memoised short text, shared values."""
    raw = pickle.dumps({"x": ["shared"] * 2, "shared": "shared"}, protocol=4)
    path = makers.write_torch_zip(tmp_path / "a.pth", {"base": BASE}, members={"data.pkl": raw})
    with pytest.raises(FileError, match="no tensors: 'x', 'shared'"):  # read whole, then judged
        open_torch_zip(path, limit_bytes=LIMIT)


def test_every_cut_is_noticed(tmp_path, kind):
    write, read = kind
    path = write(tmp_path / "a.pth", {"a": BASE, "b": np.zeros(2)})
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(FileError):
            read(path)


def test_stream_with_more_or_other_than_it_says(tmp_path):
    path = makers.write_torch_stream(tmp_path / "a.pth", {"a": BASE})
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(FileError, match="1 bytes after the last storage"):
        open_torch_stream(path)
    for options, match in (
        ({"keys": ["1"]}, "list of storages does not fit"),
        ({"magic": 1}, "no PyTorch file"),
        ({"protocol": 5}, "unknown protocol"),
    ):
        with pytest.raises(FileError, match=match):
            open_torch_stream(makers.write_torch_stream(tmp_path / "a.pth", {"a": BASE}, **options))


def test_zip_without_or_with_two_pickles(tmp_path):
    path = makers.write_torch_zip(tmp_path / "a.pth", {"a": BASE}, members={"inner/data.pkl": b""})
    with pytest.raises(FileError, match="2 data.pkl, expected 1"):
        open_torch_zip(path, limit_bytes=LIMIT)
    with pytest.raises(FileError, match="path-like"):
        open_torch_zip(
            makers.write_torch_zip(tmp_path / "a.pth", {"a": BASE}, members={"../x": b""}), limit_bytes=LIMIT
        )


def test_big_endian_files(tmp_path):
    swapped = BASE.astype(">f4")
    path = makers.write_torch_zip(
        tmp_path / "a.pth", {"a": BASE}, members={"byteorder": b"big", "data/0": swapped.tobytes()}
    )
    np.testing.assert_array_equal(open_torch_zip(path, limit_bytes=LIMIT)["a"].read(), BASE)
