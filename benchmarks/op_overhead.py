"""What an operation costs beside its arithmetic: tiny arrays, minigan against PyTorch on the CPU.

    python benchmarks/op_overhead.py
    python benchmarks/op_overhead.py --json out.json --rounds 7
    python benchmarks/op_overhead.py --profile chain      where minigan's time goes, function by function

On arrays of one element the arithmetic is free; what is left is Python, checking and recording. That is the
price of writing the library in Python, and of a graph that can be read.
"""

import argparse
import sys

import common


def programs(library):
    """Name -> function of no arguments, the same work in either library."""
    if library == "torch":
        import torch

        torch.set_num_threads(1)

        def leaf(*shape):
            return torch.ones(shape, requires_grad=True)

        grad, no_grad, functions = torch.autograd.grad, torch.no_grad, torch.nn.functional
    else:
        import numpy as np

        import minigan

        def leaf(*shape):
            return minigan.Tensor(np.ones(shape, np.float32), requires_grad=True)

        grad, no_grad, functions = minigan.grad, minigan.no_grad, minigan.ops
    a, row, weight, bias = leaf(1), leaf(4, 8), leaf(8, 8), leaf(8)

    def chain(n=100):
        y = a
        for _ in range(n):
            y = y * a
        return y

    def quiet():
        with no_grad():
            return chain()

    def network():
        h = functions.leaky_relu(functions.linear(row, weight, bias), 0.2)
        return (functions.linear(h, weight, bias) ** 2).mean()

    def twice():
        (first,) = grad((a * a * a).sum(), a, create_graph=True)
        return grad(first.sum(), a)

    return {
        "100 products, not recorded": quiet,
        "100 products, recorded": chain,
        "the same and backward": lambda: grad(chain(), a),
        "two dense layers and backward": lambda: grad(network(), [row, weight, bias]),
        "a second derivative": twice,
    }


def serve(library):
    """Worker: answer a program's seconds a call."""
    known = programs(library)

    def answer(request):
        if "environment" in request:
            return common.environment()
        if "names" in request:
            return list(known)
        return min(common.seconds_a_call(known[request["program"]]) for _ in range(3))

    common.serve(answer)


def profile(name):
    """Print where the time of one program goes."""
    import cProfile
    import pstats

    sys.path.insert(0, str(common.ROOT))
    found = [program for key, program in programs("minigan").items() if name in key]
    if not found:
        sys.exit(f"no program called {name!r}")
    with cProfile.Profile() as profiler:
        for _ in range(200):
            found[0]()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(15)


def main():
    """Measure all programs in alternating rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", choices=("minigan", "torch"), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds (default 5)")
    common.add_outputs(parser)
    parser.add_argument("--profile", metavar="WORDS", help="profile the program whose name holds these words")
    options = parser.parse_args()
    if options.worker:
        return serve(options.worker)
    if options.profile:
        return profile(options.profile)
    ours, theirs = (common.Worker(__file__, "--worker", name) for name in ("minigan", "torch"))
    common.print_environment(ours.ask(environment=True))
    rows, results = [], {}
    for name in ours.ask(names=True):
        pair = common.interleave(
            lambda name=name: ours.ask(program=name),
            lambda name=name: theirs.ask(program=name),
            options.rounds,
        )
        found = results[name] = common.summary(*pair)
        rows.append((name, 1e6 * found["ours"], 1e6 * found["theirs"], found["ratio"],
                     f"{found['low']:.2f}..{found['high']:.2f}"))  # fmt: skip
    common.print_table(("program", "minigan us", "PyTorch us", "ratio", "spread"), rows)
    common.write_outputs(options, results, results, "What an operation costs beside its arithmetic")
    for worker in (ours, theirs):
        worker.close()


if __name__ == "__main__":
    main()
