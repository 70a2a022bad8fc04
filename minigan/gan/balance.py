"""When does the discriminator learn?  The controls that look at how the game stands, in one place.

A discriminator that is always right gives its opponent no slope to follow, one that guesses gives it no
direction.  Three options steer between the two: ``d_steps`` (turns of D a step), ``skip_d_below`` (D rests
while its loss is low; the lesson's cure) and ``accuracy_target`` (D rests while it is right too often, and
takes one turn more while it is too seldom).

The cures that need no look at the game are plain numbers and stand where they act: ``lr_g``, ``lr_d`` and
``lr_end`` in the optimisers, ``label_smoothing`` in `losses`, ``r1`` and its kin in `penalties`,
``instance_noise``, ``augment`` and ``pack`` in `Trainer.judge`.
"""

from __future__ import annotations

from minigan.gan.config import Config

MEMORY = 0.9  # of the moving average; one batch alone is too noisy to steer by
MARGIN = 0.05  # below the target by more than this, D takes a turn more


class Balance:
    """``accuracy`` is the moving average of D's accuracy, 0 to 1; part of a run's state."""

    def __init__(self) -> None:
        self.accuracy = 0.5

    def turns(self, config: Config) -> int:
        """Return how many turns D gets in this step."""
        behind = 0 < config.accuracy_target and self.accuracy < config.accuracy_target - MARGIN
        return config.d_steps + behind

    def steers(self, config: Config) -> bool:
        """Return whether the options ask D to rest or to go on by how the game stands."""
        return config.skip_d_below > 0 or config.accuracy_target > 0

    def rests(self, config: Config, loss: float, accuracy: float) -> bool:
        """Take the loss and the accuracy that D has just had; say whether it goes without an update.

        The rule of ``skip_d_below`` sees this batch's loss, the target's the average over some ten batches.
        """
        self.accuracy = MEMORY * self.accuracy + (1 - MEMORY) * accuracy
        too_good = 0 < config.accuracy_target < self.accuracy
        return bool(too_good or 0 < config.skip_d_below > loss)
