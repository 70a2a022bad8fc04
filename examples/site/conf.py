"""Sphinx's settings for the site; examples/site/build.py gathers the pages that they are used on."""

import re

import minigan

project = "minigan"
author = "minigan contributors"
copyright = author  # noqa: A001  Sphinx's name for it
release = version = minigan.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["notebooks"]
default_role = "code"
nb_execution_mode = "off"  # notebooks.py has run the lessons
nb_merge_streams = True
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_use_rtype = False
napoleon_use_ivar = True
toc_object_entries = False

html_theme = "furo"
html_title = "minigan"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # it would be fetched, which a page from file:// may not do
pygments_style, pygments_dark_style = "friendly", "monokai"
html_theme_options = {"navigation_with_keys": True}


MARKUP = re.compile(r"(``.+?``|`[^`]+`)", re.S)


def plain_to_rst(lines):
    """Rewrite, in place, a docstring in plain English as reStructuredText; indented text stays as it is."""
    out = []
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        rows = paragraph.split("\n")
        indents = {len(row) - len(row.lstrip()) for row in rows}
        special = re.match(r"\s*(:[\w ]+.*:|\.\. |[*-] |\d+\. |>>>)", rows[0])
        if not special and (len(indents) > 1 or min(indents) >= 2):
            out += ["::", "", *(f"   {row}" for row in rows), ""]
            continue
        parts = MARKUP.split(paragraph)
        parts[::2] = [re.sub(r"\*(?! )|(?<!^)(?<!\n)\*|\||_\b|`", r"\\\g<0>", part) for part in parts[::2]]
        parts[2::2] = ["\\ " * part[:1].isalnum() + part for part in parts[2::2]]
        out += [*"".join(parts).split("\n"), ""]
    lines[:] = out


def setup(app):
    """Let every docstring pass through `plain_to_rst`, after napoleon has seen it."""
    app.connect("autodoc-process-docstring", lambda *event: plain_to_rst(event[-1]), priority=900)
