"""Every convolution algorithm on the shapes of the models, beside PyTorch.

    python benchmarks/conv_algorithms.py [--all] [--shapes vgg256,dcgan28] [--json results.json]

For each shape and each of the three functions: milliseconds, the ratio to PyTorch (its default memory format
and own oneDNN) with its spread over interleaved rounds, and the share of the machine's sgemm rate that a
*direct* convolution at this speed would have (Winograd and FFT multiply less, so they may pass 100 %).
``--all`` times every algorithm that supports the shape, not just the one that auto picks.
"""

import argparse
import math
from functools import partial

import common

# name: (N, C, H, W, O, KH, KW, stride, padding)
SHAPES = {
    "dcgan28 d1": (128, 1, 28, 28, 64, 4, 4, 2, 1),
    "dcgan28 d2": (128, 64, 14, 14, 128, 4, 4, 2, 1),
    "dcgan64 d1": (32, 3, 64, 64, 64, 4, 4, 2, 1),
    "dcgan64 d2": (32, 64, 32, 32, 128, 4, 4, 2, 1),
    "dcgan64 d3": (32, 128, 16, 16, 256, 4, 4, 2, 1),
    "dcgan64 d4": (32, 256, 8, 8, 512, 4, 4, 2, 1),
    "dcgan64 d5": (32, 512, 4, 4, 1, 4, 4, 1, 0),
    "dcgan64 g1": (32, 512, 4, 4, 100, 4, 4, 1, 0),
    "vgg256 1_1": (1, 3, 256, 256, 64, 3, 3, 1, 1),
    "vgg256 1_2": (1, 64, 256, 256, 64, 3, 3, 1, 1),
    "vgg256 2_1": (1, 64, 128, 128, 128, 3, 3, 1, 1),
    "vgg256 2_2": (1, 128, 128, 128, 128, 3, 3, 1, 1),
    "vgg256 3_1": (1, 128, 64, 64, 256, 3, 3, 1, 1),
    "vgg256 3_2": (1, 256, 64, 64, 256, 3, 3, 1, 1),
    "vgg256 4_1": (1, 256, 32, 32, 512, 3, 3, 1, 1),
    "vgg256 4_2": (1, 512, 32, 32, 512, 3, 3, 1, 1),
    "vgg256 5_1": (1, 512, 16, 16, 512, 3, 3, 1, 1),
    "vgg512 1_2": (1, 64, 512, 512, 64, 3, 3, 1, 1),
    "vgg512 2_2": (1, 128, 256, 256, 128, 3, 3, 1, 1),
    "vgg512 3_2": (1, 256, 128, 128, 256, 3, 3, 1, 1),
    "vgg512 4_2": (1, 512, 64, 64, 512, 3, 3, 1, 1),
    "3x3 28": (64, 32, 28, 28, 32, 3, 3, 1, 1),
    "3x3 14": (64, 32, 14, 14, 32, 3, 3, 1, 1),
    "3x3 7": (64, 32, 7, 7, 32, 3, 3, 1, 1),
    "3x3 s2": (64, 32, 28, 28, 64, 3, 3, 2, 1),
    "1x1": (32, 128, 16, 16, 256, 1, 1, 1, 0),
    "7x7 s2": (8, 3, 128, 128, 64, 7, 7, 2, 3),
    "9x9": (1, 32, 128, 128, 3, 9, 9, 1, 4),
    "31x31": (1, 8, 128, 128, 8, 31, 31, 1, 15),
    "5x5 few": (128, 1, 28, 28, 16, 5, 5, 1, 2),
    "batch 1": (1, 64, 14, 14, 128, 4, 4, 2, 1),
    "batch 128": (128, 32, 16, 16, 64, 3, 3, 1, 1),
}
FUNCTIONS = ("forward", "input_grad", "weight_grad")


def serve_minigan():
    """Answer {shape, function, algorithm} with seconds a call; algorithm "names" lists what is able."""
    import numpy as np

    from minigan.kernels.conv import registry
    from minigan.ops.conv import ConvSpec

    made = {}

    def arrays(shape):
        if shape not in made:
            made.clear()
            N, C, H, W, O, KH, KW, stride, padding = SHAPES[shape]
            spec = ConvSpec(N, C, H, W, O, KH, KW, (stride, stride), (padding, padding))
            generator = np.random.default_rng(0)

            def image(N, C, H, W):
                return generator.standard_normal((N, H, W, C), np.float32).transpose(0, 3, 1, 2)

            weight = generator.standard_normal((spec.O, KH, KW, C), np.float32).transpose(0, 3, 1, 2)
            made[shape] = spec, image(*spec.x_shape), weight, image(*spec.y_shape)
        return made[shape]

    def answer(request):
        if "environment" in request:
            return common.environment()
        shape, function, name = request["shape"], request["function"], request["algorithm"]
        spec, x, weight, g = arrays(shape)
        if name == "names":
            chosen = registry.choose(spec, function, request["frozen"])
            return [chosen.name] + [a.name for a in registry.candidates(spec, function)]
        algorithm = registry.get(name)
        run = getattr(algorithm, function)
        if function == "weight_grad":
            return common.seconds_a_call(lambda: run(x, g, spec))
        prepare = algorithm.prepare if request["frozen"] else None
        prepared = prepare(weight, spec, function) if prepare else None
        image = x if function == "forward" else g
        return common.seconds_a_call(lambda: run(image, weight, spec, prepared))

    common.serve(answer)


def serve_torch():
    """Answer {shape, function} with seconds a call."""
    import torch

    torch.set_num_threads(int(common.THREADS))
    made = {}

    def answer(request):
        if "environment" in request:
            return {"torch": torch.__version__, "torch threads": torch.get_num_threads()}
        N, C, H, W, O, KH, KW, stride, padding = SHAPES[request["shape"]]
        if request["shape"] not in made:
            made.clear()
            x, weight = torch.randn(N, C, H, W), torch.randn(O, C, KH, KW)
            g = torch.randn_like(torch.nn.functional.conv2d(x, weight, stride=stride, padding=padding))
            made[request["shape"]] = x, weight, g
        x, weight, g = made[request["shape"]]
        if request["function"] == "forward":
            return common.seconds_a_call(
                lambda: torch.nn.functional.conv2d(x, weight, stride=stride, padding=padding)
            )
        mask = [request["function"] == "input_grad", request["function"] == "weight_grad", False]
        pairs = ([stride, stride], [padding, padding], [1, 1])
        backward = torch.ops.aten.convolution_backward
        return common.seconds_a_call(lambda: backward(g, x, weight, None, *pairs, False, [0, 0], 1, mask))

    with torch.no_grad():
        common.serve(answer)


def is_frozen(shape, function):
    """VGG's weights never change in style transfer, so their transforms are not part of a step."""
    return shape.startswith("vgg") and function != "weight_grad"


def measure(ours, theirs, shape, function, names, rounds):
    """A row for each algorithm on one shape and function."""
    for name in names:
        request = {
            "shape": shape,
            "function": function,
            "algorithm": name,
            "frozen": is_frozen(shape, function),
        }
        times = common.interleave(partial(ours.ask, **request), partial(theirs.ask, **request), rounds)
        yield {"shape": shape, "function": function, "algorithm": name, **common.summary(*times)}


def flops(shape):
    """Of the direct convolution: two for each term of its sum."""
    N, C, H, W, O, KH, KW, stride, padding = SHAPES[shape]
    OH, OW = ((size + 2 * padding - k) // stride + 1 for size, k in ((H, KH), (W, KW)))
    return 2 * N * OH * OW * O * C * KH * KW


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", default="", help="comma-separated parts of shape names; default: all")
    parser.add_argument("--functions", default=",".join(FUNCTIONS))
    parser.add_argument("--all", action="store_true", help="every algorithm, not just the chosen one")
    parser.add_argument("--algorithms", default="", help="comma-separated algorithms to time instead")
    parser.add_argument("--rounds", type=int, default=5)
    common.add_outputs(parser)
    parser.add_argument("--worker", choices=("minigan", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return serve_minigan() if options.worker == "minigan" else serve_torch()
    ours, theirs = (common.Worker(__file__, "--worker", name) for name in ("minigan", "torch"))
    facts = theirs.ask(environment=True) | ours.ask(environment=True)  # in turn: both must be idle
    common.print_environment(facts)
    limit = float(facts["sgemm"].split()[0]) * 1e9
    results = []
    wanted = [part for part in options.shapes.split(",") if part]
    for shape in SHAPES:
        if wanted and not any(part in shape for part in wanted):
            continue
        for function in options.functions.split(","):
            request = {"shape": shape, "function": function, "frozen": is_frozen(shape, function)}
            able = ours.ask(algorithm="names", **request)
            chosen, able = able[0], able[1:]
            names = [a for a in able if a != "naive"] if options.all else [chosen]
            if options.algorithms:
                names = [a for a in options.algorithms.split(",") if a in able]
            for row in measure(ours, theirs, shape, function, names, options.rounds):
                row["chosen"] = row["algorithm"] == chosen
                row["share"] = flops(shape) / row["ours"] / limit
                results.append(row)
                print(line(row), flush=True)
    report(results)
    ratios = {f"{row['shape']} {row['function']} {row['algorithm']}": row for row in results}
    common.write_outputs(options, {"facts": facts, "rows": results}, ratios, "Convolutions")
    ours.close()
    theirs.close()


def line(row):
    """One result on one line."""
    return (
        f"{row['shape']:<11} {row['function']:<11} {'*' if row['chosen'] else ' '}{row['algorithm']:<11}"
        f"{1e3 * row['ours']:8.2f} ms {1e3 * row['theirs']:8.2f} torch  ratio {row['ratio']:5.2f} "
        f"({row['low']:.2f}..{row['high']:.2f})  {100 * row['share']:4.0f} % of sgemm"
    )


def report(results):
    """Geometric mean over the chosen ones, and those above the bound."""
    chosen = [row["ratio"] for row in results if row["chosen"]]
    if chosen:
        mean = math.exp(sum(map(math.log, chosen)) / len(chosen))
        above = sum(ratio > 1.2 for ratio in chosen)
        print(f"auto: geometric mean {mean:.3f} of PyTorch over {len(chosen)} runs, {above} above 1.2")


if __name__ == "__main__":
    main()
