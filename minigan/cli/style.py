"""``minigan style``: paint one picture's content in the style of others, offline."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError, Namespace
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np

from minigan.cli import arguments as types
from minigan.errors import ArgumentError, FileError

EPILOG = """\
examples:
  minigan style --demo --out demo.png                       needs nothing else: pictures and features ship
  minigan style me.jpg waves.jpg --out me-waves.png         256 pixels, starting from the content
  minigan style me.jpg waves.jpg --out big.png --size 512
  minigan style me.jpg waves.jpg --out noise.png --init noise        less of me, more of the waves
  minigan style me.jpg a.jpg b.jpg --blend 0.7 0.3 --out both.png
  minigan style me.jpg sky.jpg sea.jpg --mask up.png down.png --out two.png
  minigan style me.jpg waves.jpg --out vgg.png --features vgg19 --weights vgg19.pth
  minigan style - waves.jpg --out texture.png               style only; "me.jpg -" content only
"""
LAYERS = "names with commas, each with a weight if you like: relu1_1,relu3_1=2"
DECIMAL = types.number(least=0)


def layers(word: str) -> dict[str, float]:
    """Parse ``relu1_1,relu3_1=2`` into names with weights."""
    found: dict[str, float] = {}
    for part in word.split(","):
        name, equals, weight = part.partition("=")
        if not name or name in found:
            raise ArgumentTypeError(f"expected layer names with commas, each once, got {word!r}")
        found[name] = DECIMAL(weight) if equals else 1.0
    return found


def add_parser(subparsers: Any) -> Any:
    """Add the ``style`` parser and return it."""
    parser = subparsers.add_parser("style", help="style transfer", description=__doc__, epilog=EPILOG)
    parser.add_argument("content", nargs="?", help="picture whose content is painted, or - for none")
    parser.add_argument(
        "styles", nargs="*", metavar="STYLE", help="pictures whose style it gets, or - for none"
    )
    parser.add_argument("--demo", action="store_true", help="use the pictures that travel with minigan")
    parser.add_argument("--out", required=True, metavar="FILE", help="ends in .png, .jpg, .webp, ...")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    _add_picture(parser.add_argument_group("the picture"))
    _add_losses(parser.add_argument_group("features and losses"))
    _add_optimiser(parser.add_argument_group("the optimisation"))
    _add_outputs(parser.add_argument_group("on the way"))
    return parser


def _add_picture(group: Any) -> None:
    group.add_argument("--size", type=types.integer(least=16), help="pixels of the longer side; default 256")
    group.add_argument(
        "--style-scale",
        type=types.number(above=0),
        metavar="S",
        help="size of the style relative to the painting; default 1",
    )
    group.add_argument("--init", metavar="WHAT", help="content, noise, style, or a picture; default content")
    group.add_argument("--blend", type=DECIMAL, nargs="+", metavar="W", help="weight of each style")
    group.add_argument("--mask", nargs="+", metavar="FILE", help="per style, white where it belongs, or -")
    group.add_argument(
        "--colours",
        choices=("style", "luminance", "histogram"),
        help="style, or keep the content's by luminance or by histogram",
    )
    group.add_argument(
        "--recolour",
        type=DECIMAL,
        metavar="SHARE",
        help="how far the content to be found takes on the style's colours; default 1, and 0 is the paper's",
    )
    group.add_argument(
        "--grain",
        type=DECIMAL,
        metavar="SHARE",
        help="how far the finished painting's grain is brought to the style's; default 1",
    )
    group.add_argument("--seed", type=types.integer(least=0), help="of the noise; default 0")


def _add_losses(group: Any) -> None:
    group.add_argument(
        "--features",
        metavar="NET",
        help="shipped, random, filters, vgg16, vgg19, squeezenet1_1; default shipped",
    )
    group.add_argument("--weights", metavar="FILE", help="for vgg and squeezenet: .npz, .safetensors, .pth")
    group.add_argument(
        "--download", action="store_true", help="fetch the network's weights, checked by SHA-256"
    )
    group.add_argument("--pooling", choices=("average", "max", "l2"), help="default average")
    group.add_argument("--content-layers", type=layers, metavar="LIST", help=LAYERS)
    group.add_argument("--style-layers", type=layers, metavar="LIST", help="the same")
    group.add_argument(
        "--statistic",
        choices=("gram", "covariance", "shifted", "covariance+shifted"),
        help="what style is compared by; default covariance",
    )
    group.add_argument(
        "--scales",
        type=DECIMAL,
        nargs="+",
        metavar="W",
        help="what style counts in the picture as it is, halved once, twice, ...; default 1 0.25 0.25 0.5",
    )
    group.add_argument(
        "--small-features", metavar="NET", help="network that looks at the halved pictures; default random"
    )
    for name, default in (("content", "0.1, from noise 0.3"), ("style", "1"), ("variation", "0.00025")):
        words = f"of the {name} loss; default {default}"
        group.add_argument(f"--{name}-weight", type=DECIMAL, metavar="W", help=words)
    group.add_argument("--variation", choices=("l1", "l2", "1.25"), help="exponent of the variation loss")


def _add_optimiser(group: Any) -> None:
    group.add_argument(
        "--optimizer",
        choices=("lbfgs", "adam", "gd"),
        help="default lbfgs, which runs on the processor; adam on a GPU",
    )
    group.add_argument(
        "--iterations",
        type=types.integer(least=0),
        help="at each size; default 45 and more where it begins, of adam and gd 150",
    )
    group.add_argument("--lr", type=types.number(above=0), help="step of adam and gd; default 0.02")
    group.add_argument(
        "--coarse",
        type=types.integer(least=0),
        metavar="SIZE",
        help="begin at this size and double it; default 64; 0 is the full size alone",
    )
    group.add_argument("--ema", type=DECIMAL, metavar="DECAY", help="return the average of iterates")
    group.add_argument(
        "--stop", type=DECIMAL, metavar="SHARE", help="end once 20 iterations improve by less than this share"
    )
    group.add_argument(
        "--tile", type=types.integer(least=0), metavar="SIZE", help="compute in tiles (less memory)"
    )


def _add_outputs(group: Any) -> None:
    group.add_argument(
        "--save-every",
        type=types.integer(least=1),
        metavar="N",
        help="also write FILE-0001.png, ... every N iterations",
    )
    group.add_argument("--film", metavar="FILE", help="of the optimisation: .gif or .webp")
    group.add_argument("--curve", metavar="FILE", help="of the losses: .png")
    group.add_argument("--forecast", action="store_true", help="only say how long and how much memory")


SETTINGS = (
    "size",
    "style_scale",
    "init",
    "blend",
    "colours",
    "recolour",
    "grain",
    "seed",
    "features",
    "weights",
    "pooling",
    "content_layers",
    "style_layers",
    "statistic",
    "scales",
    "small_features",
    "content_weight",
    "style_weight",
    "variation_weight",
    "variation",
    "optimizer",
    "iterations",
    "lr",
    "coarse",
    "ema",
    "stop",
    "tile",
)


def run(arguments: Namespace) -> int:
    """Paint and write; returns 0, or 130 after Ctrl-C (what was reached is written then)."""
    from minigan import backend
    from minigan.cli.loop import Interrupt
    from minigan.data import save_image
    from minigan.style import Settings, transfer

    content, styles = pictures(arguments)
    out = check_outputs(arguments, [content, *styles])
    settings = {name: getattr(arguments, name) for name in SETTINGS if getattr(arguments, name) is not None}
    if backend.current() is not backend.NUMPY:
        settings.setdefault("optimizer", "adam")  # SciPy's L-BFGS would keep the GPU waiting
    if arguments.init not in (None, "content", "noise", "style"):
        settings["init"] = opened(arguments.init)
    if arguments.mask:
        settings["masks"] = [None if mask == "-" else opened(mask, 1) for mask in arguments.mask]
    if arguments.download:
        from minigan.style.weights.download import fetch

        settings["weights"] = fetch(arguments.features or "vgg19")
        settings.setdefault("features", "vgg19")
    size = settings.get("size", Settings.size)
    content = None if content is None else enlarged(content, size)
    styles = [enlarged(style, size) for style in styles]
    interrupt, watcher = Interrupt(), Watcher(arguments, out)

    def after(event: Any) -> bool:
        watcher(event)
        return interrupt.asked

    try:
        with interrupt.caught():
            result = transfer(content, styles, on_event=after, on_forecast=watcher.forecast, **settings)
    except _ForecastOnly:
        return 0
    save_image(out, result.picture, overwrite=arguments.overwrite)
    watcher.close(result)
    return 130 if interrupt.asked else 0


def pictures(arguments: Namespace) -> tuple[Any, list[Any]]:
    """The content and the styles that the words name. Raises ArgumentError."""
    if arguments.demo:
        if arguments.content is not None:
            raise ArgumentError("--demo brings its own pictures; leave CONTENT and STYLE out")
        from matplotlib.cbook import get_sample_data

        from minigan.data.demo_style import paint_demo_style

        return str(get_sample_data("grace_hopper.jpg", asfileobj=False)), [paint_demo_style(512)]
    if arguments.content is None or not arguments.styles:
        raise ArgumentError("expected CONTENT and STYLE, two pictures; or --demo, which needs none")
    content = None if arguments.content == "-" else arguments.content
    return content, [style for style in arguments.styles if style != "-"]


def opened(picture: Any, channels: int = 3) -> np.ndarray:
    """A picture from its path (an array stays); of an animation the first frame, which is said."""
    from minigan.data import load_image

    if isinstance(picture, np.ndarray):
        return picture
    return load_image(picture, channels=channels, note=lambda line: print(f"note: {line}", file=sys.stderr))


def enlarged(picture: Any, size: int) -> np.ndarray:
    """A picture from its path, and a note if so few pixels become so many that they show nothing."""
    array = opened(picture)
    height, width = array.shape[1:]
    if 8 * max(height, width) <= size:
        note = f"{width} x {height} pixels; enlarged to {size}, they show little"
        print(f"note: {picture}: {note}", file=sys.stderr)
    return array


def check_outputs(arguments: Namespace, inputs: list[Any]) -> Path:
    """Refuse, before any work, an output that is an input, exists, or could not be written."""
    from minigan.data.images import SUFFIXES

    kinds = {"out": SUFFIXES, "film": (".gif", ".webp"), "curve": (".png",)}
    wanted = {word: Path(getattr(arguments, word)) for word in kinds if getattr(arguments, word) is not None}
    named = [*inputs, arguments.init, arguments.weights, *(arguments.mask or ())]
    taken = {Path(one).resolve(): "one of the inputs" for one in named if isinstance(one, str)}
    for word, path in wanted.items():
        if path.resolve() in taken:
            raise FileError(f"{path} is {taken[path.resolve()]}; choose another name to write to")
        if path.suffix.lower() not in kinds[word]:
            allowed = ", ".join(kinds[word])
            raise ArgumentError(f"--{word} {path} ends in {path.suffix!r}, expected one of {allowed}")
        taken[path.resolve()] = f"--{word} already"
        check_place(path, arguments.overwrite)
    out = wanted["out"]
    if arguments.save_every:  # these names are known only as the run goes on, and nothing is overwritten then
        for path in out.parent.glob(f"{escape(out.stem)}-*-[0-9][0-9][0-9][0-9]{escape(out.suffix)}"):
            check_place(path, arguments.overwrite)
    return out


def check_place(path: Path, overwrite: bool) -> None:
    """Refuse a file that exists, is a folder, or has no folder that can be written to. Raises FileError."""
    if path.is_dir():
        raise FileError(f"{path} is a folder; give the name of a file in it")
    if not path.parent.is_dir():
        raise FileError(f"{path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path}: the folder {path.parent} cannot be written to; choose another")
    if path.exists() and not overwrite:
        raise FileError(f"{path} exists already; choose another name or allow it with --overwrite")


class _ForecastOnly(Exception):
    """Leaves the run once the forecast was said."""


class Watcher:
    """Shows progress, saves on the way, collects the film."""

    def __init__(self, arguments: Namespace, out: Path) -> None:
        self.arguments, self.out = arguments, out
        self.frames: list[np.ndarray] = []
        self.progress: Any = None
        self.done = 0
        self.parts: dict[str, float] = {}

    def forecast(self, forecast: Any) -> None:
        """Say what it will cost."""
        print(f"forecast: {forecast}", file=sys.stderr if not self.arguments.forecast else sys.stdout)
        if self.arguments.forecast:
            raise _ForecastOnly

    def __call__(self, event: Any) -> None:
        """Take in one iteration."""
        from minigan.cli.progress import Progress
        from minigan.data import save_image

        if event.iteration == 1:
            self._end_bar()
            print(f"size {event.size}", file=sys.stderr)
            self.progress = Progress(first=0, steps=event.iterations, seconds=None)
        self.done, self.parts = event.iteration, event.parts
        self.progress.update(event.iteration, event.parts)
        every = self.arguments.save_every
        if every and event.iteration % every == 0:
            name = f"{self.out.stem}-{event.size}-{event.iteration:04d}{self.out.suffix}"
            save_image(self.out.with_name(name), event.picture, overwrite=self.arguments.overwrite)
        if self.arguments.film and event.iteration % 2 == 1:
            self.frames.append(np.rint(255 * event.picture.clip(0, 1)).astype(np.uint8).transpose(1, 2, 0))

    def _end_bar(self) -> None:
        if self.progress is not None:
            self.progress.close(self.done, self.parts)

    def close(self, result: Any) -> None:
        """Write film and curve, say why it ended."""
        from minigan.data import resize
        from minigan.viz import save_curves, save_film

        self._end_bar()
        if self.arguments.film and self.frames:
            height, width = self.frames[-1].shape[:2]
            sized = [
                frame
                if frame.shape[:2] == (height, width)
                else np.rint(resize(frame.transpose(2, 0, 1), height, width))
                .astype(np.uint8)
                .transpose(1, 2, 0)
                for frame in self.frames
            ]
            save_film(self.arguments.film, sized, seconds=0.08)
        if self.arguments.curve and result.history:
            curves = {
                name: (
                    [float(k) for k in range(1, len(result.history) + 1)],
                    [entry[name] for entry in result.history],
                )
                for name in result.history[0]
                if name not in ("size", "iteration")
            }
            save_curves(self.arguments.curve, {"loss": curves}, x_label="iteration")
        for size, reason in result.reasons.items():
            print(f"size {size}: {reason}", file=sys.stderr)
        shares = ", ".join(f"{name} {share:.0%}" for name, share in result.shares().items())
        print(f"{self.out}: {result.seconds:.0f} s; shares of the loss: {shares}")
