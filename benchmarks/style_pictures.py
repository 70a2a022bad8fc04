"""How long does a painting take, how much memory at its peak, and what does it look like?

Paints pairs of pictures at several sizes, from the content and from noise, with ``minigan style``'s own
defaults, each in a process of its own; writes every picture, beside its content and style, into a folder and
prints a table of seconds, peak memory of the whole process and shares of the loss. ``--plot`` draws those
shares over the sizes: the same weights should mean the same at each.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import common

OWN = (("hopper", "night"), ("hopper", "strokes"))  # pictures that travel with minigan and matplotlib
PARTS = ("content", "style", "variation")


def picture(name):
    """A picture (3, H, W) in [0, 1]: a file, or one of hopper, night, strokes."""
    import numpy as np
    from matplotlib.cbook import get_sample_data

    from minigan.data import load_image
    from minigan.data.demo_style import paint_demo_style
    from minigan.data.textures import paint_texture

    if name == "night":
        return paint_demo_style(512)
    if name == "strokes":
        return paint_texture(np.random.default_rng(3), 512, family="flowing strokes", scale=2).picture
    return load_image(str(get_sample_data("grace_hopper.jpg", asfileobj=False)) if name == "hopper" else name)


def paint(job):
    """Paint one picture in this process: {content, style, size, init, seed, out} -> what it took."""
    import numpy as np

    from minigan.data import resize, save_image
    from minigan.style import transfer

    content, style = picture(job["content"]), picture(job["style"])
    settings = {key: job[key] for key in ("size", "init", "seed")}
    result = transfer(content, style, **settings)
    height, width = result.picture.shape[1:]
    beside = resize(style, height, max(round(style.shape[2] * height / style.shape[1]), 1))
    row = np.concatenate([resize(content, height, width), beside, result.picture], axis=2)
    save_image(job["out"], row, overwrite=True)
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


def main():
    """Paint all, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    files = "picture files, or hopper, night, strokes; default: two pairs of those"
    parser.add_argument("--pair", nargs=2, action="append", metavar=("CONTENT", "STYLE"), help=files)
    parser.add_argument("--size", type=int, nargs="+", default=[256])
    parser.add_argument("--init", choices=("content", "noise"), nargs="+", default=["content", "noise"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="paintings", metavar="FOLDER")
    parser.add_argument("--json", metavar="FILE", help="write the results to this file")
    parser.add_argument("--plot", metavar="FILE", help="draw the shares of the loss over the sizes")
    parser.add_argument("--job", type=json.loads, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.job:
        return print(json.dumps(paint(chosen.job)))
    common.print_environment(common.environment())
    Path(chosen.out).mkdir(parents=True, exist_ok=True)
    rows, results = [], []
    for content, style in chosen.pair or OWN:
        for size in chosen.size:
            for init in chosen.init:
                name = f"{Path(content).stem}+{Path(style).stem}"
                out = str(Path(chosen.out) / f"{name}-{size}-{init}.png")
                job = {"content": content, "style": style, "size": size, "init": init, "seed": chosen.seed}
                found = {"name": name, "size": size, "init": init, **elsewhere({**job, "out": out})}
                results.append(found)
                shares = [f"{found['shares'].get(part, 0):.0%}" for part in PARTS]
                rows.append([Path(out).name, found["seconds"], f"{found['megabytes']:.0f}", *shares])
                print(*rows[-1], flush=True)
    common.print_table(["picture", "seconds", "MB", *PARTS], rows)
    if chosen.json:
        common.write_json(chosen.json, results)
    if chosen.plot:
        plot(chosen.plot, results)


if __name__ == "__main__":
    main()
