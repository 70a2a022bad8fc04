"""What every optimiser shares: groups, skipping, saving, and the walk over flat chunks.

A dozen element-wise passes over each of forty tensors waste time twice: on forty dozen calls, and on
fetching every array from memory a dozen times.  So a group's moments live in one flat array, and the step
goes through it in chunks that stay in cache: a chunk's gradients and parameters are gathered, updated by the
rule (the dozen passes), and the parameters written back.  Small parameters share a chunk, large ones are
cut up.  The parameters themselves stay where they are, so replacing ``p.data`` or sharing a parameter with
another optimiser needs no care.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minigan import backend, parallel
from minigan.backend import Array
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.tensor import Tensor

CHUNK = 1 << 17  # elements: few enough for the cache, enough that threads seldom wait for the interpreter


class Block:
    """Parameters of one dtype and device, with their places in flat moment arrays."""

    def __init__(self, parameters: list[Tensor]):
        first = parameters[0].data
        self.parameters = parameters
        self.dtype, self.array_type, self.xp = first.dtype, type(first), backend.namespace(first)
        # Moments lie in memory as the parameter did when first seen, so that both are walked without copying.
        self.orders = [memory_order(p.data) for p in parameters]
        self.shapes = [p.shape for p in parameters]
        self.starts = np.cumsum([0] + [p.size for p in parameters]).tolist()
        self.moments: dict[str, Array] = {}
        self.steps = [0] * len(parameters)

    def flat(self, slot: str) -> Array:
        """Return a moment of all parameters as one array; it starts at zero."""
        if slot not in self.moments:
            self.moments[slot] = self.xp.zeros(self.starts[-1], self.dtype)
        return self.moments[slot]

    def moment(self, slot: str, i: int) -> Array:
        """Return parameter i's part of a moment, as a view in the parameter's shape."""
        order, shape = self.orders[i], self.shapes[i]
        part = self.flat(slot)[self.starts[i] : self.starts[i + 1]]
        return part.reshape([shape[axis] for axis in order]).transpose(np.argsort(order).astype(int).tolist())

    def check(self, i: int, where: str) -> None:
        """Raise unless parameter i and its gradient are as they were when the moments were made."""
        p = self.parameters[i]
        if (p.dtype, type(p.data), p.shape) != (self.dtype, self.array_type, self.shapes[i]):
            raise ArgumentError(
                f"{where}: a parameter changed its shape, dtype or device; make a new optimiser"
            )
        if p.grad is not None and p.grad.shape != p.shape:
            raise ShapeError(f"{where}: gradient of shape {p.grad.shape} for a parameter of shape {p.shape}")
        if p.grad is not None and (p.grad.dtype, type(p.grad.data)) != (self.dtype, self.array_type):
            raise DTypeError(f"{where}: gradient {p.grad.dtype} on {p.grad.device} for a parameter {p.dtype}")


class Piece(NamedTuple):
    """A run of one parameter's elements: its value (flat, in place), gradient and place among the moments."""

    value: Array
    gradient: Array
    start: int


class Optimizer:
    """Base: subclasses name their moments (`slots`) and supply the rule (`update`).

    ``params`` is an iterable of Tensors, or of dicts {"params": [...], setting: value, ...}, one a group.
    Raises ArgumentError for no parameters, for one given twice, and for one that is not a leaf, and
    DTypeError for float16, in which a step of 1e-4 of a parameter is less than its last digit.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]):
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._blocks: list[list[Block] | None] = []
        given: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        if not given:
            raise ArgumentError(f"{type(self).__name__}: no parameters to optimise; pass net.parameters()")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add a dict {"params": [...], setting: value, ...}; settings left out take the defaults."""
        name = type(self).__name__
        inside = group["params"]
        tensors = [inside] if isinstance(inside, Tensor) else list(inside)
        known = {id(p) for g in self.param_groups for p in g["params"]}
        if not tensors or any(not isinstance(p, Tensor) for p in tensors):
            raise ArgumentError(f"{name}: a group needs parameters, got {tensors!r:.80}")
        if any(p.dtype == np.float16 for p in tensors):
            raise DTypeError(
                f"{name}: expected float32 or float64 parameters, got float16, which rounds small steps "
                "away; use net.to(dtype='float32')"
            )
        if any(not p.is_leaf for p in tensors):
            raise ArgumentError(f"{name}: only leaf tensors can be optimised, not results of operations")
        if len({id(p) for p in tensors} | known) < len(tensors) + len(known):
            raise ArgumentError(f"{name}: a parameter was given twice; list every parameter once")
        if unknown := group.keys() - self.defaults.keys() - {"params", "initial_lr"}:
            raise ArgumentError(f"{name}: unknown settings {sorted(unknown)}; has {sorted(self.defaults)}")
        whole = {**self.defaults, **group, "params": tensors}
        self.check(whole)
        self.param_groups.append(whole)
        self._blocks.append(None)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for settings out of range."""
        for setting in ("lr", "eps", "weight_decay", "momentum", "alpha"):
            value = group.get(setting, 0.0)
            if not value >= 0.0:
                raise ArgumentError(f"{type(self).__name__}: {setting} must be >= 0, got {value}")
        for beta in group.get("betas", ()):
            if not 0.0 <= beta < 1.0:
                raise ArgumentError(f"{type(self).__name__}: betas must lie in [0, 1), got {group['betas']}")

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the moments kept for each parameter of a group."""
        raise NotImplementedError

    def update(
        self, p: Array, g: Array, scratch: Array, moments: Mapping[str, Array], step: int, group: Mapping
    ) -> None:
        """Change ``p`` and ``moments`` in place by the rule; all are flat arrays of one length.

        ``g`` is the gradient, to be read only; ``scratch`` is this call's own; ``step`` counts from 1.
        """
        raise NotImplementedError

    def one_kernel(self, p: Array, group: Mapping) -> bool:
        """Return whether `update` is a single kernel on p's device, so that joining them wins nothing."""
        return False

    def zero_grad(self) -> None:
        """Forget every gradient (set it to None)."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient; the others and their moments stay untouched.

        Nothing is changed when a gradient does not fit its parameter (ShapeError, DTypeError).
        """
        blocks = [(block, group) for i, group in enumerate(self.param_groups) for block in self.blocks(i)]
        for block, _ in blocks:
            for i in range(len(block.parameters)):
                block.check(i, type(self).__name__)
        for block, group in blocks:
            moments = {slot: block.flat(slot) for slot in self.slots(group)}
            jobs = [
                partial(self._update_chunk, block.xp, chunk, moments, step, group)
                for chunk, step in _chunks(block, self.one_kernel(block.parameters[0].data, group))
            ]
            if block.xp is np:
                parallel.run(jobs)
            else:
                for job in jobs:
                    job()
            for p in block.parameters:
                if p.grad is not None:
                    p.bump()

    def _update_chunk(
        self, xp: Any, chunk: list[Piece], flat: Mapping[str, Array], step: int, group: Mapping[str, Any]
    ) -> None:
        start, stop = chunk[0].start, chunk[-1].start + chunk[-1].value.size
        scratch = xp.empty(stop - start, chunk[0].value.dtype)
        moments = {slot: array[start:stop] for slot, array in flat.items()}
        if len(chunk) == 1 and chunk[0].value.ndim == 1:  # the usual chunk, a part of one large parameter
            return self.update(chunk[0].value, chunk[0].gradient, scratch, moments, step, group)
        p = xp.concatenate([piece.value.reshape(-1) for piece in chunk])
        g = xp.concatenate([piece.gradient.reshape(-1) for piece in chunk])
        self.update(p, g, scratch, moments, step, group)
        for piece in chunk:
            place = slice(piece.start - start, piece.start - start + piece.value.size)
            piece.value[...] = p[place].reshape(piece.value.shape)

    def blocks(self, index: int) -> list[Block]:
        """Return the blocks of group ``index``; they are made when first asked for."""
        found = self._blocks[index]
        if found is None:
            group = self.param_groups[index]
            kinds: dict[Any, list[Tensor]] = {}
            for p in group["params"]:
                kinds.setdefault((p.dtype, type(p.data)), []).append(p)
            found = self._blocks[index] = [Block(members) for members in kinds.values()]
        return found

    # ---- saving ---------------------------------------------------------------------------------------

    def _numbered(self) -> Iterator[tuple[int, int, Block, int]]:
        """(number of a parameter over all groups, its group, its block, its place there)."""
        number = 0
        for index, group in enumerate(self.param_groups):
            places = {
                id(p): (block, i) for block in self.blocks(index) for i, p in enumerate(block.parameters)
            }
            for p in group["params"]:
                yield number, index, *places[id(p)]
                number += 1

    def state_dict(self) -> dict[str, Any]:
        """Return {"state": {number: {"step": n, moment: host copy}}, "param_groups": [settings]}.

        Parameters are numbered through the groups; those never updated have no state.
        """
        state: dict[int, dict[str, Any]] = {}
        numbers: list[list[int]] = [[] for _ in self.param_groups]
        for number, index, block, i in self._numbered():
            numbers[index].append(number)
            if block.steps[i]:
                slots = self.slots(self.param_groups[index])
                copies = {slot: np.array(backend.to_host(block.moment(slot, i)), order="C") for slot in slots}
                state[number] = {"step": block.steps[i], **copies}
        groups = [{**group, "params": n} for group, n in zip(self.param_groups, numbers, strict=True)]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over step counts, moments and settings.

        ArgumentError lists all that does not fit; nothing is changed then.
        """
        groups, saved = state["param_groups"], state["state"]
        mine = [len(group["params"]) for group in self.param_groups]
        theirs = [len(group["params"]) for group in groups]
        faults = [] if mine == theirs else [f"groups of {theirs} parameters, expected {mine}"]
        own = [] if faults else list(self._numbered())
        taken = []  # (moment's place, its new value)
        for number, index, block, i in own:
            entry, shape = saved.get(number), block.shapes[i]
            for slot in self.slots(groups[index]):
                value = np.zeros(shape) if entry is None else np.asarray(entry.get(slot))
                if value.shape != shape or value.dtype.kind not in "fiu":
                    faults.append(f"parameter {number}: {slot} of shape {value.shape}, expected {shape}")
                taken.append((block.moment(slot, i), value))
        faults += [f"parameter {number} is not here" for number in saved if not 0 <= number < sum(mine)]
        if faults:
            raise ArgumentError(
                f"{type(self).__name__}: this state does not fit these parameters:\n  " + "\n  ".join(faults)
            )
        for number, _, block, i in own:
            block.steps[i] = int(saved[number]["step"]) if number in saved else 0
        for place, value in taken:
            place[...] = backend.to_device(value.astype(place.dtype), backend.of(place).name)
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.update({name: value for name, value in settings.items() if name != "params"})


def memory_order(array: Array) -> list[int]:
    """Return the axes from the slowest to the fastest in memory."""
    if array.flags.c_contiguous:
        return list(range(array.ndim))
    return sorted(range(array.ndim), key=lambda axis: (-abs(array.strides[axis]), axis))


def _chunks(block: Block, apart: bool = False) -> Iterator[tuple[list[Piece], int]]:
    """Count one step for each parameter with a gradient; yield runs of neighbours with one step count.

    With ``apart`` every parameter is a run of its own.  One that is not dense in memory (a strided view) is a
    chunk of its own, in its own shape.
    """
    limit = CHUNK if block.xp is np else max(1, block.starts[-1])
    chunk: list[Piece] = []
    filled, step = 0, 0
    for i, p in enumerate(block.parameters):
        if p.grad is not None:
            block.steps[i] += 1
        value = p.data.transpose(block.orders[i])
        if chunk and (apart or p.grad is None or block.steps[i] != step or not value.flags.c_contiguous):
            yield chunk, step
            chunk, filled = [], 0
        if p.grad is None:
            continue
        step = block.steps[i]
        gradient = p.grad.data.transpose(block.orders[i])
        if not value.flags.c_contiguous:
            yield [Piece(value, gradient, block.starts[i])], step
            continue
        value, gradient, first = value.reshape(-1), gradient.reshape(-1), 0
        while first < p.size:
            last = min(p.size, first + limit - filled)
            chunk.append(Piece(value[first:last], gradient[first:last], block.starts[i] + first))
            filled, first = filled + last - first, last
            if filled == limit:
                yield chunk, step
                chunk, filled = [], 0
    if chunk:
        yield chunk, step
