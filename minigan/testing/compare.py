"""Analytic against numeric: three random probes, sub-gradient intervals at kinks, and where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from minigan.testing import numeric
from minigan.testing.hints import hint
from minigan.testing.numeric import JUMP, KINK, ROUGH, SMOOTH
from minigan.testing.problem import Problem, Recorded, unflatten
from minigan.testing.report import GradReport

RELATIVE = 1e-7  # of the largest single contribution to a probe: does not grow with the number of entries
CONVINCING = 1e-3  # an error bar above this share of the derivative decides nothing
LOCATE = 512  # entries up to which a wrong gradient is compared one by one
FULL = 12  # inputs plus outputs up to which the whole Jacobian is compared


@dataclass(frozen=True)
class Probe:
    """One direction: the derivative that backward claims, the one that was found, and how sure that is."""

    u: np.ndarray
    claimed: float
    found: float
    bar: float
    floor: float
    scale: float
    resolution: float

    @property
    def agrees(self) -> bool:
        """Whether the two differ by no more than three error bars and the floor."""
        return abs(self.claimed - self.found) <= 3 * self.bar + self.floor

    @property
    def convincing(self) -> bool:
        """Whether the error bar is small next to the derivative, or next to the values themselves."""
        return 3 * self.bar <= max(CONVINCING * self.scale, self.resolution)

    @property
    def error(self) -> float:
        """Relative difference."""
        return abs(self.claimed - self.found) / self.scale

    def __str__(self) -> str:
        return f"along a direction analytic {self.claimed:.8g}, numeric {self.found:.8g} +- {self.bar:.1g}"


@dataclass
class Comparison:
    """One order of one problem: the recorded point, the incoming gradient, and where the findings go."""

    problem: Problem
    recorded: Recorded
    weights: np.ndarray
    report: GradReport
    generator: np.random.Generator
    order: int

    def __post_init__(self) -> None:
        self.point, self.start = self.problem.point, self.recorded.value
        self.scale = self.problem.scale
        self.property = "gradient" if self.order == 1 else "second order"

    def run(self, analytic: np.ndarray, probes: int, full: bool) -> float:
        """Compare along `probes` directions (and entry by entry if `full`).

        Return the largest relative error.
        """
        if not self.point.size or not self.start.size:
            return 0.0
        directions = [self.scale * numeric.probe(self.generator, self.point.size) for _ in range(probes)]
        slopes = [self._slope(u) for u in directions]
        kinds = np.array([slope.kind for slope in slopes])
        kink, jump, rough = ((kinds == kind).any(axis=0) for kind in (KINK, JUMP, ROUGH))
        smooth = ~(kink | jump | rough)
        self.report.kinks += int((kink | jump).sum())
        if rough.any():
            self._doubt_rough(rough)
        weights = np.where(smooth, self.weights, 0.0)
        if not smooth.all():
            analytic = self.recorded.gradient(weights)
        probed = [
            self._probe(u, slope, weights, analytic) for u, slope in zip(directions, slopes, strict=True)
        ]
        off = [probe for probe in probed if not probe.agrees]
        if len(off) == 1 and self._agrees_after_all(off[0], weights):
            off = []
        worst = max([probe.error for probe in probed], default=0.0)
        for probe in probed:
            if not probe.convincing and (probe.agrees or probe.error < 0.1):
                self.report.doubts.append(f"order {self.order}: {probe} cannot be judged")
        off = [probe for probe in off if probe.convincing or probe.error >= 0.1]
        if off:
            self._explain(weights, analytic, off[0])
            return worst
        if full:
            self._full(weights)
        if (kink & ~rough).any():
            self._at_kinks(np.where(kink & ~jump & ~rough, np.abs(self.weights), 0.0), directions)
        return worst

    def _slope(self, u: np.ndarray) -> numeric.Slope:
        return numeric.directional(self.problem.value, self.start, self.point, u)

    def _doubt_rough(self, rough: np.ndarray) -> None:
        place = int(np.flatnonzero(rough)[0])
        self.report.doubts.append(
            f"order {self.order}: {int(rough.sum())} of {rough.size} outputs are too rough for finite "
            f"differences (first: flat index {place}, value {self.start[place]:.6g}): noise, "
            "as of a float32 buffer, a pole, or a kink very near"
        )

    def _probe(self, u: np.ndarray, slope: numeric.Slope, weights: np.ndarray, analytic: np.ndarray) -> Probe:
        claimed, largest = float(analytic @ u), float(np.max(np.abs(analytic * u), initial=0.0))
        found, bar = numeric.contracted(slope, weights, self.start)
        resolution = numeric.resolution(weights, self.start)
        scale = max(abs(found), abs(claimed), largest, 1e3 * resolution, 1e-300)
        return Probe(u, claimed, found, bar, RELATIVE * largest, scale, resolution)

    def _agrees_after_all(self, probe: Probe, weights: np.ndarray) -> bool:
        """One probe alone that disagrees may be bad luck: measure it at two more steps."""
        again = numeric.remeasured(self.problem.value, self.start, self.point, probe.u, weights)
        others = [replace(probe, found=found, bar=bar) for found, bar in again]
        return any(other.agrees and other.convincing for other in others)

    def _explain(self, weights: np.ndarray, analytic: np.ndarray, probe: Probe) -> None:
        """Find the worst entry and report it, with a hint if the entries follow a pattern."""
        if self.point.size > LOCATE:
            self.report.add(self.property, f"{probe}\n  {self._bisect(weights, analytic, probe.u)}")
            return
        truth, bars = self._entries(weights)
        excess = (np.abs(analytic - truth) - 3 * bars) * self.scale
        index = int(np.argmax(excess))
        if excess[index] <= 0:
            self.report.doubts.append(f"order {self.order}: {probe}, but no entry alone differs: noise?")
            return
        position, place = self.problem.argument(index)
        shape = self.problem.shapes[position]
        mine, true = (unflatten(v, self.problem.shapes)[position] for v in (analytic, truth))
        tolerance = 3 * unflatten(bars, self.problem.shapes)[position] + 1e-6 * np.max(
            np.abs(true), initial=0
        )
        wrong = int((np.abs(mine - true) > tolerance).sum())
        ratio = f", ratio {analytic[index] / truth[index]:.6g}" if truth[index] else ""
        self.report.add(
            self.property,
            f"{self.problem.labels[position]} of shape {shape}, worst at {list(place)}: analytic "
            f"{analytic[index]:.8g}, numeric {truth[index]:.8g} +- {bars[index]:.1g}{ratio}; "
            f"{wrong} of {mine.size} entries differ",
            hint(mine, true, self._sizes(shape), self.order),
        )

    def _sizes(self, shape: tuple[int, ...]) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for owner, sides in (("the argument", shape), ("the result", self.recorded.results[0].shape)):
            sizes.update({f"axis {axis} of {owner}": side for axis, side in enumerate(sides)})
            sizes[f"the number of elements of {owner}"] = int(np.prod(sides))
            if len(sides) > 2:
                sizes[f"the plane of {owner}"] = int(np.prod(sides[2:]))
                sizes[f"the batch and plane of {owner}"] = sides[0] * int(np.prod(sides[2:]))
        return {name: size for name, size in sizes.items() if size > 1}

    def _entries(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The numeric gradient of weights . results, entry by entry, with its bars."""
        truth, bars = np.zeros(self.point.size), np.zeros(self.point.size)
        for i in range(self.point.size):
            u = np.zeros(self.point.size)
            u[i] = self.scale[i]
            found, bar = numeric.contracted(self._slope(u), weights, self.start)
            truth[i], bars[i] = found / self.scale[i], bar / self.scale[i]
        return truth, bars

    def _bisect(self, weights: np.ndarray, analytic: np.ndarray, u: np.ndarray) -> str:
        """Halve the direction towards the larger mismatch until one entry is left."""
        low, high = 0, self.point.size
        while high - low > 1:
            middle, misses = (low + high) // 2, []
            for begin, end in ((low, middle), (middle, high)):
                part = np.zeros_like(u)
                part[begin:end] = u[begin:end]
                found, bar = numeric.contracted(self._slope(part), weights, self.start)
                misses.append(abs(float(analytic @ part) - found) - 3 * bar)
            low, high = (low, middle) if misses[0] >= misses[1] else (middle, high)
        unit = np.zeros_like(u)
        unit[low] = self.scale[low]
        found, bar = numeric.contracted(self._slope(unit), weights, self.start)
        position, place = self.problem.argument(low)
        return (
            f"{self.problem.labels[position]} of shape {self.problem.shapes[position]}, "
            f"wrong at {list(place)}: analytic {analytic[low]:.8g}, "
            f"numeric {found / self.scale[low]:.8g} +- {bar / self.scale[low]:.1g}"
        )

    def _full(self, weights: np.ndarray) -> None:
        """Compare the Jacobian of the smooth outputs entry by entry."""
        keep = np.flatnonzero(weights)
        rows = np.array([self.recorded.gradient(np.eye(weights.size)[j]) for j in keep])
        for i in range(self.point.size if keep.size else 0):
            u = np.zeros(self.point.size)
            u[i] = self.scale[i]
            slope = self._slope(u)
            claimed = rows[:, i] * self.scale[i]
            noise = numeric.rounding(self.start)[keep]
            bar = 3 * np.abs(slope.bar[keep]) + noise + RELATIVE * np.max(np.abs(claimed))
            wrong = (np.abs(claimed - slope.value[keep]) > bar) & (slope.kind[keep] == SMOOTH)
            if wrong.any():
                j = int(np.flatnonzero(wrong)[0])
                position, place = self.problem.argument(i)
                self.report.add(
                    self.property,
                    f"d result[{keep[j]}] / d {self.problem.labels[position]}{list(place)}: analytic "
                    f"{rows[j, i]:.8g}, numeric {slope.value[keep][j] / self.scale[i]:.8g}",
                )
                return

    def _at_kinks(self, weights: np.ndarray, directions: list[np.ndarray]) -> None:
        """Where only sub-gradients exist the derivative must lie between the one-sided slopes.

        The weights have one sign and a direction with all signs alike is added: there a tie that is counted
        twice cannot look right.
        """
        analytic = self.recorded.gradient(weights)
        alike = self.scale * self.generator.uniform(0.5, 1.5, self.point.size)
        for u in [*directions, alike]:
            slope = self._slope(u)
            low, high = numeric.interval(slope, np.where(slope.kind == ROUGH, 0.0, weights))
            claimed = float(analytic @ u)
            slack = 1e-7 * float(np.max(np.abs(analytic * u), initial=0.0))
            if not low - slack <= claimed <= high + slack and not (slope.kind == ROUGH).any():
                self.report.add(
                    "sub-gradient" if self.order == 1 else self.property,
                    f"at {int(np.count_nonzero(weights))} outputs with a kink a directional derivative is "
                    f"{claimed:.8g}, outside the one-sided slopes [{low:.8g}, {high:.8g}]",
                    "a tie counted twice, or not at all?",
                )
                return
