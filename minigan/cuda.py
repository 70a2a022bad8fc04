"""What PyTorch programs ask of a GPU, answered by the backend: "cuda" is CuPy, "cpu" is NumPy."""

from __future__ import annotations

from typing import Any

from minigan import backend
from minigan.errors import ArgumentError, DeviceError
from minigan.ops.creation import manual_seed
from minigan.types import BoolTensor, ByteTensor, DoubleTensor, FloatTensor, IntTensor, LongTensor


class device(str):
    """A device by PyTorch's name, such as ``device("cpu")`` or ``device("cuda:0")``; a string to all else."""

    def __new__(cls, type: str, index: int | None = None) -> device:
        kind = str(type).split(":")[0]
        if kind not in ("cpu", "cuda", "numpy", "cupy"):
            raise ArgumentError(f"device: expected cpu or cuda, got {type!r}")
        return super().__new__(cls, str(type) if index is None else f"{type}:{index}")

    @property
    def type(self) -> str:
        """ "cpu" or "cuda"."""
        return "cpu" if backend.device_name(self) == "numpy" else "cuda"

    @property
    def index(self) -> int | None:  # type: ignore[override]
        """The number behind the colon, or None."""
        number = self.partition(":")[2]
        return int(number) if number else None


def is_available() -> bool:
    """Return whether CuPy and a GPU answer."""
    try:
        backend.get("cupy")
    except DeviceError:
        return False
    return True


def device_count() -> int:
    """Return 1 where a GPU answers, else 0."""
    return int(is_available())


def manual_seed_all(seed: int) -> Any:
    """Start the default generator, which draws for every device, from ``seed``."""
    return manual_seed(seed)


def synchronize() -> None:
    """Wait until the device has finished its queue."""
    backend.synchronize()


def empty_cache() -> None:
    """Do nothing: CuPy's pool keeps what was freed for the next array."""


def set_device(device: Any) -> None:
    """Check that the device is there, the first one, which is used anyway; DeviceError for another."""
    backend.get(backend.device_name(device))


def current_device() -> int:
    """Return 0, the only device that is used; DeviceError where there is none."""
    set_device(0)
    return 0


def get_device_name(device: Any = None) -> str:
    """Return what the device calls itself; DeviceError where there is none."""
    set_device(0 if device is None else device)
    return backend.get("cupy").xp.cuda.runtime.getDeviceProperties(0)["name"].decode()
