"""A report in one HTML file: everything is inside it, so it can be mailed, and opens without a network."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Sequence
from html import escape

import numpy as np

from minigan.data.arrays import replace_file
from minigan.errors import ShapeError
from minigan.viz.grid import LIMIT, png_bytes

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222 }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 } figure { margin: 1rem 0 } figcaption, .slider output { color: #555 }
img { max-width: 100%; image-rendering: pixelated } img.smooth { image-rendering: auto }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ccc }
th { text-align: left } td.number { text-align: right; font-variant-numeric: tabular-nums }
p.good, p.bad { border-left: 4px solid #2a9d5c; padding: .25rem .75rem; background: #f1f9f4 }
p.bad { border-color: #d1495b; background: #fdf1f2 }
pre { background: #f4f4f4; padding: .75rem; overflow-x: auto } summary { cursor: pointer; color: #0072b2 }
.slider input { display: block; width: 100%; max-width: 40rem }
"""
_SCRIPT = """
for (const box of document.querySelectorAll('.slider')) {
  const [bar, text] = [box.querySelector('input'), box.querySelector('output')];
  const frames = box.querySelectorAll('img');
  const show = () => frames.forEach((frame, i) => {
    frame.hidden = i != bar.value;
    if (!frame.hidden) text.textContent = frame.alt;
  });
  bar.addEventListener('input', show);
  show();
}
"""


class Report:
    """Collect headings, text, tables and pictures in order, then write them as one page."""

    def __init__(self, title: str):
        self.title = title
        self._parts: list[str] = []

    def heading(self, text: str) -> Report:
        """Add a heading; returns the report, as all of these do."""
        return self._add(f"<h2>{escape(text)}</h2>")

    def text(self, text: str, *, kind: str = "") -> Report:
        """Add a paragraph of plain text; ``kind`` "good" or "bad" marks it as a verdict."""
        return self._add(f"<p{f' class={kind}' if kind else ''}>{escape(text)}</p>")

    def code(self, text: str) -> Report:
        """Add lines to be typed."""
        return self._add(f"<pre>{escape(text)}</pre>")

    def details(self, summary: str, fill: Callable[[], object]) -> Report:
        """Fold away what ``fill()`` adds to this report; a click on ``summary`` opens it."""
        self._add(f"<details><summary>{escape(summary)}</summary>")
        fill()
        return self._add("</details>")

    def table(self, rows: Iterable[Sequence[object]], headers: Sequence[str] = ()) -> Report:
        """Add a table; numbers stand at the right, floats with four digits."""
        head = "<thead><tr>" + "".join(f"<th>{escape(name)}</th>" for name in headers) + "</tr></thead>"
        body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>\n" for row in rows)
        return self._add(f"<table>{head if headers else ''}<tbody>\n{body}</tbody></table>")

    def image(self, picture: np.ndarray | bytes, caption: str = "") -> Report:
        """Add a picture: pixels, uint8 (H, W, 1 or 3), or the bytes of a PNG, GIF or WebP file."""
        image = _img(picture, caption, smooth=isinstance(picture, bytes))
        return self._add(f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>")

    def svg(self, svg: str, caption: str = "") -> Report:
        """Add a drawing from :func:`minigan.viz.graph_svg`."""
        return self.image(_bytes(svg), caption)

    def slider(self, frames: Sequence[np.ndarray | bytes], captions: Sequence[str]) -> Report:
        """Add pictures over time with a slider to move through them; it starts at the last."""
        if not len(frames) or len(frames) != len(captions):
            raise ShapeError(
                f"report: expected as many captions as frames, at least one, "
                f"got {len(captions)} and {len(frames)}"
            )
        last = len(frames) - 1
        # Without scripts the last frame still shows.
        images = "".join(
            _img(frame, caption, hidden=i < last)
            for i, (frame, caption) in enumerate(zip(frames, captions, strict=True))
        )
        bar = f'<input type="range" min="0" max="{last}" value="{last}" aria-label="frame">'
        return self._add(f'<div class="slider">{images}{bar}<output>{escape(captions[-1])}</output></div>')

    def _add(self, part: str) -> Report:
        self._parts.append(part)
        return self

    def html(self) -> str:
        """Return the page."""
        title = escape(self.title)
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
            '<meta name="viewport" content="width=device-width">\n'
            f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
            + "\n".join(self._parts)
            + f"\n<script>{_SCRIPT}</script></body></html>\n"
        )

    def write(self, path: str | os.PathLike) -> None:
        """Write the page to a file, replacing an older one at once."""
        content = _bytes(self.html())
        with replace_file(path, needed=len(content)) as file:
            file.write(content)


def _bytes(text: str) -> bytes:
    """UTF-8; what it cannot hold (file names in another encoding) is shown as \\udcff or alike."""
    return text.encode("utf-8", "backslashreplace")


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return f"<td>{escape(str(value))}</td>"
    text = f"{value:,}" if isinstance(value, int | np.integer) else f"{value:.4g}"
    return f'<td class="number">{text}</td>'


def _img(picture: np.ndarray | bytes, caption: str, *, smooth: bool = False, hidden: bool = False) -> str:
    content = picture if isinstance(picture, bytes) else png_bytes(picture, limit=LIMIT)
    data = base64.b64encode(content).decode()
    return (
        f'<img src="data:{_kind(content)};base64,{data}" alt="{escape(caption)}"'
        f"{' class=smooth' if smooth else ''}{' hidden' if hidden else ''}>"
    )


def _kind(content: bytes) -> str:
    kinds = {b"\x89PNG": "image/png", b"GIF8": "image/gif", b"RIFF": "image/webp", b"<svg": "image/svg+xml"}
    kind = kinds.get(content[:4])
    if kind is None:
        raise ShapeError(f"report: expected a PNG, GIF, WebP or SVG picture, got {content[:8]!r}...")
    return kind
