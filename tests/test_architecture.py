"""The house rules, held by reading the source: who imports whom, how long things are, what is documented."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "minigan"
# Definitions say what is true and know nothing of kernels, which say how it is made fast.
DEFINITIONS = {"backend", "modes", "tensor", "autograd", "ops", "nn", "optim"}
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
LONGEST_DEFINITION_FILE, LONGEST_DEFINITION_FUNCTION = 320, 40

# Files inside minigan/ops from left to right: a file may import those to its left. "conv" is the sub-package.
OPS_ORDER = """
operands shape broadcast choice arithmetic elementwise trigonometry half reduce linalg
activation steps windows patches conv pool resample norm noise loss creation select matrices
compare counting inplace placing members methods
""".split()
CORE = {"backend", "modes", "tensor", "autograd"}
# Which rooms a room may import from. Every room may import errors and itself; ops has its own, finer table.
MAY_IMPORT = {
    "errors": set(),
    "backend": set(),
    "modes": {"backend"},
    "tensor": {"backend", "modes"},
    "autograd": {"backend", "modes", "tensor"},
    "nn": CORE | {"ops", "optim"},  # nn.utils hands on optim's bounds on gradients
    "optim": {"backend", "modes", "tensor"},
    "kernels": CORE | {"ops", "optim"},  # for the classes they stand in for
    "backends": set(),
    "types": {"backend", "ops", "tensor"},
    "linalg": {"ops", "tensor"},
    "cuda": {"backend", "ops", "types"},
    "function": {"backend", "modes", "tensor"},
    "data": {"backend"},
    "utils": CORE | {"ops", "nn", "data"},  # nn for the generator that manual_seed sets
    "serialization": {"backend", "tensor", "data"},
    "testing": CORE | {"ops", "nn"},
    "viz": CORE | {"data"},  # for writing files all or nothing
    "gan": CORE | {"ops", "nn", "optim", "data"},
    "style": CORE | {"ops", "nn", "optim", "data"},
    "cli": CORE | {"ops", "nn", "optim", "kernels", "data", "testing", "viz", "gan", "style", ""},
    "__main__": {"cli"},
    # minigan/__init__.py itself, which loads the kernels by name, if they are there:
    "": CORE
    | {
        "backends",
        "types",
        "linalg",
        "cuda",
        "function",
        "ops",
        "nn",
        "optim",
        "data",
        "gan",
        "style",
        "viz",
        "testing",
    },
}


@cache
def sources() -> dict[str, Path]:
    """Every file of the package by the dotted name it is imported under."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(module: str, path: Path) -> set[str]:
    """Every module an import anywhere in the file names; `from a import b` is a.b where that is a module."""
    names = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*anchor, base] if base else anchor)
            inner = {f"{base}.{alias.name}" for alias in node.names}
            modules = inner & sources().keys()
            names |= modules if len(modules) == len(inner) else modules | {base}
    return names


@cache
def graph() -> dict[str, set[str]]:
    """Module -> minigan modules it imports."""
    return {
        module: {name for name in imported(module, path) if name in sources()} - {module}
        for module, path in sources().items()
    }


def room(module: str) -> str:
    return (module.split(".") + [""])[1]


def ops_may_import(module: str, target: str) -> bool:
    """Say whether `module`, somewhere in minigan.ops, may import `target`.

    Inside ops/conv the sizes and the definition work on raw arrays: they see no Tensor.
    """
    conv = "minigan.ops.conv"
    raw = module in (f"{conv}.spec", f"{conv}.definition", "minigan.ops.windows")
    if room(target) != "ops":
        return room(target) in ({"backend"} if raw else CORE)
    if module == "minigan.ops" or module.startswith(conv) and target.startswith(conv):
        return True
    here, there = module.split(".")[2], target.split(".")[2]
    return OPS_ORDER.index(there) < OPS_ORDER.index(here)


def allowed(module: str, target: str) -> bool:
    here, there = room(module), room(target)
    if there == "errors":
        return True
    if here == "ops":
        return ops_may_import(module, target)
    if module.startswith("minigan.testing.cases."):  # records see what they describe; the checker does not
        return there in {*MAY_IMPORT["testing"], "testing", "gan", "style"}
    return there == here or there in MAY_IMPORT[here]


def test_every_file_lives_in_a_room_of_the_table():
    for module in sources():
        assert room(module) in {*MAY_IMPORT, "ops"}, f"{module}: no such room in the plan"
        if room(module) == "ops" and module != "minigan.ops":
            assert module.split(".")[2] in OPS_ORDER, f"{module}: no place in the order of ops"


def test_imports_follow_the_table():
    wrong = [f"{a} imports {b}" for a, targets in graph().items() for b in targets if not allowed(a, b)]
    assert not wrong, "\n".join(wrong)


def test_no_definition_knows_of_kernels():
    """Nor any room above, but the command line: deleting minigan/kernels leaves all of them working."""
    knowing = [module for module, targets in graph().items() if any(room(t) == "kernels" for t in targets)]
    assert {room(module) for module in knowing} <= {"kernels", "cli"}, knowing


# What a definition has no business with; "this thread" is where recording is on or off.
FORBIDDEN = re.compile(
    r"(?<!this )\bthread(?!ing\.local|ing$)|\bblas\b|cuda(?!_array_interface|1)|memory.order|channels.last|"
    r"contiguous|parallel|\bcores?\b|is_available|milliseconds|\bms\b",
    re.IGNORECASE,
)
# PyTorch's own words for a device, which its programs use: the method, and the name to translate.
FACE = re.compile(r"\bdef cuda\(|\"cuda(:0)?\"|from minigan\.nn\.parallel|DataParallel|init, parallel, utils")
NAMES_OF_PYTORCH = ("minigan.ops.methods", "minigan.ops.members", "minigan.nn.parallel")
FORKS = {"ops": "is_grad_enabled", "nn": "is_grad_enabled", "optim": "is_grad_enabled"}


def test_no_definition_speaks_of_threads_blas_cuda_or_the_order_of_memory():
    """But backend.py, the switch itself, and Tensor's methods and their table, which have PyTorch's names."""
    found = []
    for module, path in sources().items():
        if room(module) in DEFINITIONS - {"backend"} and module not in NAMES_OF_PYTORCH:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                words = FORBIDDEN.search(FACE.sub("", line))
                found += [f"{path.relative_to(ROOT)}:{number}: {line.strip()}"] if words else []
    assert not found, "\n".join(found)


def test_no_operation_asks_whether_it_is_recorded_or_where_it_is():
    """`to_array` and what works in place may: they refuse to lose a gradient."""
    for module, path in sources().items():
        if room(module) in FORKS and module not in (*NAMES_OF_PYTORCH, "minigan.ops.inplace"):
            names = {node.id for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name)}
            names |= {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
            asked = names & {"is_grad_enabled", "recording", "available", "flags"}
            assert not asked, f"{path.relative_to(ROOT)} asks for {asked}"


def test_no_import_cycles():
    done, path = set(), []

    def visit(module):
        assert module not in path, "cycle: " + " -> ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for target in sorted(graph()[module]):
            visit(target)
        done.add(path.pop())

    for module in graph():
        visit(module)


def test_gan_and_style_never_import_each_other_even_by_way_of_others():
    def reach(start):
        seen, todo = set(), [start]
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo += graph()[module]
        return {room(module) for module in seen}

    for module in graph():
        if room(module) in ("gan", "style"):
            assert {"gan", "style"} - reach(module), f"{module} reaches both gan and style"


@pytest.mark.parametrize(
    "library, where", [("cupy", {"minigan.backend"}), ("hypothesis", {"minigan.testing"})]
)
def test_only_one_place_imports(library, where):
    users = {
        module
        for module, path in sources().items()
        if any(
            name.split(".")[0] == library or name.startswith(f"{library}x.")
            for name in imported(module, path)
        )
    }
    strangers = {
        user for user in users if not any(user == home or user.startswith(f"{home}.") for home in where)
    }
    assert not strangers, f"{library} is imported in {sorted(strangers)}"


def python_files() -> list[Path]:
    folders = ("minigan", "tests", "benchmarks", "examples")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def docstring_lines(node) -> int:
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return node.body[0].end_lineno - node.body[0].lineno + 1


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTION)


def is_definition(path: Path) -> bool:
    return PACKAGE in path.parents and path.relative_to(PACKAGE).parts[0].removesuffix(".py") in DEFINITIONS


def test_files_are_short():
    for path in [*python_files(), *PACKAGE.rglob("*.cu")]:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        most = LONGEST_DEFINITION_FILE if is_definition(path) else LONGEST_FILE
        assert lines <= most, f"{path.relative_to(ROOT)}: {lines} lines, more than {most}"


def test_functions_are_short():
    for path in python_files():
        most = LONGEST_DEFINITION_FUNCTION if is_definition(path) else LONGEST_FUNCTION
        for node in ast.walk(tree_of(path)):
            if isinstance(node, FUNCTION) and node.end_lineno - node.lineno >= most:
                inside = sum(
                    docstring_lines(child) for child in ast.walk(node) if isinstance(child, DOCUMENTED)
                )
                lines = node.end_lineno - node.lineno + 1 - inside
                where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                assert lines <= most, f"{where}: {lines} lines, more than {most}"


@cache
def classes() -> dict[str, list[ast.ClassDef]]:
    """Every class of the package by its bare name."""
    found: dict[str, list[ast.ClassDef]] = {}
    for path in sources().values():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(node)
    return found


def bare(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")


def inherits_docstring(klass: ast.ClassDef, method: str) -> bool:
    """True when some ancestor in the package documents the method of that name."""
    for base in klass.bases:
        for ancestor in classes().get(bare(base), []):
            own = [node for node in ancestor.body if isinstance(node, FUNCTION) and node.name == method]
            if any(ast.get_docstring(node) for node in own) or inherits_docstring(ancestor, method):
                return True
    return False


def undocumented(node: ast.Module | ast.ClassDef, prefix: str):
    """Names of public classes, functions and methods under `node` without a docstring."""
    for child in node.body:
        if not isinstance(child, (ast.ClassDef, *FUNCTION)) or child.name.startswith("_"):
            continue
        in_class = isinstance(node, ast.ClassDef)
        setter = any(
            isinstance(mark, ast.Attribute) and mark.attr == "setter" for mark in child.decorator_list
        )
        overload = any(bare(mark) == "overload" for mark in child.decorator_list)
        inherited = in_class and isinstance(child, FUNCTION) and inherits_docstring(node, child.name)
        if not (ast.get_docstring(child) or setter or overload or inherited):
            yield f"{prefix}.{child.name}"
        if isinstance(child, ast.ClassDef):
            yield from undocumented(child, f"{prefix}.{child.name}")


def test_public_things_have_docstrings():
    missing = [module for module, path in sources().items() if not ast.get_docstring(tree_of(path))]
    for module, path in sources().items():
        missing += undocumented(tree_of(path), module)
    assert not missing, "no docstring: " + ", ".join(missing)


def test_importing_minigan_is_light():
    code = (
        "import sys, json, minigan; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"cupy", "scipy", "matplotlib", "PIL", "tqdm", "hypothesis", "torch"} & set(
        json.loads(answer.stdout)
    )
    assert not heavy, f"import minigan loads {sorted(heavy)}"


# What a Generator is made with; everything else in numpy.random draws from hidden global state.
RANDOM_NAMES = {"Generator", "default_rng", "PCG64", "Philox", "SeedSequence", "BitGenerator"}


def test_no_global_random_state():
    for path in python_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                assert node.attr in RANDOM_NAMES, f"{where}: np.random.{node.attr} draws from global state"
            if isinstance(node, (ast.Import, ast.ImportFrom)) and PACKAGE in path.parents:
                names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
                assert "random" not in names, (
                    f"{path}:{node.lineno}: use a numpy Generator, not the random module"
                )


def test_no_machine_paths():
    words = ["/" + word + "/" for word in ("work", "root", "home", "Users", "tmp")]  # this file is read too
    suffixes = {".py", ".md", ".toml", ".cu", ".sh", ""}
    folders = [ROOT / name for name in ("minigan", "tests", "benchmarks", "examples", ".ci", "docs")]
    files = [
        path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix in suffixes
    ]
    files = [path for path in files if "__pycache__" not in path.parts]
    for path in [*files, *ROOT.glob("*.md"), ROOT / "CITATION.cff", ROOT / "pyproject.toml"]:
        text = path.read_text(encoding="utf-8")
        found = [word for word in words if word in text]
        assert not found, f"{path.relative_to(ROOT)}: machine path {found[0]}"
