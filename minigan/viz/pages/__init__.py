"""Pages that move: HTML, styles and plain scripts, put together into one file that needs nothing else.

``NAME.html`` names its styles and scripts in ``<!-- style: a.css -->`` and ``<!-- script: a.js b.js -->``;
data go in as JSON.  A content security policy lets only that script run, whatever the data say.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources import files
from typing import Any


def build(name: str, *, title: str, data: Any, body: str = "") -> str:
    """Return the page ``name`` with its title, its data (JSON values) and, where it has room, further HTML.

    ``title`` is escaped; ``body`` is taken as it is.
    """
    folder = files("minigan.viz.pages")

    def read(names: str) -> str:
        return "".join(folder.joinpath(one).read_text(encoding="utf-8") for one in names.split())

    page = folder.joinpath(f"{name}.html").read_text(encoding="utf-8")
    parts = re.split(r"<!-- (style|script|title|data|body|policy)(?:: ([\w. ]+))? -->", page)
    script = next(read(parts[k + 2]) for k in range(0, len(parts) - 1, 3) if parts[k + 1] == "script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; "
        f"form-action 'none'; script-src 'sha256-{digest}'"
    )
    found = [parts[0]]
    for k in range(1, len(parts), 3):
        kind, names, rest = parts[k : k + 3]
        if kind == "style":
            found.append(f"<style>{read(names)}</style>")
        elif kind == "script":
            found.append(f"<script>{script}</script>")
        elif kind == "data":
            found.append(f'<script type="application/json" id="data">{_json(data)}</script>')
        elif kind == "policy":
            found.append(f'<meta http-equiv="Content-Security-Policy" content="{policy}">')
        else:
            found.append(escape(title) if kind == "title" else body)
        found.append(rest)
    return "".join(found)


def _json(data: Any) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
