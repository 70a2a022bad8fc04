"""Backward: carry gradients from a result to the leaves, in reverse order of creation.

An Op is created after the Ops that made its inputs, so creation order *is* a topological order:
a heap keyed on it hands out each Op only when every gradient that flows into it has arrived.  The
walk is a loop, not a recursion, so a chain of 10,000 operations is no deeper than one of ten.

Derivatives of derivatives need nothing new.  Each Op's backward is written with Tensor operations;
``create_graph=True`` merely leaves recording on while they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from heapq import heappop, heappush
from importlib import import_module
from typing import Any
from weakref import ref

from minigan import backend
from minigan.errors import GraphError, NumericError, ShapeError
from minigan.modes import Observer, observers, run_observed, set_mode
from minigan.tensor import Edge, Op, Tensor


def backward(
    root: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradient of ``root`` to ``.grad`` of every leaf that requires it.

    ``gradient`` has root's shape and defaults to 1 for a single element.  The graph is released
    unless ``retain_graph`` or ``create_graph`` is set.  Raises GraphError when nothing was recorded.
    """
    arrived = _walk([root], [gradient], None, create_graph, bool(retain_graph) or create_graph)
    owners: set[int] = {id(backend.owner(gradient.array))} if gradient is not None else set()
    for leaf, g in arrived:
        if not create_graph:
            g = _own(g, owners)
        leaf.grad = g if leaf.grad is None else leaf.grad + g if create_graph else (leaf.grad.detach() + g)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return d(outputs)/d(input), contracted with ``grad_outputs``, for each input; write no ``.grad``.

    Only what leads to ``inputs`` is computed.  ``create_graph=True`` makes the result
    differentiable again.  ``retain_graph`` defaults to ``create_graph``.  Raises GraphError for an
    input that the outputs do not depend on, unless ``allow_unused`` (then None stands there).
    """
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    targets = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if grad_outputs is None or isinstance(grad_outputs, Tensor):
        seeds: list[Tensor | None] = [grad_outputs] if grad_outputs is not None else [None] * len(roots)
    else:
        seeds = list(grad_outputs)
    if len(seeds) != len(roots):
        raise ShapeError(f"grad: expected {len(roots)} grad_outputs, one per output, got {len(seeds)}")
    for position, target in enumerate(targets):
        if not target.requires_grad:
            raise GraphError(
                f"grad: input {position} does not require a gradient; "
                "call .requires_grad_() before the forward pass"
            )
    edges = [target.node or target for target in targets]
    retain = create_graph if retain_graph is None else retain_graph
    found = {id(edge): g for edge, g in _walk(roots, seeds, edges, create_graph, retain)}
    results = tuple(found.get(id(edge)) for edge in edges)
    if not allow_unused and any(g is None for g in results):
        unused = [i for i, g in enumerate(results) if g is None]
        raise GraphError(
            f"grad: outputs do not depend on input {unused}; pass allow_unused=True to get None there"
        )
    return results


def _walk(
    roots: Sequence[Tensor],
    seeds: Sequence[Tensor | None],
    targets: Sequence[Any] | None,
    create_graph: bool,
    retain_graph: bool,
) -> list[tuple[Any, Tensor]]:
    """Propagate; return (leaf or target edge, gradient) pairs.  ``targets`` None: all leaves."""
    gradients: dict[int, Tensor] = {}
    leaves: dict[int, Tensor] = {}
    heap: list[tuple[int, Op]] = []
    arrived: list[tuple[Any, Tensor]] = []
    useful, wanted_edges = _leading_to(roots, targets), {id(edge) for edge in targets or ()}

    def deliver(edge: Op | Tensor, g: Tensor) -> None:
        key = id(edge)
        if not isinstance(edge, Op):
            leaves[key] = edge
        elif key not in gradients:
            heappush(heap, (-edge.order, edge))
        gradients[key] = gradients[key] + g if key in gradients else g

    with set_mode("recording", create_graph):
        for root, seed in zip(roots, seeds, strict=True):
            g = _seed(root, seed)
            if useful is None or id(root.node or root) in useful:
                deliver(root.node or root, g)
        while heap:
            op = heappop(heap)[1]
            g = _hooked(op, gradients.pop(id(op)))
            if id(op) in wanted_edges:
                arrived.append((op, g))
            op._wanted = [p is not None and (useful is None or id(p) in useful) for p in op.parents]
            if op.released or True in op._wanted:
                for parent, wanted, gp in zip(op.parents, op._wanted, _backward(op, g), strict=True):
                    if wanted and parent is not None and gp is not None:
                        deliver(parent, gp)
            op._wanted = None
            if not retain_graph:
                op.release()
    return arrived + [(leaf, _hooked(leaf, gradients[key])) for key, leaf in leaves.items()]


def _hooked(edge: Op | Tensor, g: Tensor) -> Tensor:
    """What the hooks of an edge make of its gradient."""
    for hook in tuple(edge.hooks) if edge.hooks else ():
        changed = hook(g)
        g = g if changed is None else changed
    return g


def register_hook(x: Tensor, hook: Callable[[Tensor], Any]) -> Callable[[], None]:
    """Call ``hook(g)`` with the whole gradient of x in every backward; a result other than None replaces it.

    Returns a function, also its attribute ``remove``, that takes the hook away again.
    """
    if not x.requires_grad:
        raise GraphError("register_hook: this tensor does not require a gradient")
    edge = x.node or x
    edge.hooks = [*(edge.hooks or ()), hook]

    def remove() -> None:
        edge.hooks = [other for other in edge.hooks or () if other is not hook]

    remove.remove = remove  # type: ignore[attr-defined]
    return remove


def retain_grad(x: Tensor) -> None:
    """Let backward add the gradient of x, the result of an operation, to its ``.grad`` too."""
    if x.node is None:
        return
    kept = ref(x)

    def keep(g: Tensor) -> None:
        if (tensor := kept()) is not None:
            own = g if g.node is not None else Tensor._wrap(g.array.copy())
            tensor.grad = own if tensor.grad is None else tensor.grad + own

    register_hook(x, keep)


def _backward(op: Op, g: Tensor) -> tuple[Tensor | None, ...]:
    if op.released:
        raise GraphError(
            f"{op.name}: this graph was released by an earlier backward; pass retain_graph=True there"
        )
    found = run_observed("backward", op, op.differentiate, g) if observers else op.differentiate(g)
    found = found if type(found) is tuple else (found,)
    if len(found) != len(op.parents):
        raise GraphError(f"{op.name}: backward returned {len(found)} gradients for {len(op.parents)} inputs")
    for i, (gp, shape) in enumerate(zip(found, op.input_shapes, strict=True)):
        if gp is not None and gp.shape != shape:
            raise GraphError(f"{op.name}: the gradient of input {i} has shape {gp.shape}, expected {shape}")
    return found


def _seed(root: Tensor, seed: Tensor | None) -> Tensor:
    if not root.requires_grad:
        raise GraphError(
            "backward: nothing was recorded; no input requires a gradient (or it ran inside no_grad)"
        )
    if seed is None:
        if root.size != 1:
            raise ShapeError(
                f"backward: a gradient is needed for a result of shape {root.shape}; "
                "reduce it with .sum() or pass one"
            )
        return Tensor._wrap(backend.namespace(root.array).ones_like(root.array))
    if seed.shape != root.shape or seed.dtype != root.dtype:
        raise ShapeError(
            f"backward: the gradient has shape {seed.shape} and dtype {seed.dtype}, "
            f"expected {root.shape} and {root.dtype}"
        )
    return seed


def ancestors(roots: Iterable[Tensor]) -> list[Op]:
    """Return every recorded Op behind ``roots``, oldest first."""
    pending: list[Edge] = [root.node for root in roots]
    seen: dict[int, Op] = {}
    while pending:
        edge = pending.pop()
        if isinstance(edge, Op) and id(edge) not in seen:
            seen[id(edge)] = edge
            pending.extend(edge.parents)
    return sorted(seen.values(), key=lambda op: op.order)


def _leading_to(roots: Sequence[Tensor], targets: Sequence[Any] | None) -> set[int] | None:
    """Identities of the edges through which a gradient reaches any target; None: of all edges."""
    if targets is None:
        return None
    useful = {id(target) for target in targets}
    for op in ancestors(roots):
        if any(id(parent) in useful for parent in op.parents if parent is not None):
            useful.add(id(op))
    return useful


def _own(g: Tensor, owners: set[int]) -> Tensor:
    """Return g as a constant that shares memory with no other leaf's gradient."""
    array = g.array
    owner = id(backend.owner(array))
    repeated = any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape, strict=True))
    if owner in owners or repeated or (g.requires_grad and g.node is None):
        return Tensor._wrap(array.copy())
    owners.add(owner)
    return g if g.node is None else g.detach()


@contextmanager
def observe(observer: Observer) -> Iterator[None]:
    """Call ``observer(phase, op, result, seconds)`` after each forward and backward inside the block."""
    observers.append(observer)
    try:
        yield
    finally:
        observers.remove(observer)


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise NumericError naming the first Op whose result or gradient is not finite."""

    def check(phase: str, op: Op, result: Any, seconds: float) -> None:
        found = result if isinstance(result, tuple) else (result,)
        for part in found:
            array = part.array if isinstance(part, Tensor) else part
            if array is not None and array.dtype.kind == "f":
                if not backend.namespace(array).isfinite(array).all().item():
                    raise NumericError(
                        f"{op.name}: its {phase} pass gave NaN or infinity (result shape {array.shape})"
                    )

    with observe(check):
        yield


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """Return a tensor as it is, or as a leaf that wants a gradient: older programs wrap everything so."""
    return data.detach().requires_grad_() if requires_grad else data


def __getattr__(name: str) -> Any:
    if name in ("Function", "gradcheck", "gradgradcheck"):
        module = "minigan.function" if name == "Function" else "minigan.testing"
        return getattr(import_module(module), name)
    raise AttributeError(f"minigan.autograd has no {name!r}")
