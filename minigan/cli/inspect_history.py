"""The length of every layer's gradient over a run's training, for the page of ``minigan inspect``."""

from __future__ import annotations

import math
from typing import Any

from minigan.cli.inspected import Run
from minigan.errors import DataError

DECADES = 8  # of lengths below the greatest that colours tell apart
SHADES = 64


def gradient_history(run: Run) -> dict[str, Any]:
    """Steps, and network by network each layer's lengths at them; the ends and colours of one scale for all.

    Raises DataError when the run has no such log.
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    rows = run.folder.gradients.read()
    if not rows:
        raise DataError(f"{run.folder.gradients.path.name} is missing or empty, as in runs of older versions")
    vae = run.sampler.config.model == "vae"
    networks = {"G": run.sampler.generator, "D": run.discriminator}
    found, positive = [], []
    for net, network in networks.items():
        kinds = {name: type(module).__name__ for name, module in network.named_modules()}
        measured = [row.get(net, {}) for row in rows]
        layers = []
        for name in dict.fromkeys(name for lengths in measured for name in lengths):
            lengths = [float(one.get(name, 0.0)) for one in measured]
            positive += [x for x in lengths if x > 0]
            layers.append({"name": name, "kind": kinds.get(name, "parameter"), "lengths": lengths})
        shown = {"G": "decoder", "D": "encoder"}[net] if vae else net
        found.append({"net": shown, "layers": layers})
    if not positive:
        raise DataError("no layer had a gradient at the steps that were measured")
    high = math.ceil(math.log10(max(positive)))
    low = min(max(math.floor(math.log10(min(positive))), high - DECADES), high - 1)
    colours = colormaps["plasma"].resampled(SHADES)
    return {
        "steps": [row["step"] for row in rows],
        "nets": found,
        "low": low,
        "high": high,  # powers of ten
        "colours": [to_hex(colours(k)) for k in range(SHADES)],
    }
