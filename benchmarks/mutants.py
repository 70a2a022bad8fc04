"""Change the library one place at a time and see whether its tests notice: ``python benchmarks/mutants.py``.

A mutant is one edit of one file: an operator swapped (+ for -, < for <=, and for or), a number moved by
one, a sign dropped, a condition inverted, a returned gradient lost.  It is written into a copy of the
checkout, where the tests of that room run until the first failure, as many at a time as there are cores or,
with --dask, as the workers of a cluster have threads.  Killed: a test failed (or hung).
Survived: nobody noticed; the table lists every survivor, to be explained or killed by a better test.

    python benchmarks/mutants.py --only ops/arithmetic.py --sample 40
"""

import argparse
import ast
import copy
import hashlib
import importlib
import io
import json
import os
import random
import re
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import common
from tqdm import tqdm

from minigan.cli import workers
from minigan.data.arrays import replace_file
from minigan.data.download import cache_folder
from minigan.errors import MiniganError

ROOT = Path(__file__).resolve().parent.parent
ALL_OPS = "tests/test_all_ops.py"
# Room -> the tests that must notice; {stem} is the mutated file's name.
TESTS = {
    "kernels/conv/cuda_im2col.py": ["tests/kernels/cuda"],
    "kernels/conv/": ["tests/kernels/conv", ALL_OPS],
    "kernels/": ["tests/kernels", ALL_OPS],
    "ops/": [ALL_OPS, "tests/ops/test_{stem}.py", "tests/nn/test_layers.py"],
    "tensor.py": [
        "tests/test_tensor.py",
        "tests/test_backend.py",
        "tests/test_autograd.py",
        "tests/testing/test_graphs.py",
        "tests/test_checker.py",
    ],
    "autograd.py": ["tests/test_autograd.py", "tests/testing/test_graphs.py", "tests/test_checker.py"],
    "gan/losses.py": ["tests/gan/test_losses.py"],
    "gan/penalties.py": ["tests/gan/test_penalties.py"],
    "optim/": ["tests/optim"],
    "testing/": ["tests/testing", "tests/test_checker.py"],
}
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt,
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def edits(node):
    """Yield (what, change) for each mutation of one node; `change(copy of node)` returns its replacement."""
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in SWAPS:
        swap = SWAPS[type(node.op)]
        yield f"{type(node.op).__name__} -> {swap.__name__}", lambda n: _set(n, "op", swap())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        swap = SWAPS[type(node.ops[0])]
        yield (
            f"{type(node.ops[0]).__name__} -> {swap.__name__}",
            lambda n: _set(n, "ops", [swap(), *n.ops[1:]]),
        )
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield f"drop {type(node.op).__name__}", lambda n: n.operand
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield f"{node.value} -> {not node.value}", lambda n: _set(n, "value", not n.value)
        elif isinstance(node.value, (int, float)):
            yield f"{node.value} -> {node.value + 1}", lambda n: _set(n, "value", n.value + 1)
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield "invert the condition", lambda n: _set(n, "test", ast.UnaryOp(ast.Not(), n.test))
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        lost = ast.Constant(None)
        yield (
            "lose the first of a tuple",
            lambda n: _set(n, "value", ast.Tuple([lost, *n.value.elts[1:]], ast.Load())),
        )
    if isinstance(node, ast.AugAssign):
        yield "assign instead of adding", lambda n: ast.Assign([n.target], n.value)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "drop the call", lambda n: ast.Pass()


def _set(node, name, value):
    setattr(node, name, value)
    return node


def mutants(source):
    """Every (line, what, mutated source) of a file; docstrings, messages and annotations are left alone."""
    tree = ast.parse(source)
    for index, node in enumerate(ast.walk(tree)):
        if not hasattr(node, "lineno") or _idle(tree, node):
            continue
        for number, (what, _) in enumerate(edits(node)):
            other = copy.deepcopy(tree)
            twin = list(ast.walk(other))[index]
            change = list(edits(twin))[number][1]
            yield node.lineno, what, ast.unparse(ast.fix_missing_locations(_replace(other, twin, change)))


def _replace(tree, target, change):
    class Replace(ast.NodeTransformer):
        def visit(self, node):
            return ast.copy_location(change(node), node) if node is target else self.generic_visit(node)

    return Replace().visit(tree)


def _idle(tree, node):
    """Whether a node cannot change what is computed.

    The wording of an error, an annotation, a constant at the top.
    """
    if not hasattr(tree, "idle"):
        tree.idle = set()
        for parent in ast.walk(tree):
            if isinstance(parent, ast.Raise) or isinstance(parent, ast.JoinedStr):
                tree.idle |= {id(child) for child in ast.walk(parent)}
            for part in (getattr(parent, "annotation", None), getattr(parent, "returns", None)):
                tree.idle |= {id(child) for child in ast.walk(part)} if part is not None else set()
    return id(node) in tree.idle


def tests_for(path):
    """The test files of this room that exist."""
    for prefix, tests in TESTS.items():
        if path.startswith(prefix):
            found = [test.format(stem=Path(path).stem) for test in tests]
            return [test for test in found if (ROOT / test).exists()]
    return []


def files(only, skip=()):
    """Files of the rooms above, those whose path starts with `only` and with none of `skip`."""
    paths = [str(p.relative_to(ROOT / "minigan")) for p in sorted((ROOT / "minigan").rglob("*.py"))]
    return [
        p
        for p in paths
        if tests_for(p)
        and p.startswith(only)
        and not p.endswith("__init__.py")
        and not p.startswith(("testing/cases/", *skip))  # what the tests draw: tests themselves
    ]


def own_cases(path):
    """A pytest expression for the cases of minigan/testing/cases/<name of the file>.py.

    "" if there are none.
    """
    stem = Path(path).parts[1].removesuffix(".py") if path.startswith("ops/") else ""
    if not (ROOT / "minigan" / "testing" / "cases" / f"{stem}.py").exists():
        return ""
    cases = importlib.import_module(f"minigan.testing.cases.{stem}").CASES
    names = [case.name.replace(" ", "-") for case in cases]
    return " or ".join(f"[{name}]" for name in names if re.fullmatch(r"[\w-]+", name))


def alive(checkout, path, mutated, own, tests, limit):
    """Whether all tests pass on the mutant, in a copy of its own; a hang counts as noticed.

    ``checkout`` is the packed checkout, or its name in the cache folder of a machine far away.
    """
    if isinstance(checkout, str):
        checkout = (cache_folder() / checkout).read_bytes()
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, **workers.ONE_THREAD, "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        unpacked(checkout, folder)
        Path(folder, "minigan", path).write_text(mutated, encoding="utf-8")
        for selection in [[ALL_OPS, "-k", own]] * bool(own) + [tests]:  # the operation's own cases first
            with workers.started(
                [*command, *selection], cwd=folder, env=environment, stderr=subprocess.DEVNULL
            ) as run:
                resource.prlimit(run.pid, resource.RLIMIT_CPU, (limit, limit))
                run.communicate()
            if run.returncode != 0:
                return False
    return True


def packed():
    """The checkout as the bytes of a tar file, without what no test reads."""
    buffer = io.BytesIO()
    skip = re.compile(r"(^|/)(\.git|\..*_cache|\.venv.*|__pycache__|runs|\.hypothesis|dist|\.lab)(/|$)")
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        archive.add(ROOT, ".", filter=lambda entry: None if skip.search(entry.name) else entry)
    return buffer.getvalue()


def unpacked(checkout, folder):
    """Lay the packed checkout into a folder."""
    with tarfile.open(fileobj=io.BytesIO(checkout)) as archive:
        archive.extractall(folder, filter="data")


def planned(options):
    """File -> the mutants of it to try: all, so many a file, or so many of all."""
    plan = {
        path: list(mutants((ROOT / "minigan" / path).read_text(encoding="utf-8")))
        for path in files(options.only, options.skip)
    }
    draw = random.Random(options.seed)
    if options.sample:
        return {path: draw.sample(found, min(options.sample, len(found))) for path, found in plan.items()}
    if options.total:
        every = [(path, mutant) for path, found in plan.items() for mutant in found]
        chosen = sorted(draw.sample(every, min(options.total, len(every))))
        return {path: [m for p, m in chosen if p == path] for path in dict.fromkeys(p for p, _ in chosen)}
    return plan


def refuse_failing_tests(checkout, plan, pool):
    """Tests that fail on the library as it is would kill every mutant."""
    path = next(iter(plan))
    source = (ROOT / "minigan" / path).read_text(encoding="utf-8")
    tests = sorted({test for path in plan for test in tests_for(path)})
    if not pool.submit(alive, checkout, path, source, "", tests, 10**6).result():
        sys.exit("the tests must pass before mutants can fail them")


def run(plan, known, checkout, pool, options, keep):
    """Try every mutant that is not known and hand each row to ``keep`` as it comes."""
    tasks, rows = {}, {}
    for path, found in plan.items():
        own, tests = own_cases(path), tests_for(path)
        for line, what, mutated in found:
            digest = hashlib.sha256(f"{path} {mutated}".encode()).hexdigest()[:16]
            if digest not in known:
                tasks[digest] = (checkout, path, mutated, own, tests, options.limit)
                rows[digest] = {"file": path, "line": line, "edit": what}
    if not tasks:
        return
    refuse_failing_tests(checkout, plan, pool)
    with tqdm(total=len(tasks), unit="mutant", disable=not sys.stderr.isatty()) as bar:
        for digest, survived, failure in workers.finished(pool, alive, tasks):
            if failure:
                sys.exit(f"a mutant of {rows[digest]['file']} could not be tried: {failure}")
            keep({**rows[digest], "survived": survived, "digest": digest})
            bar.update()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="PATH", help="files under minigan/ that start so")
    parser.add_argument("--skip", nargs="+", default=[], metavar="PATH", help="but not those that start so")
    parser.add_argument(
        "--sample", type=int, default=0, metavar="N", help="N mutants a file, drawn at random (all)"
    )
    parser.add_argument(
        "--total",
        type=int,
        default=0,
        metavar="N",
        help="N mutants of all files together, each equally likely",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument(
        "--limit", type=int, default=300, help="processor seconds after which the tests count as hung"
    )
    parser.add_argument(
        "--json",
        type=Path,
        help="write every mutant and its fate here; those already there are not run again",
    )
    parser.add_argument("--jobs", type=int, help="mutants at a time; default: one a core")
    parser.add_argument("--dask", metavar="ADDRESS", help="let the workers of this Dask scheduler try them")
    options = parser.parse_args()
    common.print_environment(common.environment())
    rows = []
    if options.json and options.json.exists():
        rows = json.loads(options.json.read_text(encoding="utf-8"))

    def keep(row):
        rows.append(row)
        if row["survived"]:
            print(f"  survived  {row['file']}:{row['line']}  {row['edit']}", flush=True)
        if options.json:
            with replace_file(options.json) as file:
                file.write(json.dumps(rows, indent=1).encode() + b"\n")

    plan = planned(options)
    begin = time.perf_counter()
    checkout = packed()
    carry, name = {}, "mutants-checkout.tar.gz"
    if options.dask:
        carry, checkout = {name: checkout}, name
    try:
        with workers.crew(options.jobs, options.dask, carry) as pool:
            run(plan, {row["digest"] for row in rows}, checkout, pool, options, keep)
    except MiniganError as error:
        sys.exit(f"mutants: {error}")
    for path in plan:
        mine = [row["survived"] for row in rows if row["file"] == path]
        print(f"{path}: {mine.count(False)} of {len(mine)} killed")
    killed = sum(not row["survived"] for row in rows) / max(len(rows), 1)
    print(f"{len(rows)} mutants, {killed:.1%} killed, {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
