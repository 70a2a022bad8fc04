"""Reading PyTorch's and Hugging Face's files of tensors, which are not trusted: nothing in them is run.

`kind_of` says by its content what a file is; `torch_files` and `safetensors` open it.
"""

from __future__ import annotations

import os

from minigan.data.weights.safetensors import open_safetensors
from minigan.data.weights.stored import Stored
from minigan.data.weights.torch_files import as_it_is, open_torch_stream, open_torch_zip
from minigan.data.zips import check_start, open_zip
from minigan.errors import FileError


def kind_of(path: str | os.PathLike, *, limit_bytes: int) -> str:
    """Return "torch stream", "torch zip", "npz" or "safetensors" by a file's first bytes.

    A zip must not unpack to more than ``limit_bytes``. Raises FileError for every other file.
    """
    check_start(path, b"", "a file of weights")
    with open(path, "rb") as file:
        start = file.read(9)
    if start[:2] == b"\x80\x02":
        return "torch stream"
    if start[:4] == b"PK\x03\x04":
        with open_zip(path, limit_bytes=limit_bytes, folders=True) as (_, infos):
            return "torch zip" if any(entry.endswith("/data.pkl") for entry in infos) else "npz"
    if start[8:9] == b"{":
        return "safetensors"
    raise FileError(
        f"{path}: expected weights (.npz, .safetensors, .pth), got a file that starts with "
        f"{start!r}; give a file of one of these kinds"
    )
