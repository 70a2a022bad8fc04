"""Steps and convolutions on a GPU beside PyTorch on the same one: ``benchmarks/gpu.py [gan] [style] [conv]``.

The GAN steps of gan_step.py, DCGAN 64 at batch 128 too, the style step of style_step.py, and the
convolutions of conv_algorithms.py, whose share is of the rate that cuBLAS reaches on the same product alone.
PyTorch is shown eager as it comes ("PyTorch"), and with channels-last memory and cudnn.benchmark ("tuned";
the style step with the latter only). Both libraries multiply in the same precision: ``--precision highest``
(float32) or ``high`` (TF32). PyTorch has cuDNN, CuPy has not.

By default it stops asking after three minutes and says what was left out (a lent machine's time is short):
GAN steps first, then style, then eight convolutions; ``--all`` takes all of them and all the time it needs.
Every convolution's result is compared with PyTorch's on the same numbers, and so are the losses of a step.
Without a GPU, or without CuPy, it says so in one line and ends with code 2.
"""

import argparse
import statistics
import sys
import time
from functools import partial

import common
import conv_algorithms
import gan_models
import style_step

PARTS = ("gan", "style", "conv")
MINUTES = 3.0  # after which nothing more is asked
FEW = (
    "dcgan64 d1", "dcgan64 d2", "dcgan64 d3", "dcgan64 d4", "vgg256 1_2", "vgg256 3_2", "vgg256 4_2",
    "3x3 28",
)  # fmt: skip
GANS = (*((name, None) for name in gan_models.NAMES), ("dcgan64", 128))  # name, batch
PROBES = 101  # numbers of a result that are compared


def operands(shape):
    """x, weight and g of a convolution, the same for both libraries, channels-last memory, on the host."""
    import numpy as np

    N, C, H, W, O, KH, KW, stride, padding = conv_algorithms.SHAPES[shape]
    OH, OW = ((n + 2 * padding - k) // stride + 1 for n, k in ((H, KH), (W, KW)))
    draw = np.random.default_rng(0).standard_normal

    def image(N, C, H, W):
        return draw((N, H, W, C), dtype=np.float32).transpose(0, 3, 1, 2)

    return image(N, C, H, W), image(O, C, KH, KW), image(N, O, OH, OW)


def probe(result):
    """Some numbers of a result on the host, evenly spread over it, and its largest."""
    import numpy as np

    flat = np.ascontiguousarray(result).reshape(-1)
    places = np.linspace(0, flat.size - 1, PROBES).astype(int)
    return [float(value) for value in (*flat[places], np.abs(flat).max())]


def many(call, wait, at_least=0.1):
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
    import minigan
    from minigan import backend
    from minigan.kernels.conv import cuda_im2col, registry
    from minigan.ops.conv import ConvSpec

    minigan.use("cupy")
    minigan.set_matmul_precision(precision)
    style, xp = style_step.minigan_answers(), backend.current().xp
    trainers, kept = {}, {}

    def convolution(shape, function):
        N, C, H, W, O, KH, KW, stride, padding = conv_algorithms.SHAPES[shape]
        spec = ConvSpec(N, C, H, W, O, KH, KW, (stride, stride), (padding, padding))
        if kept.get("shape") != shape:
            x, weight, g = (backend.to_device(array, "cupy") for array in operands(shape))
            columns = cuda_im2col.unroll(x, spec, (0, N, 0, spec.OH))
            matrix = cuda_im2col.prepare(weight, spec, "forward")
            product = many(lambda: xp.dot(columns, matrix), minigan.synchronize)
            kept.update(shape=shape, arrays=(x, weight, g), product=product)
        x, weight, g = kept["arrays"]
        arguments = {"forward": (x, weight), "input_grad": (g, weight), "weight_grad": (x, g)}[function]
        run = getattr(registry.choose(spec, function, like=x), function)
        return {
            "seconds": many(lambda: run(*arguments, spec), minigan.synchronize),
            "product": kept["product"],
            "probe": probe(backend.to_host(run(*arguments, spec))),
        }

    def answer(request):
        if "environment" in request:
            facts = xp.cuda.runtime.getDeviceProperties(xp.cuda.Device().id)
            return {"GPU": facts["name"].decode(), "cupy": xp.__version__, "precision": precision}
        if request["part"] == "conv":
            return convolution(request["shape"], request["function"])
        if request["part"] == "style":
            return style(request)
        key = request["name"], request["batch"]
        if key not in trainers:
            trainers.clear()
            trainers[key] = gan_models.minigan_trainer(*key)
        return {"seconds": many(trainers[key].step, minigan.synchronize)}

    return answer


def torch_answers(precision, tuned):
    """The same in PyTorch; ``tuned``: channels-last memory, and cuDNN's algorithms chosen by measuring."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "high"
    torch.backends.cudnn.benchmark = tuned
    style, wait, trainers, kept = style_step.torch_answers("cuda"), torch.cuda.synchronize, {}, {}
    memory = torch.channels_last if tuned else torch.contiguous_format

    def convolution(shape, function):
        *_, stride, padding = conv_algorithms.SHAPES[shape]
        if kept.get("shape") != shape:
            arrays = [
                torch.from_numpy(a).to("cuda").contiguous(memory_format=memory) for a in operands(shape)
            ]
            kept.update(shape=shape, arrays=arrays)
        x, weight, g = kept["arrays"]
        with torch.no_grad():
            call = partial(torch.nn.functional.conv2d, x, weight, stride=stride, padding=padding)
            if function != "forward":
                mask = [function == "input_grad", function == "weight_grad", False]
                pairs = ([stride, stride], [padding, padding], [1, 1])
                backward = torch.ops.aten.convolution_backward
                full = partial(backward, g, x, weight, None, *pairs, False, [0, 0], 1, mask)
                call = lambda: full()[mask.index(True)]  # noqa: E731
            return {"seconds": many(call, wait), "probe": probe(call().cpu().numpy())}

    def trainer(name, batch):
        made = gan_models.torch_trainer(name, "cuda", batch)
        if tuned and name != "dense":
            for part in (made.generator, made.discriminator):
                part.to(memory_format=memory)
            made.real = made.real.contiguous(memory_format=memory)
        return made

    def answer(request):
        if "environment" in request:
            return {"torch": torch.__version__, "cudnn": str(torch.backends.cudnn.version())}
        if request["part"] == "conv":
            return convolution(request["shape"], request["function"])
        if request["part"] == "style":
            return style(request)
        key = request["name"], request["batch"]
        if key not in trainers:
            trainers.clear()
            trainers[key] = trainer(*key)
        return {"seconds": many(trainers[key].step, wait)}

    return answer


def questions(parts, everything=True):
    """(a row's name, request) for what is measured, the most wanted first."""
    if "gan" in parts:
        for name, batch in GANS[::-1]:
            yield (
                f"{name}, batch {batch or gan_models.BATCH[name]}",
                {"part": "gan", "name": name, "batch": batch},
            )
    if "style" in parts:
        for size in (256, 512):
            yield f"style {size}", {"part": "style", "net": "vgg19", "size": size}
    if "conv" in parts:
        for shape in conv_algorithms.SHAPES if everything else FEW:
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


def apart(ours, theirs):
    """How far two answers' results are from one another, as a share of the largest number; "" without any."""
    if "probe" in ours and "probe" in theirs:
        largest = theirs["probe"][-1] or 1.0
        return max(abs(a - b) for a, b in zip(ours["probe"], theirs["probe"], strict=True)) / largest
    if "loss" in ours and "loss" in theirs:
        return abs(ours["loss"] - theirs["loss"]) / abs(theirs["loss"])
    return ""


def measured(workers, request, rounds):
    """One row: minigan's seconds, the two PyTorchs', ratios, cuBLAS's share, how far results are apart."""
    answers = [[worker.ask(**request) for worker in workers] for _ in range(rounds)]
    sides = [[row[i]["seconds"] for row in answers] for i in range(len(workers))]
    row = {"ours": statistics.median(sides[0])}
    for name, side in zip(("eager", "tuned"), sides[1:], strict=False):
        row[name] = statistics.median(side)
        row[f"ratio_{name}"] = statistics.median(a / b for a, b in zip(sides[0], side, strict=True))
    first = answers[0]
    if "product" in first[0]:
        row["share"] = first[0]["product"] / row["ours"]
    if len(workers) > 1:
        row["apart"] = apart(first[0], first[1])
    return row


def parsed(arguments):
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--precision", choices=("highest", "high"), default="high")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--all", action="store_true", help="every convolution, however long it takes")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="after which nothing more is asked")
    parser.add_argument("--json", default="", help="write the results to this file")
    parser.add_argument("--worker", choices=("minigan", "eager", "tuned"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    return options


def main(arguments=None):
    """Measure, print, and write JSON if asked; returns the exit code."""
    options, begun = parsed(arguments), time.monotonic()
    if options.worker == "minigan":
        return common.serve(minigan_answers(options.precision))
    if options.worker:
        return common.serve(torch_answers(options.precision, options.worker == "tuned"))
    if why := missing():
        print(f"gpu: nothing was measured: {why}", file=sys.stderr)
        return 2
    names = ("minigan", "eager", "tuned") if torch_sees_a_gpu() else ("minigan",)
    command = (__file__, "--precision", options.precision, "--worker")
    workers = [common.Worker(*command, name) for name in names]
    facts = {"torch": "no GPU"} | {
        k: v for worker in workers for k, v in worker.ask(environment=True).items()
    }
    common.print_environment(facts)
    rows, results, left_out = [], {}, 0
    for name, request in questions(options.parts or PARTS, options.all):
        if not options.all and time.monotonic() - begun > 60 * options.minutes:
            left_out += 1
            continue
        row = results[name] = measured(workers, request, options.rounds)
        times = [1e3 * row[key] if key in row else "" for key in ("ours", "eager", "tuned")]
        share = f"{100 * row['share']:.0f} %" if "share" in row else ""
        ratios = [row.get(key, "") for key in ("ratio_eager", "ratio_tuned")]
        rows.append((name, *times, *ratios, share, row.get("apart", "")))
        shown = (f"{key} {value:.3g}" for key, value in row.items() if value != "")
        print(f"{name}: {', '.join(shown)}", file=sys.stderr, flush=True)  # what a run cut short leaves
        if options.json:
            common.write_json(options.json, {"facts": facts, "rows": results})
    headings = ("what", "minigan ms", "PyTorch ms", "tuned ms", "ratio", "to tuned", "of cuBLAS", "apart")
    common.print_table(headings, rows)
    if left_out:
        print(f"{left_out} more were left out after {options.minutes:g} minutes; --all takes all of them")
    for worker in workers:
        worker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
