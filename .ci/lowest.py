"""Print the lowest versions that pyproject.toml declares, one `name==version` a line, as pip reads them.

    python .ci/lowest.py > lowest.txt && pip install -r lowest.txt

They are those of what builds minigan, of minigan itself and of its `test` extra. A requirement that has none
ends this with exit code 1.
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def lowest(requirement: str) -> str:
    """`name==version` of `name>=version` or `name==version`, with the marker that may follow a `;`."""
    found = re.fullmatch(r"([\w.-]+(?:\[[\w,]+\])?)(?:>=|==)([\d.]+)(\s*;.*)?", requirement.strip())
    if not found:
        raise ValueError(f"{requirement!r} declares no lowest version: expected name>=version")
    name, version, marker = found.groups()
    return f"{name}=={version}{marker or ''}"


def requirements() -> list[str]:
    """What building, using and testing minigan needs, as declared."""
    declared = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    project = declared["project"]
    return [
        *declared["build-system"]["requires"],
        *project["dependencies"],
        *project["optional-dependencies"]["test"],
    ]


if __name__ == "__main__":
    try:
        print("\n".join(map(lowest, requirements())))
    except ValueError as error:
        sys.exit(f"pyproject.toml: {error}")
