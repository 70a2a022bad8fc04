"""When D rests and when it takes a turn more."""

import numpy as np
import pytest

from minigan import gan
from minigan.errors import ArgumentError
from minigan.gan.balance import Balance
from minigan.gan.trainer import Trainer


def config(**options):
    return gan.resolve("dense", shape=(1, 4, 4), latent=3, batch=8, **options)


def test_without_rules_d_takes_every_turn():
    balance = Balance()
    assert not balance.rests(config(), -5.0, 1.0)  # a critic's loss may be below 0
    assert balance.turns(config()) == 1 and balance.turns(config(d_steps=3, fresh_fakes=True)) == 3


def test_d_rests_while_its_loss_is_low():
    assert Balance().rests(config(skip_d_below=0.3), 0.29, 0.5)
    assert not Balance().rests(config(skip_d_below=0.3), 0.31, 0.5)


def test_the_target_sees_the_average_of_about_ten_batches():
    c, balance = config(accuracy_target=0.8), Balance()
    assert balance.turns(c) == 2  # knows nothing yet: 0.5
    rested = [balance.rests(c, 1.0, 1.0) for _ in range(12)]
    # 1 - 0.5 * 0.9^n > 0.8 from n = 9 on.
    assert rested == [False] * 8 + [True] * 4
    assert balance.turns(c) == 1
    for _ in range(3):
        balance.rests(c, 1.0, 0.5)
    assert balance.accuracy == pytest.approx(0.5 + (0.5 - 0.5 * 0.9**12) * 0.9**3)
    assert balance.turns(c) == 1  # 0.76: below the target, but by less than the margin
    balance.rests(c, 1.0, 0.5)
    assert balance.turns(c) == 2


def test_impossible_targets_are_refused():
    with pytest.raises(ArgumentError, match="guessing alone gets 0.5"):
        config(accuracy_target=0.3)
    with pytest.raises(ArgumentError, match="accuracy_target"):
        config(accuracy_target=1.5)


@pytest.mark.parametrize("first", [True, False])
def test_training_stays_near_the_target(first):
    """D's rate is high enough to win at once; the target keeps it from it."""
    images = np.random.default_rng(0).uniform(-1, 1, (64, 1, 4, 4)).astype(np.float32)

    def late_accuracy(**options):
        small = {"model": "planar", "base": 32, "r1": 0.0}
        options = {**small, "lr_g": 1e-4, "lr_d": 2e-3, "generator_first": first, **options}
        trainer = Trainer.create(config(**options), images)
        records = [trainer.train_step() for _ in range(150)]
        return np.mean([r.accuracy for r in records[60:]]), sum(r.skipped for r in records)

    accuracy, rests = late_accuracy(accuracy_target=0.7)
    assert 0.6 < accuracy < 0.8 and rests > 20
    accuracy, rests = late_accuracy()
    assert accuracy > 0.85 and rests == 0
