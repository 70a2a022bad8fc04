"""Settings every test runs under.

Two environment variables change them:

* ``MINIGAN_HYPOTHESIS``: how hard the property tests try. ``default`` draws a few examples, the
  same ones every time; ``few`` draws two; ``ci`` draws 200 a property, the same ones every time;
  ``nightly`` draws 2,000 fresh ones.
* ``MINIGAN_BACKEND``: where new tensors live, as for the library itself.
"""

import os
import sys
from pathlib import Path

# Under xdist every worker has a core of its own: BLAS threads on top of that only get in one another's way.
# NumPy reads these once, when it is imported, so they are set before anything can import it.
if "PYTEST_XDIST_WORKER" in os.environ:
    for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[_variable] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["MINIGAN_CALIBRATE"] = "off"  # which algorithm runs must not depend on how busy the machine is

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))  # for `import fake_device`, the same one everywhere

_SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("default", max_examples=5, derandomize=True, **_SHARED)
settings.register_profile("few", max_examples=2, derandomize=True, **_SHARED)
settings.register_profile("ci", max_examples=200, derandomize=True, **_SHARED)
settings.register_profile("nightly", max_examples=2000, print_blob=True, **_SHARED)
settings.load_profile(os.environ.get("MINIGAN_HYPOTHESIS", "default"))


def _gpu_missing() -> str:
    """Say why no GPU can be used here, or return an empty string when one can."""
    from minigan import backend, errors

    try:
        backend.get("cupy")
    except errors.DeviceError as error:
        return str(error)
    return ""


def pytest_collection_modifyitems(config, items):
    """Leave the gpu tests out where there is no GPU, and say so."""
    wanting = [item for item in items if item.get_closest_marker("gpu")]
    why = _gpu_missing() if wanting else ""
    if why:
        items[:] = [item for item in items if item not in wanting]
        config.hook.pytest_deselected(items=wanting)
        config.stash[_left_out] = f"{len(wanting)} gpu tests left out: {why}"


_left_out = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter):
    if _left_out in terminalreporter.config.stash:
        terminalreporter.write_line(terminalreporter.config.stash[_left_out])
