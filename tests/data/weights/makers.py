"""Weight files made by hand, sound and hostile, without PyTorch."""

import json
import struct
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

CLASSES = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}


@dataclass
class Global:
    module: str
    name: str


@dataclass
class Call:
    function: Global
    arguments: tuple


@dataclass
class Persistent:
    pointer: tuple


def emit(value: Any) -> bytes:
    """The pickle instructions (protocol 2) that build a value."""
    if value is None:
        return b"N"
    if value is True or value is False:
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        return b"\x8a" + bytes([len(raw)]) + raw
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    if isinstance(value, tuple):
        return b"(" + b"".join(map(emit, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(emit, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(emit(key) + emit(entry) for key, entry in value.items()) + b"u"
    if isinstance(value, Global):
        return f"c{value.module}\n{value.name}\n".encode()
    if isinstance(value, Call):
        return emit(value.function) + emit(value.arguments) + b"R"
    return emit(value.pointer) + b"Q"


def pickled(value: Any) -> bytes:
    return b"\x80\x02" + emit(value) + b"."


def storage(key, array, view=()):
    kind = Global("torch", CLASSES[array.dtype.str[1:]])
    return Persistent(("storage", kind, key, "cpu", array.size, *view))


def tensor(key, array, version="_v2", offset=0, size=None, stride=None, view=()):
    """What a pickle holds in place of a tensor."""
    stride = tuple(step // array.itemsize for step in array.strides) if stride is None else stride
    size = array.shape if size is None else size
    tail = (False, Call(Global("collections", "OrderedDict"), ())) if version else ()
    return Call(
        Global("torch._utils", "_rebuild_tensor" + version),
        (storage(key, array, view), offset, size, stride, *tail),
    )


def entries(arrays, **options):
    return {name: tensor(str(key), array, **options) for key, (name, array) in enumerate(arrays.items())}


def write_torch_zip(path, arrays, value=None, members=None, root="archive/"):
    content = {
        root + "data.pkl": pickled(entries(arrays) if value is None else value),
        root + "byteorder": b"little",
    }
    content |= {f"{root}data/{key}": array.tobytes("K") for key, array in enumerate(arrays.values())}
    content |= {root + name: raw for name, raw in (members or {}).items()}
    content[root + "version"] = b"3\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in content.items():
            archive.writestr(name, raw)
    return path


def write_torch_stream(path, arrays, value=None, keys=None, magic=0x1950A86A20F9469CFC6C, protocol=1001):
    value = entries(arrays, version="", view=(None,)) if value is None else value
    keys = [str(key) for key in range(len(arrays))] if keys is None else keys
    raw = b"".join(map(pickled, (magic, protocol, {"little_endian": True}, value, keys)))
    for array in arrays.values():
        raw += struct.pack("<q", array.size) + array.tobytes("K")
    path.write_bytes(raw)
    return path


def write_safetensors(path, arrays, header=None, tail=b""):
    names = {"f4": "F32", "f8": "F64", "f2": "F16", "i8": "I64"}
    table, place = {"__metadata__": {"format": "pt"}}, 0
    for name, array in arrays.items():
        table[name] = {
            "dtype": names[array.dtype.str[1:]],
            "shape": list(array.shape),
            "data_offsets": [place, place + array.nbytes],
        }
        place += array.nbytes
    text = json.dumps(table).encode() if header is None else header
    body = b"".join(array.tobytes() for array in arrays.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + body + tail)
    return path


def write_npz(path, arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)
    return path


WRITERS = {
    "npz": write_npz,
    "safetensors": write_safetensors,
    "torch zip": write_torch_zip,
    "torch stream": write_torch_stream,
}
