"""Peak memory of a GAN training step beside PyTorch: ``python benchmarks/memory.py [dense] [dcgan28] ...``.

Each net is trained for a few steps in a fresh process of each library, which then reports the largest
resident size it ever had. The second pair of columns takes off what the library alone holds once in use.
"""

import argparse
import json
import resource
import subprocess
import sys

import common
import gan_models


def trained(library, name, steps):
    """In a process of its own: megabytes resident after the import, and at the peak of ``steps`` steps."""
    if library == "torch":
        import torch

        torch.set_num_threads(int(common.THREADS))
    make = gan_models.torch_trainer if library == "torch" else gan_models.minigan_trainer
    make("dense")  # the import, and what a first use loads
    before = resident()
    trainer = make(name)
    for _ in range(steps):
        trainer.step()
    return {"before": before, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def resident():
    """Megabytes resident now (Linux)."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def ask(library, name, steps):
    """Run `trained` in a fresh process."""
    command = [sys.executable, __file__, name, "--steps", str(steps), "--worker", library]
    answer = subprocess.run(command, env=common.worker_environment(), check=True, stdout=subprocess.PIPE)
    return json.loads(answer.stdout)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(gan_models.NAMES))
    parser.add_argument("--steps", type=int, default=10)
    common.add_outputs(parser)
    parser.add_argument("--worker", choices=("minigan", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return print(json.dumps(trained(options.worker, options.names[0], options.steps)))
    common.print_environment(common.environment())
    results, rows = {}, []
    for name in options.names:
        ours, theirs = (ask(library, name, options.steps) for library in ("minigan", "torch"))
        results[name] = {"minigan": ours, "torch": theirs, "ratio": ours["peak"] / theirs["peak"]}
        growth = [found["peak"] - found["before"] for found in (ours, theirs)]
        results[name]["growth_ratio"] = growth[0] / growth[1]
        rows.append(
            (name, ours["peak"], theirs["peak"], results[name]["ratio"], *growth, growth[0] / growth[1])
        )
    headings = ("step", "minigan MB", "PyTorch MB", "ratio", "minigan +MB", "PyTorch +MB", "ratio")
    common.print_table(
        headings, [(row[0], *(f"{v:.2f}" if v < 10 else f"{v:.0f}" for v in row[1:])) for row in rows]
    )
    common.write_outputs(options, results, results, "Peak memory of a step")


if __name__ == "__main__":
    main()
