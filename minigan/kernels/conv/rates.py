"""How long a product or a copy takes: the few measured numbers behind every algorithm's ``cost``.

They stand for float32 on two cores with AVX-512 until `calibration` has measured the machine at hand.
``benchmarks/conv_costs.py`` says what the choice loses, with these and with each of them off by two.
"""

MACS = 2.1e11  # multiply-adds a second of a wide product
NARROW = 3  # a product of n columns runs at n / (n + NARROW) of that
THIN = 8.5e10  # multiply-adds a second where one factor has a few rows and columns only: it waits for memory
FLOATS = 2.2e10  # floats a second of a copy in long runs, within cache
RUN = 2.5e-9  # seconds to begin each run
SHORT = 3  # floats in a run below which NumPy walks another axis
CALL = 5e-5  # seconds to begin: Python, and waking the other threads

BUILT_IN = {"MACS": MACS, "THIN": THIN, "FLOATS": FLOATS, "RUN": RUN, "CALL": CALL}


def here(seconds):
    """Seconds on this machine for what takes ``seconds`` where the built-in numbers were fitted.

    By the geometric mean of the three speeds, for work that is a little of each.
    """
    fitted = BUILT_IN["MACS"] * BUILT_IN["THIN"] * BUILT_IN["FLOATS"]
    return seconds * (fitted / (MACS * THIN * FLOATS)) ** (1 / 3)


def product(macs, columns):
    """Seconds of ``macs`` multiply-adds in matrix products of ``columns`` columns."""
    return macs * (columns + NARROW) / (columns * MACS)


def copy(cells, run):
    """Seconds to copy ``cells`` floats in contiguous runs of ``run``."""
    return cells / FLOATS + cells / max(run, SHORT) * RUN


def add(cells, run):
    """Seconds to add ``cells`` floats into others, in runs of ``run``."""
    return 2.6 * copy(cells, run)
