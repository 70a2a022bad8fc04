"""The parts of ``minigan inspect``'s page, as JSON values: one function each."""

from __future__ import annotations

import base64
import math
import time
from typing import Any

import numpy as np

from minigan.cli.inspect_history import gradient_history
from minigan.cli.inspected import (
    JUDGED,
    NEAR,
    POSITIONS,
    SAMPLES,
    Part,
    Run,
    encoded,
    pictures_of,
    signed,
    wanted,
)
from minigan.errors import ArgumentError, GraphError, MiniganError

MAPS, WIDEST = 16, 32  # feature maps of a layer that are shown; pixels of one, wider ones are averaged
FILTERS = 32  # of a layer
SAME = ("Flatten", "Unflatten", "Identity", "Dropout")  # layers that only hand on
MOST_OPS = 400  # of a graph that is drawn


def facts(run: Run) -> list[tuple[str, str]]:
    """Name, value pairs about the run."""
    from minigan.gan.models import count_parameters

    config = run.sampler.config
    channels, height, width = config.shape
    names = ("decoder", "encoder") if config.model == "vae" else ("generator", "discriminator")
    return [
        ("model", config.model + (f", told one of {config.classes} classes" if config.classes else "")),
        ("pictures", f"{height} x {width}, {'grey' if channels == 1 else 'colour'}"),
        ("step", f"{run.sampler.facts.get('step', 'unknown')}"),
        ("latent numbers", str(config.latent)),
        (names[0], f"{count_parameters(run.sampler.generator):,} parameters"),
        (names[1], f"{count_parameters(run.discriminator):,} parameters"),
    ]


def directions(run: Run) -> dict[str, Any]:
    """A few latents, and the pictures along the most telling directions from each."""
    from minigan.gan import inside

    found = inside.directions(run.sampler, most=6)
    frames = []
    for k in range(SAMPLES):
        label = None if run.labels is None else int(run.labels[k])
        pictures = inside.walk(run.sampler, found, run.latents[k], label, POSITIONS)
        frames.append([pictures_of(row) for row in pictures])
    return {
        "samples": pictures_of(run.pictures[:SAMPLES]),
        "frames": frames,  # sample, direction, position
        "positions": POSITIONS.tolist(),
        "share": [round(float(share), 4) for share in found.share],
        "space": "styles w" if found.styles else "latents z",
    }


def layers(run: Run) -> list[dict[str, Any]]:
    """Every layer of both networks: its maps for each sample, and figures of its numbers."""
    from minigan.gan import inside
    from minigan.tensor import Tensor

    config, count = run.sampler.config, len(run.latents)
    given = (Tensor(run.latents),) if run.labels is None else (Tensor(run.latents), run.labels)
    names = ("decoder", "encoder") if config.model == "vae" else ("G", "D")
    shown = []
    for name, network, inputs in (
        (names[0], run.sampler.generator, given),
        (names[1], run.discriminator, inside.judged(config, Tensor(run.pictures), run.labels)),
    ):
        for layer in inside.layers(network, *inputs):
            output = layer.output
            if layer.kind in SAME or len(output) != count or output.ndim < 2 or output[0].size < 2:
                continue
            shown.append({
                "net": name, "name": layer.name, "kind": layer.kind,
                "shape": " x ".join(map(str, output.shape[1:])),
                "maps": [encoded(_sheet(output[k])) for k in range(SAMPLES)],
                "mean": float(f"{output.mean():.3g}"), "deviation": float(f"{output.std():.3g}"),
                "off": round(float((output == 0).mean()), 3) if layer.kind == "ReLU" else None,
            })  # fmt: skip
    return shown


def _sheet(output: np.ndarray) -> np.ndarray:
    """Lay the first maps (C, H, W) side by side in grey, or numbers (F,) as one rectangle."""
    if output.ndim == 1:
        columns = min(64, len(output))
        rows = -(-len(output) // columns)
        output = np.pad(output, (0, rows * columns - len(output))).reshape(1, rows, columns)
    maps = output[:MAPS]
    factor = -(-max(maps.shape[1:]) // WIDEST)
    if factor > 1 and maps.shape[1] % factor == maps.shape[2] % factor == 0:
        C, H, W = maps.shape
        maps = maps.reshape(C, H // factor, factor, W // factor, factor).mean(axis=(2, 4))
    C, H, W = maps.shape
    columns = min(C, 8)
    low, high = float(maps.min()), float(maps.max())
    grey = np.rint(255 * (maps - low) / max(high - low, 1e-12)).astype(np.uint8)
    sheet = np.full((-(-C // columns) * (H + 1) - 1, columns * (W + 1) - 1, 1), 128, np.uint8)
    for k in range(C):
        top, left = k // columns * (H + 1), k % columns * (W + 1)
        sheet[top : top + H, left : left + W, 0] = grey[k]
    return sheet


def filters(run: Run) -> list[dict[str, Any]]:
    """The weights of every layer that has some to look at."""
    from minigan import nn

    config, found = run.sampler.config, []
    names = ("decoder", "encoder") if config.model == "vae" else ("G", "D")
    for net, network in zip(names, (run.sampler.generator, run.discriminator), strict=True):
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                weight = module.weight.numpy()
                if isinstance(module, nn.ConvTranspose2d):
                    weight = weight.swapaxes(0, 1)
                if weight.shape[2:] == (1, 1):
                    continue  # nothing of a form
                kernels, what = weight[:FILTERS, 0], "one filter for each map it makes, of the first it reads"
                if len(weight) <= 3:
                    kernels, what = weight[0, :FILTERS], "one filter for each map it reads"
            elif isinstance(module, nn.Linear) and module.in_features == math.prod(config.shape):
                kernels = module.weight.numpy()[:FILTERS].reshape(-1, *config.shape).mean(axis=1)
                what = "what each unit looks for"
            elif isinstance(module, nn.Linear) and module.out_features == math.prod(config.shape):
                kernels = module.weight.numpy().T[:FILTERS].reshape(-1, *config.shape).mean(axis=1)
                what = "what each unit paints"
            else:
                continue
            found.append({
                "net": net, "name": name, "kind": type(module).__name__, "what": what,
                "shape": " x ".join(map(str, module.weight.shape)),
                "picture": encoded(_signed_sheet(kernels)),
            })  # fmt: skip
    if not found:
        raise ArgumentError("this model has no filters that could be shown as pictures")
    return found


def _signed_sheet(kernels: np.ndarray) -> np.ndarray:
    count, H, W = kernels.shape
    columns = min(count, 16 if W < 12 else 8)
    sheet = np.full((-(-count // columns) * (H + 1) - 1, columns * (W + 1) - 1, 3), 128, np.uint8)
    for k, kernel in enumerate(kernels):
        top, left = k // columns * (H + 1), k % columns * (W + 1)
        sheet[top : top + H, left : left + W] = signed(kernel)
    return sheet


def looks(run: Run) -> list[dict[str, Any]]:
    """Generated and, where they are there, real pictures, with the gradient of D's logit by the pixel."""
    from minigan.gan import inside

    config, found = run.sampler.config, []
    sets = [("generated", run.pictures[:JUDGED], None if run.labels is None else run.labels[:JUDGED])]
    if run.data is not None:
        chosen = np.random.default_rng(run.seed).choice(len(run.data), min(JUDGED, len(run.data)), False)
        labels = run.data.labels[chosen] if run.labels is not None and run.data.labels is not None else None
        if run.labels is None or labels is not None:
            sets.append(("real", run.data.images[chosen], labels))
    for what, pictures, labels in sets:
        logits, slope = inside.slopes(config, run.discriminator, pictures, labels)
        for picture, logit, one in zip(pictures_of(pictures), logits, slope, strict=True):
            found.append({
                "what": what, "picture": picture, "slope": encoded(signed(one.sum(axis=0))),
                "logit": float(f"{logit:.3g}"), "steepness": float(f"{np.linalg.norm(one):.3g}"),
            })  # fmt: skip
    return found


def gradients(run: Run) -> dict[str, Any]:
    """Length of the gradients over training, from the logs, and of every parameter's, from one step."""
    from minigan.gan import inside
    from minigan.viz import curves_svg
    from minigan.viz.curves import series

    rows = run.folder.read_metrics()
    found: dict[str, Any] = {}
    vae = run.sampler.config.model == "vae"
    if rows:
        names = {"encoder": "d_norm", "decoder": "g_norm"} if vae else {"D": "d_norm", "G": "g_norm"}
        panel = {"length of the whole gradient": {name: series(rows, key) for name, key in names.items()}}
        found["curves"] = _svg(curves_svg(panel))
    try:
        found["history"] = gradient_history(run)
    except MiniganError as error:
        found["nohistory"] = f"Layer by layer over training it is not known: {error}."
    if run.data is None:
        found["why"] = f"Parameter by parameter it is not measured: {run.gone}."
        return found
    found["layers"] = [
        {"net": {"G": "decoder", "D": "encoder"}[net] if vae else net, "name": name,
         "norm": float(f"{length:.3g}"), "weight": float(f"{size:.3g}")}
        for net, name, length, size in inside.gradient_norms(_trainer(run))
    ]  # fmt: skip
    return found


def neighbours(run: Run) -> dict[str, Any]:
    """Generated pictures with the training pictures nearest to them."""
    from minigan.gan import inside

    images = wanted(run).images
    index, distance = inside.nearest(run.pictures[:NEAR], images)
    some = images[np.random.default_rng(0).choice(len(images), min(64, len(images)), False)]
    between = inside.nearest(some, images, most=2)[1]
    return {
        "pictures": pictures_of(run.pictures[:NEAR]),
        "near": [pictures_of(images[row]) for row in index],
        "distance": np.round(distance, 3).tolist(),
        "typical": round(float(np.median(between[:, -1])), 3),
    }


def step(run: Run) -> dict[str, Any]:
    """The graph of G's loss with the time of each operation, and the operations of a whole step by cost."""
    from minigan.autograd import observe
    from minigan.gan.trainer import frozen
    from minigan.viz import graph_svg

    wanted(run)
    trainer = _trainer(run)
    trainer.train_step()  # warms up; the checkpoint stays as it is
    spans: list[tuple[str, str, float, float]] = []  # operation, phase, begin, end

    def note(phase: str, op: Any, result: Any, seconds: float) -> None:
        end = time.perf_counter()
        if phase != "forward":  # what a derivative is made of is part of it
            while spans and spans[-1][2] >= end - seconds:
                spans.pop()
        spans.append((op.name, phase, end - seconds, end))

    begun = time.perf_counter()
    with observe(note):
        trainer.train_step()
    whole = time.perf_counter() - begun
    rows: dict[str, list[float]] = {}
    for name, phase, start, end in spans:
        row = rows.setdefault(name, [0, 0.0, 0.0])
        row[0] += phase == "forward"
        row[1 if phase == "forward" else 2] += 1e3 * (end - start)
    found: dict[str, Any] = {
        "whole": round(1e3 * whole, 2),
        "ops": [
            [name, int(count), round(forward, 3), round(backward, 3)]
            for name, (count, forward, backward) in sorted(rows.items(), key=lambda item: -sum(item[1][1:]))
        ],
    }
    found["loss"] = "the loss of both networks" if trainer.config.model == "vae" else "G's loss"
    times: dict[int, str] = {}
    kept: list[Any] = []  # keeps the ids of operations from being used again

    def time_op(phase: str, op: Any, result: Any, seconds: float) -> None:
        kept.append(op)
        times[id(op)] = f"{1e3 * seconds:.2g}"

    try:
        with observe(time_op), frozen(trainer.discriminator):
            loss = _loss(trainer)
        names = {f"G.{name}": p for name, p in trainer.generator.named_parameters()}
        found["graph"] = _svg(graph_svg(loss, names, most=MOST_OPS, notes=times))
    except (ArgumentError, GraphError) as error:
        found["why"] = f"The graph is not drawn: {error}."
    return found


def _loss(trainer: Any) -> Any:
    """Return the loss that G (of a VAE: both networks) lowers, its graph recorded."""
    from minigan.gan import elbo
    from minigan.modes import no_grad
    from minigan.tensor import Tensor

    images, labels = trainer.loader.next_batch()
    real = Tensor(images)
    if trainer.config.model == "vae":
        mean, log_variance = trainer.discriminator(real)
        decoded = trainer.generator(elbo.draw_code(mean, log_variance, trainer.random))
        return elbo.optimal_gaussian_nll(real, decoded) + elbo.kl_to_prior(mean, log_variance).mean()
    logits = trainer.judge(trainer.run_generator(trainer.draw_latents(len(real)), labels), labels)
    with no_grad():
        real_logits = trainer.judge(real, labels) if trainer.loss.pairs else None
    return trainer.loss.g_loss(logits, real_logits)


def _trainer(run: Run) -> Any:
    """Return the run's trainer as the checkpoint left it."""
    from minigan.gan import Trainer, checkpoint

    data = wanted(run)
    trainer = Trainer.create(run.sampler.config, data.images, data.labels)
    checkpoint.restore(run.folder.checkpoint, trainer)
    return trainer


def _svg(text: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode("utf-8", "backslashreplace")).decode()


PARTS: dict[str, Part] = {
    "directions": directions,
    "layers": layers,
    "filters": filters,
    "looks": looks,
    "gradients": gradients,
    "neighbours": neighbours,
    "step": step,
}
