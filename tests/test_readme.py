"""The README is a front door: its two commands, where its links and the guide's lead, the version."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import minigan

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = ROOT / "examples" / "site" / "guide"


@pytest.mark.parametrize("name, last", [("main-job", "minigan"), ("tests", "pytest")])
def test_the_two_commands_are_one_line_each_and_bring_their_own_environment(name, last):
    (command,) = re.findall(rf"<!-- ci: {name} -->\n```sh\n([^\n]+)\n```", TEXT)
    first, *_, final = command.split(" && ")
    assert first.startswith("python3 -m venv .venv") and last in final
    said = [
        page for page in GUIDE.glob("*.md") if f"```sh\n{command}\n```" in page.read_text(encoding="utf-8")
    ]
    assert len(said) == 1  # the site, which has no README, says the same


def test_it_is_short_and_leads_to_every_page_of_the_guide():
    assert len(TEXT.splitlines()) < 150 and max(map(len, TEXT.splitlines())) < 150
    linked = set(re.findall(r"\]\(examples/site/guide/([\w-]+\.md)\)", TEXT))
    index = (GUIDE / "index.md").read_text(encoding="utf-8")
    there = {page.name for page in GUIDE.glob("*.md")} - {"index.md"}
    assert linked == there == set(re.findall(r"^\* \[.+\]\(([\w-]+\.md)\): .+\.$", index, re.M))
    assert there == {f"{name}.md" for name in index.split(":hidden:")[1].split("```")[0].split()}


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-") for words in headings}


PAGES = [ROOT / "README.md", *sorted(GUIDE.glob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(path):
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    for link in links:
        parts = urlsplit(link)
        target = (path.parent / parts.path).resolve()
        assert not parts.scheme and target.is_file(), link
        assert not parts.fragment or parts.fragment in anchors(target), link
    assert links or path.name != "README.md"


@pytest.mark.parametrize(
    "path", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda path: path.stem
)
def test_every_path_is_there(path):
    text = path.read_text(encoding="utf-8")
    named = set(
        re.findall(r"`((?:minigan|examples|tests|benchmarks|\.ci)/[\w./]*|[\w.]+\.(?:md|cff|toml))`", text)
    )
    assert len(named) >= {"README": 3, "CONTRIBUTING": 4, "read-it": 50}.get(path.stem, 0)
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing, f"{path.name} names {missing}"


def test_the_version_has_changes_and_is_the_one_to_cite():
    headings = re.findall(
        r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert headings[0] == minigan.__version__
    cited = dict(
        re.findall(r"^([\w-]+): (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), flags=re.M)
    )
    assert (cited["version"], cited["license"]) == (minigan.__version__, "MIT")
