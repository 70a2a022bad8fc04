"""How near does a painting come to its style, at every scale; how long does it take, and how much memory?

Paints pairs of pictures at several sizes with ``minigan style``'s own defaults (or ``--set``), each in a
process of its own, writes every painting into a folder, and prints for each: Gram distances of the picture as
it is and shrunk 4 and 8 times (1: nothing but colours changed; 0: the style's own statistics), energy of the
highest band of frequencies and of the next (1: the style's), seconds, peak memory of the whole process and
shares of the loss. What the figures mean is in ``style_score.py``, where the pictures come from in
``style_scenes.py``.

``--judge`` paints nothing: it prints the figures of the files in the folder, whoever painted them, if their
names are CONTENT+STYLE-SIZE-INIT.png. ``--sheet`` draws content, style and paintings side by side, one folder
of paintings after another. ``--sizes-sheet`` draws the paintings of all sizes, one as large on the sheet as
another, and below each a piece of it pixel by pixel. ``--plot`` draws the shares of the loss over the sizes:
the same weights should mean the same at each.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import common
import style_scenes

PARTS = ("content", "style", "variation")
HEAD = ["picture", "seconds", "MB", "gram", "gram / 4", "gram / 8", "band 1", "band 2", *PARTS]


def paint(job):
    """Paint one picture in this process: {content, style, out, settings} -> what it took."""
    from minigan.data import save_image
    from minigan.style import transfer

    content, style = style_scenes.picture(job["content"]), style_scenes.picture(job["style"])
    result = transfer(content, style, **job["settings"])
    save_image(job["out"], result.picture, overwrite=True)
    return {
        "seconds": result.seconds,
        "forecast": result.forecast.seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,  # Linux counts kilobytes
        "forecast_megabytes": result.forecast.memory / 1e6,
        "shares": result.shares(),
    }


def elsewhere(job):
    """Paint in a fresh process, so that its peak memory is this picture's alone."""
    words = [sys.executable, __file__, "--job", json.dumps(job)]
    variables = common.worker_environment()
    done = subprocess.run(words, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def judged(path, content, style):
    """The figures of a painting: {"gram": {1, 4, 8}, "bands": [highest, ...]}."""
    import style_score

    from minigan.data import load_image

    return style_score.judge(load_image(path), style_scenes.picture(content), style_scenes.picture(style))


def row_of(name, found):
    """A line of the table."""
    took = [f"{found['seconds']:.0f}", f"{found['megabytes']:.0f}"] if "seconds" in found else ["", ""]
    figures = [f"{value:.2f}" for value in (*found["gram"].values(), *found["bands"][:2])]
    shares = [f"{found['shares'].get(part, 0):.0%}" if "shares" in found else "" for part in PARTS]
    return [name, *took, *figures, *shares]


def sheet(path, pairs, size, init, folders, height=192):
    """Content, style and the paintings in each folder, a row a pair; to ``path``. None are left out."""
    import numpy as np

    from minigan.data import load_image, resize, save_image

    def tile(picture):
        picture = resize(picture, height, max(round(height * picture.shape[2] / picture.shape[1]), 1))
        left = max((picture.shape[2] - height * 4 // 3) // 2, 0)
        picture = picture[:, :, left : left + height * 4 // 3]
        room = height * 4 // 3 - picture.shape[2]
        return np.pad(picture, ((0, 0), (0, 4), (room // 2, room - room // 2 + 4)), constant_values=1)

    rows = []
    for content, style in pairs:
        files = [Path(folder) / f"{name_of(content, style)}-{size}-{init}.png" for folder in folders]
        paintings = [load_image(file) for file in files if file.exists()]
        if len(paintings) == len(folders):
            both = [style_scenes.picture(content), style_scenes.picture(style)]
            rows.append(np.concatenate([tile(one) for one in (*both, *paintings)], 2))
    if rows:
        save_image(path, np.concatenate(rows, 1), overwrite=True)


def sizes_sheet(path, pairs, sizes, init, folder, side=256):
    """The paintings of all sizes, ``side`` pixels wide, a row a pair; below, their middles as they are."""
    import numpy as np

    from minigan.data import load_image, resize, save_image

    rows = []
    for content, style in pairs:
        files = [Path(folder) / f"{name_of(content, style)}-{size}-{init}.png" for size in sizes]
        if not all(file.exists() for file in files):
            continue
        paintings = [load_image(file) for file in files]
        height = round(side * paintings[0].shape[1] / paintings[0].shape[2])
        fitted = [resize(one, height, side) for one in paintings]
        pieces = []
        for one in paintings:
            top, left = ((n - part) // 2 for n, part in zip(one.shape[1:], (height, side), strict=True))
            pieces.append(one[:, max(top, 0) :, max(left, 0) :][:, :height, :side])
        for row in (fitted, pieces):
            framed = [
                np.pad(
                    one,
                    ((0, 0), (0, 4 + height - one.shape[1]), (0, 4 + side - one.shape[2])),
                    constant_values=1,
                )
                for one in row
            ]
            rows.append(np.concatenate(framed, 2))
    if rows:
        save_image(path, np.concatenate(rows, 1), overwrite=True)


def name_of(content, style):
    """How a painting's file begins."""
    return f"{Path(content).stem}+{Path(style).stem}"


def plot(path, results):
    """Draw the shares of the loss over the sizes: a line of dots for each pair and start."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    for axis, part in zip(figure.subplots(1, 3, sharey=True), PARTS, strict=True):
        lines = {}
        for found in results:
            key = f"{found['name']}, {found['init']}"
            lines.setdefault(key, []).append((found["size"], found["shares"].get(part, 0.0)))
        for name, points in lines.items():
            axis.plot(*zip(*sorted(points), strict=True), marker="o", label=name)
        axis.set(title=part, xlabel="pixels of the longer side", ylim=(0, 1))
        sizes = sorted({found["size"] for found in results})
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, list(map(str, sizes)))
    figure.axes[0].set_ylabel("share of the loss")
    figure.axes[0].legend(fontsize=6)
    figure.savefig(path, dpi=120)


def setting(word):
    """NAME=VALUE -> (name, value), the value as JSON where it is that."""
    name, equals, value = word.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {word!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def options():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join([*style_scenes.SCENES, *style_scenes.STYLES])
    files = (
        f"files, {names}, or names in MINIGAN_DATA/pictures; default: {len(style_scenes.OWN)} pairs of those"
    )
    parser.add_argument("--pair", nargs=2, action="append", metavar=("CONTENT", "STYLE"), help=files)
    parser.add_argument("--size", type=int, nargs="+", default=[256])
    parser.add_argument("--init", choices=("content", "noise"), nargs="+", default=["content"])
    parser.add_argument(
        "--set", type=setting, nargs="+", default=[], metavar="NAME=VALUE", help="of the painting"
    )
    parser.add_argument("--out", default="paintings", metavar="FOLDER")
    parser.add_argument("--judge", action="store_true", help="only the figures of what is in FOLDER")
    parser.add_argument(
        "--before", nargs="*", default=[], metavar="FOLDER", help="to stand before it on the sheet"
    )
    parser.add_argument("--sheet", metavar="FILE", help="content, style and paintings of the last size")
    parser.add_argument("--sizes-sheet", metavar="FILE", help="the paintings of all sizes, whole and in part")
    parser.add_argument("--json", metavar="FILE", help="write the results to this file")
    parser.add_argument("--plot", metavar="FILE", help="draw the shares of the loss over the sizes")
    parser.add_argument("--job", type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    """Paint all, print, and write what was asked for."""
    chosen = options()
    if chosen.job:
        return print(json.dumps(paint(chosen.job)))
    common.print_environment(common.environment())
    folder = Path(chosen.out)
    folder.mkdir(parents=True, exist_ok=True)
    pairs, rows, results = chosen.pair or style_scenes.OWN, [], []
    for content, style in pairs:
        for size in chosen.size:
            for init in chosen.init:
                out = folder / f"{name_of(content, style)}-{size}-{init}.png"
                job = {"content": content, "style": style, "out": str(out)}
                job["settings"] = {"size": size, "init": init, **dict(chosen.set)}
                if chosen.judge and not out.exists():
                    continue
                found = {"name": name_of(content, style), "size": size, "init": init}
                found |= {} if chosen.judge else elsewhere(job)
                found |= judged(out, content, style)
                results.append(found)
                rows.append(row_of(out.name, found))
                print(*rows[-1], flush=True)
    common.print_table(HEAD, rows)
    if chosen.json:
        common.write_json(chosen.json, results)
    if chosen.plot and not chosen.judge:
        plot(chosen.plot, results)
    if chosen.sheet:
        sheet(chosen.sheet, pairs, chosen.size[-1], chosen.init[-1], [*chosen.before, chosen.out])
    if chosen.sizes_sheet:
        sizes_sheet(chosen.sizes_sheet, pairs, chosen.size, chosen.init[-1], chosen.out)


if __name__ == "__main__":
    main()
