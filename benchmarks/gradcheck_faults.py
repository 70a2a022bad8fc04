"""How sharp the gradient checker is: ``python benchmarks/gradcheck_faults.py [PART ...] [--json FILE]``.

planted  every bug of tests/planted.py and tests/kernels/planted_kernels.py, and the property that caught it
needle   1,000 times one entry of 4,096, wrong by 0.01 %, with three probes: found, and how many evaluations
pytorch  the same wrong functions shown to minigan and to PyTorch's slow and fast checker

For the last, each function is built twice, as a minigan Op and as a PyTorch autograd.Function, at the same
float64 point.  minigan.testing.gradcheck is asked with its defaults (first and second order);
torch.autograd.gradcheck in its slow and its fast mode, each followed by gradgradcheck where it passed.  Wrong
functions should be FOUND; a clean one that is reported is a FALSE ALARM.
"""

import argparse
import importlib.util
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
import numpy as np
import pytest

import minigan
from minigan.testing import gradcheck

try:
    import torch
except ModuleNotFoundError:  # only the last part needs it: pip install 'minigan[bench]'
    torch = None

TESTS = Path(__file__).resolve().parents[1] / "tests"


class Ours:
    """minigan's spelling of what the faults need."""

    const = staticmethod(lambda array: minigan.Tensor(np.asarray(array, np.float64)))
    raw = staticmethod(lambda tensor: tensor.array)
    shape = staticmethod(lambda tensor: tensor.shape)

    @staticmethod
    def single(tensor):
        return minigan.Tensor(tensor.array.astype(np.float32).astype(np.float64))


class Theirs:
    """PyTorch's."""

    const = staticmethod(lambda array: torch.as_tensor(np.asarray(array, np.float64)))
    raw = staticmethod(lambda tensor: tensor.detach().numpy())
    shape = staticmethod(lambda tensor: tuple(tensor.shape))
    single = staticmethod(lambda tensor: tensor.float().double())


@dataclass(frozen=True)
class Case:
    """y = x**3 (or relu) at a point; ``backward(lib, g, slope, memory)`` makes the gradient of it."""

    name: str
    size: int
    wrong: bool
    backward: Any
    tie: float | None = None  # relu, with this slope at 0


def times(factors):
    """The true gradient times factors, an array made for the size of it."""

    def backward(lib, g, slope, memory):
        return g * slope * lib.const(factors(np.arange(lib.shape(g)[0])))

    return backward


def raw(lib, g, slope, memory):
    return lib.const(lib.raw(g) * lib.raw(slope))


def scribble(lib, g, slope, memory):
    result = g * slope
    lib.raw(g)[...] *= 2.0
    return result


def forgetful(lib, g, slope, memory):
    memory.append(0)
    return g * slope * lib.const(1.0 if len(memory) < 2 else 1.001)


def swap(lib, g, slope, memory):
    order = np.arange(lib.shape(g)[0])
    order[:2] = 1, 0
    return g * slope[order.tolist()]


def redraw(lib, g, slope, memory):
    return g * slope * lib.const(np.random.default_rng().random(lib.shape(g)) > 1e-3)


def right(lib, g, slope, memory):
    return g * slope


CASES = [
    Case("clean: cube", 64, False, right),
    Case("clean: relu at 0, slope 0 there", 5, False, right, tie=0.0),
    Case("clean: relu at 0, slope 1 there", 5, False, right, tie=1.0),
    Case("relu with slope 1.5 at 0", 5, True, right, tie=1.5),
    Case("all entries times 1.01", 64, True, times(lambda i: 1.01 + 0 * i)),
    Case("all entries times 1.0001", 64, True, times(lambda i: 1.0001 + 0 * i)),
    Case("one entry of 64 wrong by 0.01 %", 64, True, times(lambda i: 1 + 1e-4 * (i == 7))),
    Case("one entry of 1,024 wrong by 1 %", 1024, True, times(lambda i: 1 + 1e-2 * (i == 99))),
    Case("two entries of 1,024 swapped", 1024, True, swap),
    Case("6 % of 16,384 entries zeroed", 16384, True, times(lambda i: i % 16 > 0)),
    Case("second derivative cut", 64, True, raw),
    Case("writes into the incoming gradient", 64, True, scribble),
    Case("another gradient at the second backward", 64, True, forgetful),
    Case("not linear in the incoming gradient", 64, True, lambda lib, g, s, m: g * s + g * g * 1e-3),
    Case("float32 in backward", 64, True, lambda lib, g, s, m: lib.single(g * s)),
    Case("mask redrawn in backward", 1024, True, redraw),
]


def point(case):
    if case.tie is not None:
        return np.array([-1.0, 0.0, 0.0, 0.5, 2.0])
    return np.random.default_rng(0).uniform(0.5, 1.5, case.size)


def ask_minigan(case, x):
    class Function(minigan.Op):
        keeps = (0,)

        def forward(self, x):
            self.memory = []
            return np.maximum(x, 0) if case.tie is not None else x**3

        def backward(self, g):
            x = self.input(0)
            if case.tie is None:
                return case.backward(Ours, g, x * x * 3.0, self.memory)
            return case.backward(
                Ours, g, Ours.const(np.where(x.array == 0, case.tie, x.array > 0)), self.memory
            )

    report = gradcheck(Function, x, seed=0)
    return {"PASS": "passes", "FAIL": ", ".join(report.properties[:1])}.get(report.verdict, "undecided")


def ask_torch(case, x, fast):
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.memory = []
            return x.clamp(min=0) if case.tie is not None else x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            if case.tie is None:
                return case.backward(Theirs, g, x * x * 3.0, ctx.memory)
            slope = torch.where(x == 0, case.tie, (x > 0).double())
            return case.backward(Theirs, g, slope, ctx.memory)

    if x.size > 2000 and not fast:
        return f"not run (Jacobian of {x.size:,} x {x.size:,})"
    leaf = torch.tensor(x, requires_grad=True)
    torch.manual_seed(0)
    try:
        torch.autograd.gradcheck(Function.apply, (leaf,), fast_mode=fast)
        twice = x.size <= (2000 if fast else 64)  # at 16,384 the fast one takes 10 minutes and 13 GB
        if twice:
            torch.autograd.gradgradcheck(Function.apply, (leaf,), fast_mode=fast)
    except Exception as error:
        text = str(error).strip().splitlines() or [type(error).__name__]
        return text[0].split(".")[0][:44]
    return "passes" if twice else "passes, not asked for the second order"


def judged(case, said):
    if said.startswith("not run"):
        return said
    if said.startswith("passes"):
        return said.replace("passes", "MISSED") if case.wrong else said
    return f"found: {said}" if case.wrong else f"FALSE ALARM: {said}"


def timed(ask, *arguments):
    begin = time.perf_counter()
    said = ask(*arguments)
    return said, time.perf_counter() - begin


def pytorch():
    """Print what each checker says of each function; returns the rows."""
    if torch is None:
        raise SystemExit("PyTorch is missing: pip install 'minigan[bench]'")
    rows = []
    checkers = (
        ("minigan", ask_minigan, ()),
        ("torch slow", ask_torch, (False,)),
        ("torch fast", ask_torch, (True,)),
    )
    for case in CASES:
        print(f"\n{case.name}")
        for name, ask, more in checkers:
            said, seconds = timed(ask, case, point(case), *more)
            verdict = judged(case, said)
            rows.append(
                {"function": case.name, "checker": name, "verdict": verdict, "seconds": round(seconds, 4)}
            )
            print(f"  {name:<11} {seconds * 1e3:9.1f} ms  {verdict}")
    print()
    for name, _, _ in checkers:
        mine = [row for row in rows if row["checker"] == name]
        counts = {word: sum(row["verdict"].startswith(word) for row in mine)
                  for word in ("found", "MISSED", "FALSE ALARM", "not run")}  # fmt: skip
        print(f"{name:<11} " + ", ".join(f"{count} {word}" for word, count in counts.items()))
    return rows


def load(path):
    """Import a file of the tests."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def planted():
    """Print each planted bug and the first property that is broken; returns the rows."""
    files, rows = [load(TESTS / name) for name in ("planted.py", "kernels/planted_kernels.py")], []
    faults = [fault for file in files for fault in file.FAULTS]
    width = max(len(fault.name) for fault in faults)
    for fault in faults:
        with pytest.MonkeyPatch.context() as patch:
            files[0].plant(patch, fault)
            report, seconds = timed(fault.check)
        by = report.properties[0] if report.properties else "MISSED"
        rows.append(
            {"fault": fault.name, "where": fault.where, "caught by": by, "seconds": round(seconds, 3)}
        )
        print(f"{fault.name:<{width}}  {by:<22} {seconds:6.2f} s  {fault.where}", flush=True)
    print(f"\n{sum(row['caught by'] != 'MISSED' for row in rows)} of {len(rows)} planted bugs caught")
    return rows


def needle(runs=1000):
    """Print how often one wrong entry is found; returns the figures."""
    faulty = load(TESTS / "testing" / "faulty.py")
    found, evaluations = zip(*(faulty.needle(seed) for seed in range(runs)), strict=True)
    print(
        f"one entry of 4,096 wrong by 0.01 %: found in {sum(found):,} of {runs:,} runs "
        f"({sum(found) / runs:.2%}), with at most {max(evaluations)} evaluations each"
    )
    return {"runs": runs, "found": sum(found), "most evaluations": max(evaluations)}


PARTS = {"planted": planted, "needle": needle, "pytorch": pytorch}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (all)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    common.print_environment(common.environment())
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    figures = {}
    for name in options.parts or PARTS:
        print(f"\n=== {name}\n")
        figures[name] = PARTS[name]()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
