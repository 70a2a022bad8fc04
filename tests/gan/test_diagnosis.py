"""Each verdict from records that show it, and only when it changes."""

from dataclasses import replace

import numpy as np
import pytest

from minigan.gan.diagnosis import Diagnosis, history, judge, judge_classes, latest
from minigan.gan.record import Record

GOOD = Record(step=1, epoch=0, d_loss=1.2, g_loss=0.9, d_real=0.6, d_fake=0.4, g_fake=0.4, accuracy=0.7,
              g_norm=1.0, d_norm=1.0, diversity=0.9)  # fmt: skip


def run(count=300, **changes):
    return [replace(GOOD, step=i + 1, d_loss=1.2 + 0.1 * np.sin(i), **changes) for i in range(count)]


@pytest.mark.parametrize(
    "changes, kind, words",
    [
        ({}, "healthy", "oscillate around D 1.20"),
        (
            {"accuracy": 0.995, "g_fake": 0.01},
            "discriminator wins",
            "D is winning.*300 steps.*--skip-d-below",
        ),
        ({"diversity": 0.1}, "collapse", "differ only 10%"),
        ({"accuracy": 0.5, "d_norm": 1e-5}, "discriminator asleep", "stopped telling"),
    ],
)
def test_verdicts(changes, kind, words):
    import re

    found = judge(run(**changes))
    assert found.kind == kind
    assert re.search(words, found.words)


def test_a_growing_gradient_is_called_unstable():
    records = [replace(GOOD, step=i, g_norm=1.05**i) for i in range(300)]
    assert judge(records).kind == "unstable"


def test_a_verdict_is_said_when_it_changes_and_not_before_the_window_is_full():
    watch = Diagnosis(window=50)
    healthy = [watch.update(record) for record in run(200)]
    assert [f.kind for f in healthy if f] == ["healthy"]
    assert healthy.index(next(f for f in healthy if f)) == 49
    winning = [watch.update(replace(r, step=r.step + 200)) for r in run(200, accuracy=1.0, g_fake=0.0)]
    assert [f.kind for f in winning if f] == ["discriminator wins"]
    assert watch.verdict.kind == "discriminator wins"


@pytest.mark.parametrize("apart", [1, 10, 200])
def test_a_log_is_read_as_the_run_was_watched(apart):
    records = run(3000)
    records += [replace(r, step=r.step + 3000) for r in run(3000, accuracy=1.0, g_fake=0.0)]
    log = [r for r in records if r.step % apart == 0]
    (first, healthy), (second, winning) = history(log)
    window = max(300, 10 * apart)
    assert healthy.kind == "healthy" and window <= first <= window + 30
    # The mean accuracy passes 98 % when 14 of 15 steps of the window are won; it is looked at every 30 steps.
    assert winning.kind == "discriminator wins" and 0.9 * window < second - 3000 <= window + 30
    assert latest(log).kind == "discriminator wins" and latest(log[: len(log) // 2]).kind == "healthy"
    assert f"rightly for {window - apart + 1} steps" in latest(log).words


def test_a_short_log_has_no_history():
    assert history(run(299)) == [] and history([]) == []
    assert latest(run(3)).kind == "healthy"


def test_classes():
    real = [0.25] * 4
    assert judge_classes([0.2, 0.3, 0.25, 0.25], real).kind == "healthy"
    lost = judge_classes([0.5, 0.49, 0.01, 0.0], real)
    assert lost.kind == "collapse" and lost.words.startswith("2 of 4 classes") and "class 2, 3" in lost.words
