"""How quick is the live laboratory: frames and steps a second, and the time from a command to its effect?

    python benchmarks/live_laboratory.py
    python benchmarks/live_laboratory.py --json out.json --seconds 20

A page is stood in for by the standard library's HTTP client; the laboratory runs in a process of its own, as
`minigan lab ring --live` starts it. From a click to its effect: the command leaves, the trainer obeys between
two steps, a frame is drawn and read that shows it. A browser adds at most two of its own frames.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import time

import common

CURES = ("none", "penalty", "packing", "minibatch", "paired")


class Page:
    """A stream of frames, and commands."""

    def __init__(self, port):
        self.port = port
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.line.request("GET", "/events")
        self.stream = self.line.getresponse()

    def frame(self):
        """The next frame."""
        while line := self.stream.fp.readline():
            if line.startswith(b"data: {") and b'"step"' in line:
                return json.loads(line[6:])
        raise RuntimeError("the laboratory has ended")

    def do(self, **words):
        """Send a command and read its answer."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{self.port}"}
        line.request("POST", "/do", json.dumps(words), headers)
        answer = line.getresponse()
        found = json.loads(answer.read())
        line.close()
        if answer.status != 200:
            raise RuntimeError(found["error"])


def measured(page, cure, seconds):
    """(frames a second, steps a second) of a cure, (median, worst) seconds from a command to its frame."""
    page.do(do="cure", name=cure)
    page.frame()
    begun, first, frames = time.perf_counter(), page.frame()["done"], 0
    while (spent := time.perf_counter() - begun) < seconds:
        last, frames = page.frame()["done"], frames + 1
    waits = []
    for k in range(20):
        rate = 1e-3 * (1 + k / 100)
        sent = time.perf_counter()
        page.do(do="set", settings={"lr_d": rate})
        while page.frame()["set"]["lr_d"] != rate:
            pass
        waits.append(time.perf_counter() - sent)
    return frames / spent, (last - first) / spent, statistics.median(waits), max(waits)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement; default 8")
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    rows = []
    for experiment in ("ring", "grid"):
        command = [sys.executable, "-u", "-m", "minigan", "lab", experiment, "--live", "--no-open"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=common.worker_environment()
        )
        try:
            page = Page(int(process.stdout.readline().split("127.0.0.1:")[1].split("/")[0]))
            for cure in CURES:
                rows.append((experiment, cure, *measured(page, cure, options.seconds)))
        finally:
            process.terminate()
            process.communicate()
    heads = ("points", "cure", "frames/s", "steps/s", "click to effect, ms", "the worst, ms")
    shown = [
        (*row[:2], *(f"{v:.1f}" for v in row[2:4]), *(f"{1e3 * v:.0f}" for v in row[4:])) for row in rows
    ]
    common.print_table(heads, shown)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([dict(zip(heads, row, strict=True)) for row in rows], file, indent=2)


if __name__ == "__main__":
    main()
