"""Steps and convolutions on a GPU beside PyTorch on the same one: ``benchmarks/gpu.py [gan] [style] [conv]``.

The GAN steps of gan_step.py and the style step of style_step.py, eager in both libraries; and the
convolutions of conv_algorithms.py, whose share is of the rate that cuBLAS reaches on the same product alone.
Both libraries multiply in the same precision: ``--precision highest`` (float32) or ``high`` (TF32). PyTorch
has cuDNN, CuPy has not. Without a GPU, or without CuPy, it says so in one line and ends with code 2.
"""

import argparse
import sys
import time
from functools import partial

import common
import conv_algorithms
import gan_models
import style_step

PARTS = ("gan", "style", "conv")


def many(call, wait, at_least=0.2):
    """Seconds a call, after a few to warm up: a GPU runs behind, so calls are waited for together."""
    for _ in range(3):
        call()
    wait()
    count, passed = 1, 0.0
    while passed < at_least:
        count *= 2
        started = time.perf_counter()
        for _ in range(count):
            call()
        wait()
        passed = time.perf_counter() - started
    return passed / count


def minigan_answers(precision):
    """A function that answers requests with seconds, measured in minigan on CuPy."""
    import numpy as np

    import minigan
    from minigan import backend
    from minigan.kernels import conv
    from minigan.kernels.conv import cuda_im2col, registry

    minigan.use("cupy")
    minigan.set_matmul_precision(precision)
    style, xp = style_step.minigan_answers(), backend.current().xp
    trainers = {}

    def convolution(shape, function):
        N, C, H, W, O, KH, KW, stride, padding = conv_algorithms.SHAPES[shape]
        spec = conv.ConvSpec(N, C, H, W, O, KH, KW, (stride, stride), (padding, padding))
        draw = np.random.default_rng(0).standard_normal

        def image(shape):
            N, C, H, W = shape
            channels_last = draw((N, H, W, C), dtype=np.float32).transpose(0, 3, 1, 2)
            return backend.to_device(channels_last, "cupy")

        x, weight, g = image(spec.x_shape), image(spec.weight_shape), image(spec.y_shape)
        arguments = {"forward": (x, weight), "input_grad": (g, weight), "weight_grad": (x, g)}[function]
        run = getattr(registry.choose(spec, function, like=x), function)
        columns = cuda_im2col.unroll(x, spec, (0, N, 0, spec.OH))
        matrix = cuda_im2col.prepare(weight, spec, "forward")
        return {
            "seconds": many(lambda: run(*arguments, spec), minigan.synchronize),
            "product": many(lambda: xp.dot(columns, matrix), minigan.synchronize),
        }

    def answer(request):
        if "environment" in request:
            facts = xp.cuda.runtime.getDeviceProperties(xp.cuda.Device().id)
            return {"GPU": facts["name"].decode(), "cupy": xp.__version__, "precision": precision}
        if request["part"] == "conv":
            return convolution(request["shape"], request["function"])
        if request["part"] == "style":
            return style(request)
        if request["name"] not in trainers:
            trainers.clear()
            trainers[request["name"]] = gan_models.minigan_trainer(request["name"])
        return {"seconds": many(trainers[request["name"]].step, minigan.synchronize)}

    return answer


def torch_answers(precision):
    """The same in PyTorch."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "high"
    style, wait, trainers = style_step.torch_answers("cuda"), torch.cuda.synchronize, {}

    def convolution(shape, function):
        N, C, H, W, O, KH, KW, stride, padding = conv_algorithms.SHAPES[shape]
        x, weight = torch.randn(N, C, H, W, device="cuda"), torch.randn(O, C, KH, KW, device="cuda")
        with torch.no_grad():
            forward = partial(torch.nn.functional.conv2d, x, weight, stride=stride, padding=padding)
            if function == "forward":
                return {"seconds": many(forward, wait)}
            g = torch.randn_like(forward())
            mask = [function == "input_grad", function == "weight_grad", False]
            pairs = ([stride, stride], [padding, padding], [1, 1])
            backward = torch.ops.aten.convolution_backward
            call = partial(backward, g, x, weight, None, *pairs, False, [0, 0], 1, mask)
            return {"seconds": many(call, wait)}

    def answer(request):
        if "environment" in request:
            return {"torch": torch.__version__, "cudnn": str(torch.backends.cudnn.version())}
        if request["part"] == "conv":
            return convolution(request["shape"], request["function"])
        if request["part"] == "style":
            return style(request)
        if request["name"] not in trainers:
            trainers.clear()
            trainers[request["name"]] = gan_models.torch_trainer(request["name"], "cuda")
        return {"seconds": many(trainers[request["name"]].step, wait)}

    return answer


def questions(parts):
    """(a row's name, request) for everything that is measured."""
    if "gan" in parts:
        yield from ((name, {"part": "gan", "name": name}) for name in gan_models.NAMES)
    if "style" in parts:
        for size in (256, 512):
            yield f"style {size}", {"part": "style", "net": "vgg19", "size": size}
    if "conv" in parts:
        for shape in conv_algorithms.SHAPES:
            for function in conv_algorithms.FUNCTIONS:
                yield f"{shape} {function}", {"part": "conv", "shape": shape, "function": function}


def missing():
    """Why nothing can be measured here; an empty string where it can."""
    sys.path.insert(0, str(common.ROOT))  # as the workers have it: minigan need not be installed
    from minigan import backend, errors

    try:
        backend.get("cupy")
    except errors.DeviceError as error:
        return str(error)
    return ""


def torch_sees_a_gpu():
    """Whether there is a PyTorch to compare with."""
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def main(arguments=None):
    """Measure, print, and write JSON if asked; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--precision", choices=("highest", "high"), default="high")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default="", help="write the results to this file")
    parser.add_argument("--worker", choices=("minigan", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    if options.worker:
        make = minigan_answers if options.worker == "minigan" else torch_answers
        return common.serve(make(options.precision))
    if why := missing():
        print(f"gpu: nothing was measured: {why}", file=sys.stderr)
        return 2
    command = (__file__, "--precision", options.precision, "--worker")
    ours = common.Worker(*command, "minigan")
    theirs = common.Worker(*command, "torch") if torch_sees_a_gpu() else None
    facts = ours.ask(environment=True) | (theirs.ask(environment=True) if theirs else {"torch": "no GPU"})
    common.print_environment(facts)
    rows, results = [], {}
    for name, request in questions(options.parts or PARTS):
        first, others = [], []
        for _ in range(options.rounds):
            first.append(ours.ask(**request))
            others.append(theirs.ask(**request) if theirs else {"seconds": float("nan")})
        found = common.summary(*([answer["seconds"] for answer in side] for side in (first, others)))
        if "product" in first[0]:
            found["share"] = sorted(a["product"] / a["seconds"] for a in first)[options.rounds // 2]
        results[name] = found
        share = f"{100 * found['share']:.0f} %" if "share" in found else ""
        spread = f"{found['low']:.2f}..{found['high']:.2f}"
        rows.append((name, 1e3 * found["ours"], 1e3 * found["theirs"], found["ratio"], spread, share))
    common.print_table(("what", "minigan ms", "PyTorch ms", "ratio", "spread", "of cuBLAS"), rows)
    if options.json:
        common.write_json(options.json, {"facts": facts, "rows": results})
    for worker in filter(None, (ours, theirs)):
        worker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
