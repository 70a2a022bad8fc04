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


def plain_to_rst(lines):
    """Rewrite, in place, a docstring in plain English with indented blocks as reStructuredText."""
    in_block, before = False, ""
    out = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if in_block and line.strip() and indent == 0:
            in_block = False
        field = re.match(r"\s*:\w+.*:", before) or re.match(r"\s*[.*-]", line)
        if not in_block and indent >= 2 and out and not out[-1].strip() and not field:
            in_block = True
            out += ["::", ""]
        if not in_block:
            parts = re.split(r"(``.*?``|`[^`]*`(?:__?)?|:[\w-]+:`[^`]*`)", line)
            parts[::2] = [re.sub(r"(?<!^)([*|]|_\b)", r"\\\1", part) for part in parts[::2]]
            line = "".join(parts)
        out.append(line)
        before = line if line.strip() else before
    lines[:] = out


def setup(app):
    """Let every docstring pass through `plain_to_rst`, after napoleon has seen it."""
    app.connect("autodoc-process-docstring", lambda *event: plain_to_rst(event[-1]), priority=900)
