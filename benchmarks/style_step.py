"""One step of style transfer beside PyTorch: ``python benchmarks/style_step.py [--size 256] [--net vgg19]``.

The step: VGG19's relu1_1 ... relu5_1, Gram matrices, average pooling, content at relu4_2, loss, gradient
of the pixels. Both libraries have the same (random) weights; loss and gradient are compared before timing.
``--net shipped`` times the network that travels with minigan in the same way. Weights do not change speed.
``--profile`` prints where minigan's time goes instead, by operation.
"""

import argparse
import subprocess
import sys

import common

NETS = ("vgg19", "shipped")
GOALS = {("vgg19", 256): 0.6}  # minigan's time as a share of PyTorch's
CONTENT = {"vgg19": "relu4_2", "shipped": "relu3_2"}
STYLE = {
    "vgg19": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    "shipped": ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
}


def description(net):
    """(layers up to the last one needed, weights by name): random of He's scale, the same for both."""
    import numpy as np

    from minigan.style.features import vgg_like
    from minigan.style.weights import ARCHITECTURES

    layers = list(ARCHITECTURES["vgg19"].layers) if net == "vgg19" else vgg_like((32, 64, 128, 256))
    names = [layer[1] for layer in layers]
    layers = layers[: max(names.index(name) for name in (CONTENT[net], *STYLE[net])) + 1]
    rng = np.random.default_rng(0)
    weights = {}
    for layer in layers:
        if layer[0] == "conv":
            _, name, inputs, outputs, kernel, _, _ = layer
            scale = np.sqrt(2 / (inputs * kernel * kernel))
            shape = (outputs, inputs, kernel, kernel)
            weights[f"{name}.weight"] = (rng.standard_normal(shape) * scale).astype(np.float32)
            weights[f"{name}.bias"] = np.zeros(outputs, np.float32)
    return layers, weights


def pictures(size):
    """Painting, content and style (1, 3, size, size)."""
    import numpy as np

    rng = np.random.default_rng(1)
    return [rng.random((1, 3, size, size), np.float32) for _ in range(3)]


def objective(net, size):
    """minigan's loss of a painting, and the painting (1, 3, size, size)."""
    from minigan.style import Extractor, Settings
    from minigan.style.objective import Objective

    extractor = Extractor(net, *description(net), mean=(0.5,) * 3, std=(0.25,) * 3, padding="zeros")
    plan = Settings(statistic="gram", content_weight=1.0, style_weight=1.0, variation_weight=0.0,
                    content_layers=(CONTENT[net],), style_layers=STYLE[net])  # fmt: skip
    painting, content, style = pictures(size)
    loss = Objective(extractor, plan, content[0], [style[0]], [1.0], [None])
    for spread in getattr(loss, "spreads", ()):  # the paper's loss, not balanced among channels
        spread.update(dict.fromkeys(spread))
    return loss, painting


def profile(net, size, steps=5):
    """Print where minigan's time goes."""
    function, painting = objective(net, size)
    common.print_profile(f"{net} at {size} px", lambda: function(painting), steps)


def minigan_answers():
    """A function that answers {net, size} with the seconds of a step, its loss and its gradient's norm."""
    import numpy as np

    made = {}

    def answer(request):
        key = request["net"], request["size"]
        if key not in made:
            made[key] = objective(*key)
        function, painting = made[key]
        value = function(painting)
        seconds = common.seconds_a_call(lambda: function(painting), 0.5)
        return {"seconds": seconds, "loss": value.total, "slope": float(np.linalg.norm(value.gradient))}

    return answer


def torch_objective(net, size, device="cpu"):
    """PyTorch's loss as a function that leaves the gradient in the painting's ``grad``, and the painting."""
    import torch
    import torch.nn.functional as F

    def there(array):
        return torch.from_numpy(array).to(device)

    layers, weights = description(net)
    weights = {name: there(array) for name, array in weights.items()}

    def features(x, wanted):
        found = {}
        x = (x - 0.5) / 0.25
        for kind, name, *_ in layers:
            if kind == "conv":
                x = F.conv2d(x, weights[name + ".weight"], weights[name + ".bias"], padding=1)
            elif kind == "relu":
                x = F.relu(x)
            else:
                x = F.avg_pool2d(x, 2)
            if name in wanted:
                found[name] = x
        return found

    def gram(x):
        flat = x.flatten(2)[0]
        return flat @ flat.T / flat.shape[1]

    painting, content, style = map(there, pictures(size))
    painting.requires_grad_()
    with torch.no_grad():
        target = features(content, (CONTENT[net],))[CONTENT[net]]
        found = features(style, STYLE[net])
        grams = {name: gram(found[name]) for name in STYLE[net]}

    def step():
        found = features(painting, (CONTENT[net], *STYLE[net]))
        loss = ((found[CONTENT[net]] - target) ** 2).sum() / ((target**2).sum() + 0.01 * target.numel())
        for name, wanted in grams.items():
            error = ((gram(found[name]) - wanted) ** 2).sum() / (wanted**2).sum()
            loss = loss + error / len(grams)
        painting.grad = None
        loss.backward()
        return loss.item()

    return step, painting


def torch_answers(device="cpu"):
    """The same in PyTorch."""
    import torch

    torch.set_num_threads(int(common.THREADS))
    made = {}

    def answer(request):
        key = request["net"], request["size"]
        if key not in made:
            made[key] = torch_objective(*key, device)
        step, painting = made[key]
        loss = step()
        slope = painting.grad.norm().item()
        return {"seconds": common.seconds_a_call(step, 0.5), "loss": loss, "slope": slope}

    return answer


def main():
    """Compare, time, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", choices=NETS, nargs="+", default=NETS)
    parser.add_argument("--size", type=int, nargs="+", default=(256,))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--profile", action="store_true", help="where minigan's time goes")
    common.add_outputs(parser)
    parser.add_argument("--serve", choices=("minigan", "torch", "profile"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve == "profile":
        return [profile(net, size) for net in chosen.net for size in chosen.size]
    if chosen.profile:
        command = [sys.executable, __file__, *sys.argv[1:], "--serve", "profile"]
        return subprocess.run(command, env=common.worker_environment(), check=True)
    if chosen.serve:
        return common.serve(minigan_answers() if chosen.serve == "minigan" else torch_answers())
    common.print_environment(common.environment())
    ours, theirs = (common.Worker(__file__, "--serve", library) for library in ("minigan", "torch"))
    rows, results = [], {}
    for net in chosen.net:
        for size in chosen.size:
            one, other = (worker.ask(net=net, size=size) for worker in (ours, theirs))
            for what in ("loss", "slope"):
                if abs(one[what] - other[what]) > 1e-3 * abs(other[what]):
                    raise SystemExit(f"{net} {size}: {what} differs: {one[what]} and {other[what]}")
            times = common.interleave(lambda n=net, s=size: ours.ask(net=n, size=s)["seconds"],
                                      lambda n=net, s=size: theirs.ask(net=n, size=s)["seconds"],
                                      chosen.rounds)  # fmt: skip
            found = common.summary(*times)
            results[f"{net} {size}"] = found
            spread = f"{found['low']:.2f}-{found['high']:.2f}"
            figures = [1e3 * found["ours"], 1e3 * found["theirs"], found["ratio"]]
            rows.append([f"{net} {size}", *figures, spread, GOALS.get((net, size), "")])
    common.print_table(["step", "minigan ms", "PyTorch ms", "ratio", "spread", "goal"], rows)
    for worker in (ours, theirs):
        worker.close()
    common.write_outputs(chosen, results, results, "Steps of style transfer")


if __name__ == "__main__":
    main()
