"""Scratch memory that is kept from call to call, each thread its own.

A fresh large array costs more than the time to fill it: the system hands out its pages one fault at a time.
The tiles of a convolution are the same size call after call, so their memory is kept here under a name and
handed out again. Nothing taken from here may reach a caller: results go to arrays of their own.
"""

import threading
from math import prod

from minigan import backend

_local = threading.local()


def take(like, name, shape):
    """An uninitialised C-order array, of ``like``'s type and device, valid until ``name`` is taken again."""
    here = backend.of(like)
    key, size = (here.name, like.dtype.char, name), prod(shape)
    buffers = _local.__dict__
    if key not in buffers or buffers[key].size < size:
        buffers[key] = here.xp.empty(size, like.dtype)
    return buffers[key][:size].reshape(shape)


def clear():
    """Give this thread's scratch memory back."""
    _local.__dict__.clear()
