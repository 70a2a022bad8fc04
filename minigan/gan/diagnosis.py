"""Live words about a run: is it learning, has someone won, has it collapsed?

The losses of two players do not fall as one player's would: when both learn, they oscillate.  So the rules
look at what D believes, at how sharply it sorts, and at how unlike each other the pictures of a batch are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

import numpy as np

from minigan.gan.record import Record


@dataclass(frozen=True)
class Finding:
    """A verdict: ``kind`` for programs ("healthy", "collapse", ...), ``words`` for people."""

    kind: str
    words: str


class Diagnosis:
    """Watch records; `update` returns a Finding when the verdict changes, else None.

    ``window`` is the number of steps a verdict rests on.
    """

    def __init__(self, *, window: int = 300):
        self.window = window
        self.records: deque[Record] = deque(maxlen=window)
        self.verdict: Finding | None = None

    def update(self, record: Record) -> Finding | None:
        """Take one step's record."""
        self.records.append(record)
        if len(self.records) < self.window or record.step % max(1, self.window // 10):
            return None
        found = judge(list(self.records))
        if self.verdict is not None and found.kind == self.verdict.kind:
            return None
        self.verdict = found
        return found


def history(records: Iterable[Record], *, window: int = 300) -> list[tuple[int, Finding]]:
    """Read a log, whose records may lie some steps apart: (step, verdict) wherever the verdict changed."""
    recent: deque[Record] = deque()
    found: list[tuple[int, Finding]] = []
    due = window
    for record in records:
        recent.append(record)
        while len(recent) > 10 and recent[0].step <= record.step - window:
            recent.popleft()
        if record.step < due or len(recent) < 10:
            continue
        due = record.step + window // 10
        verdict = judge(list(recent))
        if not found or verdict.kind != found[-1][1].kind:
            found.append((record.step, verdict))
    return found


def latest(records: Sequence[Record], *, window: int = 300) -> Finding:
    """Return the verdict on the end of a log, at least one record."""
    return judge([r for r in records[:-10] if r.step > records[-1].step - window] + list(records[-10:]))


def judge(records: Sequence[Record]) -> Finding:
    """Return what a stretch of steps shows, the gravest trouble first."""
    steps = records[-1].step - records[0].step + 1

    def mean(name: str) -> float:
        return fmean(getattr(r, name) for r in records)

    d_loss, g_loss, accuracy, diversity = map(mean, ("d_loss", "g_loss", "accuracy", "diversity"))
    growth = _growth([r.g_norm for r in records])
    if accuracy > 0.98 and mean("g_fake") < 0.05:
        words = (
            f"D is winning: it has sorted {accuracy:.0%} of the pictures rightly for {steps} steps (its "
            f"loss is {d_loss:.3f}), so G hardly learns; try a lower --lr-d, --skip-d-below 0.3, or --r1 1"
        )
        return Finding("discriminator wins", words)
    if diversity < 0.25:
        words = (
            f"collapse: the pictures of a batch differ only {diversity:.0%} as much as real ones do; "
            "try --r1 1, a lower --lr-g, or the relativistic loss"
        )
        return Finding("collapse", words)
    if growth > 30:
        words = f"unstable: G's gradient grew {growth:.0f}-fold in {steps} steps; try a lower --lr-g"
        return Finding("unstable", words)
    if accuracy < 0.52 and mean("d_norm") < 1e-3:
        words = (
            f"D has stopped telling real from fake (accuracy {accuracy:.0%}) and its gradient is near 0, so "
            "G has nothing to learn from; try a higher --lr-d, a lower --r1, or less noise"
        )
        return Finding("discriminator asleep", words)
    swing = pstdev([r.d_loss for r in records])
    words = (
        f"healthy: the losses oscillate around D {d_loss:.2f} (+-{swing:.2f}) and G {g_loss:.2f}, as "
        "they should; they tell nothing about quality, so look at the pictures"
    )
    return Finding("healthy", words)


def _growth(norms: Sequence[float]) -> float:
    """Mean of the last tenth over the mean of the first tenth."""
    tenth = max(1, len(norms) // 10)
    first = fmean(norms[:tenth])
    return fmean(norms[-tenth:]) / first if first > 0 else 1.0


UNSEEN = 0.05  # share of other real pictures that lie as near to a training picture as "near" means


def judge_memory(nearest: np.ndarray, unseen: np.ndarray) -> Finding:
    """Say whether generated pictures are copies, from distances to the nearest training picture.

    ``nearest`` are those of generated pictures, ``unseen`` those of other real ones.  Near is what only
    5 % of the other real pictures are; of pictures that were not copied about as many are.
    """
    limit = float(np.quantile(unseen, UNSEEN))
    near = float((nearest < limit).mean())
    words = f"{near:.0%} of the generated pictures lie nearer to a training picture than {1 - UNSEEN:.0%} of "
    words += "other real ones do"
    if near > 4 * UNSEEN:
        return Finding(
            "memorised", f"memorised: {words}; look at nearest.png, and take more pictures or augment"
        )
    return Finding("healthy", f"no sign of copies: {words} ({UNSEEN:.0%} would be chance)")


def judge_classes(shares: Sequence[float], real_shares: Sequence[float]) -> Finding:
    """Return what the classes of generated pictures (shares that sum to 1) say beside the real ones."""
    wanted = [i for i, share in enumerate(real_shares) if share > 0]
    found = [i for i in wanted if shares[i] >= 0.2 * real_shares[i]]
    if len(found) < len(wanted):
        lost = ", ".join(str(i) for i in wanted if i not in found)
        return Finding(
            "collapse", (f"{len(found)} of {len(wanted)} classes: collapse (class {lost} hardly ever comes)")
        )
    return Finding(
        "healthy", f"all {len(wanted)} classes come, each at least a fifth as often as in the data"
    )
