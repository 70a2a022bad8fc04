"""A whole GAN training step beside PyTorch: ``python benchmarks/gan_step.py [dense] [dcgan28] ...``.

Both phases and both Adam updates, the same nets and the same code (gan_models.py) in both libraries; latents
and pictures are drawn beforehand. "lesson28" begins G with a dense layer and ends D in flatten and a dense
layer; "lesson28 loop" is the same in a program of one's own, which freezes nothing. ``--profile`` prints
where minigan's time goes instead, by operation.
"""

import argparse
import statistics
import subprocess
import sys
import time

import common
import gan_models
import machine


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
            return {"torch": torch.__version__} if library == "torch" else machine.facts()
        name = request["name"]
        if name not in trainers:
            trainers.clear()
            trainers[name] = make(name)
        return median_step(trainers[name], request["seconds"])

    common.serve(answer)


def profile(name, steps=10):
    """Print where minigan's time goes."""
    trainer = gan_models.minigan_trainer(name)
    optimizers = [(optimizer, "step", "Adam") for optimizer in (trainer.optimizer_g, trainer.optimizer_d)]
    common.print_profile(name, trainer.step, steps, optimizers)


def main():
    """Run the comparison or the profile."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*gan_models.NAMES, *gan_models.LOOPS])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="of steps, a round and library")
    common.add_outputs(parser)
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
        rows.append(
            (name, 1e3 * found["ours"], 1e3 * found["theirs"], found["ratio"], spread, gan_models.GOALS[name])
        )
    common.print_table(("step", "minigan ms", "PyTorch ms", "ratio", "spread", "goal"), rows)
    common.write_outputs(options, results, results, "GAN training steps")
    ours.close()
    theirs.close()


if __name__ == "__main__":
    main()
