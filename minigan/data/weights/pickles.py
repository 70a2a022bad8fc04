"""Reading a pickle without running it.

A pickle is a program: Python's own ``pickle.load`` calls whatever the file names. Here the program is only
*taken apart* (``pickletools.genops`` lists its instructions and runs none), and the few instructions that a
saved dictionary of tensors needs are followed by the machine below. It builds numbers, strings, tuples,
lists and dictionaries; where the file asks for a function, its name is looked up in a short list, and what is
meant by it is done here. Nothing is imported, nothing is called, and anything else is refused by name.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minigan.errors import FileError

_MOST_STEPS = 1_000_000
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = {
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "LONG4",
    "BINFLOAT",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINSTRING",
    "SHORT_BINSTRING",
    "INT",
    "LONG",
}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_METHODS = {
    "MARK",
    "TUPLE",
    "PUT",
    "BINPUT",
    "LONG_BINPUT",
    "MEMOIZE",
    "GET",
    "BINGET",
    "LONG_BINGET",
    "SETITEM",
    "SETITEMS",
    "APPEND",
    "APPENDS",
    "GLOBAL",
    "STACK_GLOBAL",
    "REDUCE",
    "BUILD",
    "BINPERSID",
}


@dataclass(frozen=True)
class Name:
    """A function or class the pickle names; known only by that name."""

    text: str


Meaning = Callable[..., Any]


class Machine:
    """Follows one pickle. ``meanings`` maps admitted names to what a call of them means here;
    ``persistent`` turns a persistent id (how PyTorch points at a storage) into a value."""

    def __init__(self, where: str, meanings: dict[str, Meaning | None], persistent: Meaning) -> None:
        self.where, self.meanings, self.persistent = where, meanings, persistent
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: io.BytesIO) -> Any:
        """Follow the pickle that starts at the file's position; leaves the position after it."""
        try:
            for steps, (opcode, argument, _) in enumerate(pickletools.genops(file)):
                if opcode.name == "STOP":
                    return self.stack.pop()
                if steps > _MOST_STEPS:
                    raise self._refusal("it has too many instructions")
                self._step(opcode.name, argument)
        except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
            raise self._refusal(f"it is damaged or cut short ({type(error).__name__})") from error
        raise self._refusal("it has no end")

    def _step(self, name: str, argument: Any) -> None:
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            items = [self.stack.pop() for _ in range(_TUPLES[name])]
            self.stack.append(tuple(reversed(items)))
        elif name in _METHODS:
            getattr(self, "_" + name.lower())(argument)
        elif name not in ("PROTO", "FRAME"):
            raise self._refusal(f"it uses the instruction {name}, which no file of weights needs")

    def _refusal(self, why: str) -> FileError:
        return FileError(
            f"{self.where}: refused, nothing was run: {why}; expected a plain dictionary of "
            "tensors (torch.save(model.state_dict(), ...))"
        )

    # One method per instruction, named after it.

    def _mark(self, _: Any) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def _since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marks.pop()
        return items

    def _tuple(self, _: Any) -> None:
        items = self._since_mark()
        self.stack.append(tuple(items))

    def _binput(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    _long_binput = _put = _binput

    def _memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _binget(self, index: int) -> None:
        self.stack.append(self.memo[index])

    _long_binget = _get = _binget

    def _setitem(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._store([key, value])

    def _setitems(self, _: Any) -> None:
        self._store(self._since_mark())

    def _store(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise self._refusal("it sets items of something that is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, (str, int)):
                raise self._refusal("it has a key that is neither text nor number")
            if key in target:
                raise self._refusal(f"the name {key!r} occurs twice")
            target[key] = value

    def _append(self, _: Any) -> None:
        value = self.stack.pop()
        self._extend([value])

    def _appends(self, _: Any) -> None:
        self._extend(self._since_mark())

    def _extend(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise self._refusal("it appends to something that is no list")
        self.stack[-1].extend(items)

    def _global(self, argument: str) -> None:
        self._admit(argument.replace(" ", "."))

    def _stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise self._refusal("it names a function by something that is no text")
        self._admit(f"{module}.{name}")

    def _admit(self, text: str) -> None:
        if text not in self.meanings:
            raise self._refusal(f"it asks for {text[:80]!r}")
        self.stack.append(Name(text))

    def _reduce(self, _: Any) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        meaning = self.meanings.get(function.text) if isinstance(function, Name) else None
        if meaning is None or type(arguments) is not tuple:
            raise self._refusal("it calls something that is no admitted function")
        self.stack.append(meaning(*arguments))

    def _build(self, _: Any) -> None:
        self.stack.pop()  # attributes (a state_dict's _metadata): not needed, so not set
        if type(self.stack[-1]) is not dict:
            raise self._refusal("it sets attributes of something that is no dictionary")

    def _binpersid(self, _: Any) -> None:
        self.stack.append(self.persistent(self.stack.pop()))
