"""How long 10,000 rendered digits take: ``python benchmarks/glyphs.py``.  The promise is 5 s at 28 x 28."""

import argparse
import statistics
import time

import common

from minigan.data import glyphs

PROMISE = 5.0  # seconds


def seconds(size, channels):
    """Seconds for 10,000 pictures; the first call of a process also thins the fonts' outlines."""
    begun = time.perf_counter()
    glyphs.render_glyphs(10_000, size=size, channels=channels)
    return time.perf_counter() - begun


def main():
    """Print the first call and the median of the later ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    common.print_environment(common.environment())
    print("10,000 glyphs     first      later")
    for size, channels in ((28, 1), (64, 3)):
        first = seconds(size, channels)
        later = statistics.median(seconds(size, channels) for _ in range(arguments.rounds))
        print(f"{size} px, {channels} ch   {first:7.2f} s  {later:7.2f} s   promise at 28 px: {PROMISE} s")


if __name__ == "__main__":
    main()
