"""What every optimiser shares: groups of parameters, their state, skipping, checking and saving."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.errors import ArgumentError, DTypeError, ShapeError, like_one_of
from minigan.modes import enable_grad, kernel_for
from minigan.tensor import Tensor

# How PyTorch is to compute a step, which changes no result: accepted, and of no effect here.
WITHOUT_EFFECT = {"foreach", "fused", "capturable", "differentiable"}


# What rules are set by.  A group may carry other words for its program, but none that is like these.
SETTINGS = set(
    "lr eps weight_decay momentum alpha lr_decay betas nesterov dampening centered amsgrad".split()
)

required: Any = object()  # the default of a setting that has none: every group must give it


class Optimizer:
    """Base: subclasses name the moments they keep (`slots`) and supply the rule (`update`).

    ``params`` is an iterable of Tensors, or of dicts {"params": [...], setting: value, ...}, one a group.
    ``state[p]`` holds a parameter's count of steps and its moments, raw arrays of its shape.
    ``maximize=True`` climbs: the rule is given -g.  PyTorch's ``foreach``, ``fused`` and ``capturable`` say
    how its steps are computed; they are accepted and change nothing.
    Raises ArgumentError for no parameters, for one given twice, and for one that is not a leaf, and
    DTypeError for float16, in which a step of 1e-4 of a parameter is less than its last digit.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any], **without_effect: Any):
        if unknown := without_effect.keys() - WITHOUT_EFFECT:
            raise TypeError(f"{type(self).__name__}: unexpected arguments {sorted(unknown)}")
        if without_effect.get("differentiable"):
            raise ArgumentError(
                f"{type(self).__name__}: differentiable=True is not here; steps are constants"
            )
        self.defaults = {"maximize": False, **defaults}
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        given: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        if not given:
            raise ArgumentError(f"{type(self).__name__}: no parameters to optimise; pass net.parameters()")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add a dict {"params": [...], setting: value, ...}; settings left out take the defaults.

        Other words ("name", "mult") are kept for the program's use.
        """
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
        unknown = group.keys() - self.defaults.keys() - {"params", "initial_lr"} - WITHOUT_EFFECT
        unknown = {word for word in unknown if like_one_of(word, SETTINGS | self.defaults.keys())}
        if unknown:
            raise ArgumentError(f"{name}: unknown settings {sorted(unknown)}; has {sorted(self.defaults)}")
        whole = {**self.defaults, **group, "params": tensors}
        if missing := [setting for setting, value in whole.items() if value is required]:
            raise ArgumentError(f"{name}: a group does not say {', '.join(missing)}, which have no default")
        self.check(whole)
        self.param_groups.append(whole)

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for settings out of range."""
        for setting in ("lr", "eps", "weight_decay", "momentum", "alpha", "lr_decay"):
            value = group.get(setting, 0.0)
            if not value >= 0.0:
                raise ArgumentError(f"{type(self).__name__}: {setting} must be >= 0, got {value}")
        for beta in group.get("betas", ()):
            if not 0.0 <= beta < 1.0:
                raise ArgumentError(f"{type(self).__name__}: betas must lie in [0, 1), got {group['betas']}")

    def slots(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the moments kept for each parameter of a group."""
        raise NotImplementedError

    def update(self, p: Array, g: Array, state: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        """Change ``p`` and the moments in ``state`` in place by the rule.

        ``g`` is the gradient, to be read only; ``state["step"]`` counts from 1.
        """
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set every gradient to None, or those that are there to zeros where ``set_to_none`` is False.

        A parameter without a gradient is not moved; one whose gradient is zero is moved by its moments.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = Tensor._wrap(backend.namespace(p.grad.array).zeros_like(p.grad.array))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; the others and their moments stay untouched.

        ``closure`` computes the loss and its gradients; its loss is returned (None without a closure).
        Nothing is changed when a gradient does not fit its parameter (ShapeError, DTypeError).
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                self._check_fit(p)
        for group in self.param_groups:
            moving = [p for p in group["params"] if p.grad is not None]
            for p in moving:
                self.moments(p, group)["step"] += 1
            for kind in {type(p.array): None for p in moving}:
                self._update_all([p for p in moving if type(p.array) is kind], group)
            for p in moving:
                p.bump()
        return loss

    def _update_all(self, parameters: list[Tensor], group: Mapping[str, Any]) -> None:
        kernel = kernel_for(type(self), "step", parameters[0].array)
        if kernel is None or kernel(self, group, parameters) is NotImplemented:
            for p in parameters:
                assert p.grad is not None
                g = -p.grad.array if group.get("maximize") else p.grad.array
                self.update(p.array, g, self.state[p], group)

    def moments(self, p: Tensor, group: Mapping[str, Any]) -> dict[str, Any]:
        """Return a parameter's state; what is missing of it starts at zero, or at what `start` says."""
        state = self.state[p]
        state.setdefault("step", 0)
        for slot in self.slots(group):
            if slot not in state:
                state[slot] = backend.namespace(p.array).full_like(p.array, self.start(group))
        return state

    def start(self, group: Mapping[str, Any]) -> float:
        """Return the number that fills a new moment."""
        return 0.0

    def _check_fit(self, p: Tensor) -> None:
        where = type(self).__name__
        kept = [value for value in self.state.get(p, {}).values() if not isinstance(value, int)]
        if any((m.dtype, m.shape, type(m)) != (p.dtype, p.shape, type(p.array)) for m in kept):
            raise ArgumentError(
                f"{where}: a parameter changed its shape, dtype or device; make a new optimiser"
            )
        if p.grad is not None and p.grad.shape != p.shape:
            raise ShapeError(f"{where}: gradient of shape {p.grad.shape} for a parameter of shape {p.shape}")
        if p.grad is not None and (p.grad.dtype, type(p.grad.array)) != (p.dtype, type(p.array)):
            raise DTypeError(f"{where}: gradient {p.grad.dtype} on {p.grad.device} for a parameter {p.dtype}")

    # ---- saving ---------------------------------------------------------------------------------------

    def _numbered(self) -> Iterator[tuple[int, int, Tensor]]:
        """(number of a parameter over all groups, its group's index, the parameter)."""
        number = 0
        for index, group in enumerate(self.param_groups):
            for p in group["params"]:
                yield number, index, p
                number += 1

    def state_dict(self) -> dict[str, Any]:
        """Return {"state": {number: {"step": n, moment: host copy}}, "param_groups": [settings]}.

        Parameters are numbered through the groups; those never updated have no state.
        """
        state: dict[int, dict[str, Any]] = {}
        numbers: list[list[int]] = [[] for _ in self.param_groups]
        for number, index, p in self._numbered():
            numbers[index].append(number)
            own = self.state.get(p, {})
            if own.get("step"):
                slots = self.slots(self.param_groups[index])
                copies = {
                    slot: np.array(backend.to_host(own[slot]), order="C") for slot in slots if slot in own
                }
                state[number] = {"step": own["step"], **copies}
        groups = [{**group, "params": n} for group, n in zip(self.param_groups, numbers, strict=True)]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over step counts, moments and settings, from arrays or Tensors; PyTorch's states fit too.

        ArgumentError lists all that does not fit; nothing is changed then.
        """
        groups, saved = state["param_groups"], state["state"]
        mine = [len(group["params"]) for group in self.param_groups]
        theirs = [len(group["params"]) for group in groups]
        faults = [] if mine == theirs else [f"groups of {theirs} parameters, expected {mine}"]
        taken: dict[Tensor, dict[str, Any]] = {}
        for number, index, p in () if faults else self._numbered():
            if number not in saved:
                continue
            # PyTorch's SGD counts no steps: a buffer that is there comes from at least one.
            taken[p] = {"step": int(float(saved[number].get("step", 1)))}
            for slot in self.slots(groups[index]):
                value = saved[number].get(slot)
                value = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
                if value.shape != p.shape or value.dtype.kind not in "fiu":
                    faults.append(f"parameter {number}: {slot} of shape {value.shape}, expected {p.shape}")
                    continue
                taken[p][slot] = backend.namespace(p.array).zeros_like(p.array)
                taken[p][slot][...] = backend.to_device(value.astype(p.dtype), p.device)
        faults += [f"parameter {number} is not here" for number in saved if not 0 <= number < sum(mine)]
        if faults:
            raise ArgumentError(
                f"{type(self).__name__}: this state does not fit these parameters:\n  " + "\n  ".join(faults)
            )
        self.state = defaultdict(dict, taken)
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.update({name: value for name, value in settings.items() if name != "params"})
