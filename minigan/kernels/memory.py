"""Keeping what was freed for the next array.

A training step makes and drops the same few megabytes over and over.  The C library returns each large array
to the system when it is freed, and the system clears every page again when the next array first touches it:
for a pass over 6 MB that takes ten times as long as the arithmetic.  One call tells the C library to keep
what was freed, up to a limit.  Nothing else changes, and what is kept can be used by anybody in the process.
"""

from __future__ import annotations

import os
import warnings

from minigan.errors import ArgumentError, truth

# Names and numbers from <malloc.h> of the GNU C library; other systems have other ways and are left alone.
_TRIM_THRESHOLD = -1  # free memory at the end of the heap above which it is handed back
_MMAP_THRESHOLD = -3  # size from which an array gets pages of its own, handed back when it is freed


def keep_freed(limit: int = 1 << 30) -> bool:
    """Keep up to ``limit`` bytes of freed memory in this process; return whether the C library agreed.

    MINIGAN_KEEP_MEMORY=0 (or false, no, off) in the environment forbids it.  A word that is neither yes nor
    no does too, with a warning: this is called while minigan is imported, where nobody could catch an error.
    """
    try:
        if not truth("MINIGAN_KEEP_MEMORY", os.environ.get("MINIGAN_KEEP_MEMORY") or "1"):
            return False
    except ArgumentError as error:
        warnings.warn(f"{error}; freed memory is not kept", stacklevel=2)
        return False
    try:
        from ctypes import CDLL

        mallopt = CDLL(None).mallopt
    except (ImportError, OSError, TypeError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, limit) and mallopt(_TRIM_THRESHOLD, limit))
