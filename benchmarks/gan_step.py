"""A whole GAN training step beside PyTorch: ``python benchmarks/gan_step.py [dense] [dcgan28] [dcgan64]``.

Both phases and both Adam updates, the same nets and the same code (gan_models.py) in both libraries; latents
and pictures are drawn beforehand. ``--profile`` prints where minigan's time goes instead, by operation.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections import Counter
from functools import partial

import common
import gan_models


def median_step(trainer, seconds):
    """Median seconds of a step, over about ``seconds`` of steps, after two to warm up."""
    trainer.step()
    trainer.step()
    times = []
    while sum(times) < seconds or len(times) < 3:
        started = time.perf_counter()
        trainer.step()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def serve(library):
    """Answer {name, seconds} with the median seconds of a step."""
    trainers = {}
    if library == "torch":
        import torch

        torch.set_num_threads(int(common.THREADS))
    make = gan_models.torch_trainer if library == "torch" else gan_models.minigan_trainer

    def answer(request):
        if "environment" in request:
            return {"torch": torch.__version__} if library == "torch" else common.environment()
        name = request["name"]
        if name not in trainers:
            trainers.clear()
            trainers[name] = make(name)
        return median_step(trainers[name], request["seconds"])

    common.serve(answer)


def profile(name, steps=10):
    """Print milliseconds a step by operation: its forward pass, its backward pass without what that calls."""
    import minigan

    trainer, spent, calls = gan_models.minigan_trainer(name), Counter(), Counter()
    within = 0.0  # seconds of forward passes called by the backward pass that is running

    def note(phase, op, result, seconds):
        nonlocal within
        own = seconds
        if phase == "backward":
            own, within = seconds - within, 0.0
        elif not op.recording:
            phase, within = "in backward", within + seconds
        spent[op.name, phase] += own
        calls[op.name, phase] += 1

    def timed(function):
        started = time.perf_counter()
        function()
        spent["Adam", "step"] += time.perf_counter() - started
        calls["Adam", "step"] += 1

    median_step(trainer, 0.5)
    for optimizer in (trainer.optimizer_g, trainer.optimizer_d):
        optimizer.step = partial(timed, optimizer.step)
    started = time.perf_counter()
    with minigan.observe(note):
        for _ in range(steps):
            trainer.step()
    total = time.perf_counter() - started
    spent["everything else", ""] = total - sum(spent.values())
    rows = [(*key, calls[key] / steps, 1e3 * s / steps) for key, s in spent.most_common()]
    common.print_table(("operation", "phase", "calls", "ms"), rows)
    print(f"one step of {name}: {1e3 * total / steps:.2f} ms")


def main():
    """Run the comparison or the profile."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(gan_models.NAMES))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="of steps, a round and library")
    parser.add_argument("--json", default="", help="write the results to this file")
    parser.add_argument("--profile", action="store_true", help="where minigan's time goes")
    parser.add_argument("--worker", choices=("minigan", "torch", "profile"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker == "profile":
        return [profile(name) for name in options.names]
    if options.worker:
        return serve(options.worker)
    if options.profile:
        command = [sys.executable, __file__, *options.names, "--worker", "profile"]
        return subprocess.run(command, env=common.worker_environment(), check=True)
    ours, theirs = (common.Worker(__file__, "--worker", name) for name in ("minigan", "torch"))
    common.print_environment(theirs.ask(environment=True) | ours.ask(environment=True))
    results, rows = {}, []
    for name in options.names:
        request = {"name": name, "seconds": options.seconds}
        pair = common.interleave(
            lambda r=request: ours.ask(**r), lambda r=request: theirs.ask(**r), options.rounds
        )
        found = results[name] = common.summary(*pair)
        spread = f"{found['low']:.2f}..{found['high']:.2f}"
        rows.append((name, 1e3 * found["ours"], 1e3 * found["theirs"], found["ratio"], spread))
    common.print_table(("step", "minigan ms", "PyTorch ms", "ratio", "spread"), rows)
    if options.json:
        common.write_json(options.json, results)
    ours.close()
    theirs.close()


if __name__ == "__main__":
    main()
