"""What a lesson uses of minigan, and the pages of the reference, which say so."""

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

ROOMS = {
    "tensor": "Tensors and operations", "autograd": "The walk back", "backend": "NumPy or CuPy",
    "modes": "Recording on and off", "errors": "Errors", "ops": "Operations", "nn": "Layers",
    "optim": "Optimisers",
    "function": "Functions of your own", "data": "Data", "gan": "GANs", "style": "Style transfer",
    "testing": "Gradient checks", "viz": "Pictures", "kernels": "Kernels", "serialization": "Saving",
    "utils": "PyTorch's loaders",
}  # fmt: skip


INSIDE = ("minigan.testing.cases", "minigan.kernels.cuda", "minigan.kernels.host")  # records, and array code


def modules() -> list[str]:
    """Return the dotted names of the documented modules, the rooms in the order of `ROOMS`."""
    found = []
    for room in ROOMS:
        module = importlib.import_module(f"minigan.{room}")
        found.append(module.__name__)
        if hasattr(module, "__path__"):
            inner = pkgutil.walk_packages(module.__path__, f"{module.__name__}.")
            found += sorted(info.name for info in inner if not info.name.startswith(INSIDE))
    return found


def used(path: Path) -> set[tuple[str, str]]:
    """Return (module, name) of every function and class of minigan that a file names."""
    tree, names, found = ast.parse(path.read_text(encoding="utf-8")), {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[(alias.asname or alias.name).split(".")[0]] = importlib.import_module(
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("minigan"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(module, alias.name):  # a module that nothing has loaded yet
                    importlib.import_module(f"{node.module}.{alias.name}")
                names[alias.asname or alias.name] = getattr(module, alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            thing = resolved(node, names)
            home = getattr(thing, "__module__", None) or ""
            name = getattr(thing, "__qualname__", "")
            if home.startswith("minigan") and name and not isinstance(thing, ModuleType) and "<" not in name:
                found.add((home, name))
    return found


def resolved(node: ast.expr, names: dict):
    """Return what a name or a chain of attributes stands for in minigan, or None."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(resolved(node.value, names), node.attr, None)
    return None


def write(folder: Path, uses: dict[str, set[tuple[str, str]]], titles: dict[str, str]) -> None:
    """Write a page for every package, its modules below one another, into `folder`, and their index.

    Args:
        folder: where to.
        uses: a lesson's name -> what `used` found in it.
        titles: a lesson's name -> its title.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages: dict[str, list[str]] = {}
    for name in modules():
        pages.setdefault(package(name), []).append(section(name, uses, titles))
    for name, sections in pages.items():
        (folder / f"{name}.md").write_text("\n".join([f"# {name}\n", *sections]), encoding="utf-8")
    index = [
        "# Reference\n",
        "Every function and class, from its docstring; each module names its lessons.\n",
    ]
    for room, words in ROOMS.items():
        inner = [name for name in pages if name == f"minigan.{room}" or name.startswith(f"minigan.{room}.")]
        index += [f"\n## {words}\n", "```{toctree}", ":maxdepth: 2\n", *inner, "```"]
    (folder / "index.md").write_text("\n".join(index) + "\n", encoding="utf-8")


def package(name: str) -> str:
    """Return the package that a module lies in: itself, if it is one or lies directly in minigan."""
    alone = hasattr(importlib.import_module(name), "__path__") or name.count(".") == 1
    return name if alone else name.rpartition(".")[0]


def section(name: str, uses: dict, titles: dict[str, str]) -> str:
    """Return the part of a page that documents a module and lists the lessons that use it."""
    things = vars(importlib.import_module(name)).items()
    own = [word for word, thing in things if getattr(thing, "__module__", "") == name and word[0] != "_"]
    lines = [f"## {name.removeprefix('minigan.')}\n", "```{eval-rst}", f".. automodule:: {name}"]
    lines += [f"   :members: {', '.join(own)}", "   :show-inheritance:"] if own else []
    lines.append("```\n")
    readers = [lesson for lesson in uses if any(home == name for home, _ in uses[lesson])]
    lines += ["**Lessons that use it:**\n"] if readers else []
    for lesson in readers:
        named = ", ".join(f"`{thing}`" for home, thing in sorted(uses[lesson]) if home == name)
        lines.append(f"* [{lesson[:2]}. {titles[lesson]}](../lessons/{lesson}): {named}")
    return "\n".join(lines) + "\n"


def opens(things: set[tuple[str, str]]) -> str:
    """Return the cell at the end of a lesson: what it opens, as links into the reference."""
    known = set(modules())
    links = [f"{{py:obj}}`{home}.{name}`" for home, name in sorted(things) if home in known]
    return "## What this lesson opens\n\n" + "\n".join(f"* {link}" for link in links)
