"""What stands for a hook that was registered, so that it can be taken away again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Handle:
    """What `register_forward_hook` returns: ``remove()`` takes the hook away again."""

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]):
        self._hooks, self._key = hooks, id(self)
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away; a second time nothing happens."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
