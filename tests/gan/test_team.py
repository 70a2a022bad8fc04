"""`minigan.gan.team`: k ranks with B pictures each are one process with k B, but for batch norm."""

import pickle
import threading

import numpy as np
import pytest

from minigan import gan, nn
from minigan.data.loader import Loader
from minigan.errors import ArgumentError, NumericError
from minigan.gan.team import Ranks, Share, Team
from minigan.gan.vae_trainer import VAETrainer

BATCH, SHAPE = 12, (1, 6, 6)


class Meeting:
    """A communicator of threads, with the few of MPI's calls that `Ranks` makes."""

    class Seat:
        def __init__(self, meeting, rank):
            self.meeting, self.rank = meeting, rank

        def Get_rank(self):
            return self.rank

        def Get_size(self):
            return self.meeting.size

        def allgather(self, value):
            return self.meeting.exchange(self.rank, pickle.dumps(value))

        def bcast(self, value, root):
            return self.allgather(value)[root]

        def Allreduce(self, mine, total):
            assert mine.flags.c_contiguous and mine.dtype == total.dtype
            self.meeting.reduced += self.rank == 0
            total[...] = sum(self.allgather(mine))

    def __init__(self, size):
        self.size, self.reduced = size, 0
        self.table, self.barrier = [None] * size, threading.Barrier(size, timeout=30)

    def exchange(self, rank, value):
        self.table[rank] = value
        self.barrier.wait()
        found = [pickle.loads(value) for value in self.table]
        self.barrier.wait()
        return found

    def hold(self, function):
        """Call function(team) on every rank; their results in order."""
        results = [None] * self.size

        def sit(rank):
            try:
                results[rank] = function(Ranks(self.Seat(self, rank)))
            except Exception as error:
                results[rank] = error
                if not isinstance(error, (NumericError, ArgumentError)):
                    self.barrier.abort()

        threads = [threading.Thread(target=sit, args=(rank,)) for rank in range(self.size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


def plain_trainer(**options):
    """Networks without batch norm, with dropout, and every option that draws random numbers."""
    options = {"instance_noise": 0.1, "augment": "brightness,contrast,translation,cutout,flip"} | options
    config = gan.Config(shape=SHAPE, latent=5, batch=BATCH, ema=0.9, **options)
    rng = np.random.default_rng(1)
    generator = nn.Sequential(
        nn.Linear(5, 16, generator=rng), nn.LeakyReLU(0.2), nn.Dropout(0.2, generator=rng.spawn(1)[0]),
        nn.Linear(16, 36, generator=rng), nn.Tanh(), nn.Unflatten(1, SHAPE),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(config.pack, 4, 3, padding=1, generator=rng), nn.LeakyReLU(0.2), nn.Flatten(),
        nn.Dropout(0.2, generator=rng.spawn(1)[0]), nn.Linear(144, 1, generator=rng), nn.Flatten(0),
    )  # fmt: skip
    images = np.random.default_rng(2).uniform(-1, 1, (50, *SHAPE)).astype(np.float32)
    return gan.Trainer(config, generator, discriminator, Loader(images, batch_size=BATCH, seed=3))


def weights(trainer):
    networks = (trainer.generator, trainer.discriminator, trainer.average.module)
    return [value.numpy() for network in networks for value in network.state_dict().values()]


def train(make, steps, team=None):
    trainer = make()
    if team:
        trainer.join(team)
    records = [trainer.train_step() for _ in range(steps)]
    random = [trainer.random.bit_generator.state]
    random += [network.random_state() for network in (trainer.generator, trainer.discriminator)]
    return weights(trainer), records[-1].to_dict() | {"seconds": 0}, random


PENALTIES = {"r1": 1.0, "r2": 0.5, "wgan_gp": 2.0}


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize(
    "options",
    [
        PENALTIES,
        {"loss": "relativistic", "fresh_fakes": True, "d_steps": 2},
        {"generator_first": False, "accuracy_target": 0.5, "pack": 2, "loss": "hinge"},
        {"loss": "wgan", "clip": 0.1},
    ],
    ids=["penalties", "relativistic", "packs", "clip"],
)
def test_ranks_take_the_step_of_one_process(size, options):
    def make():
        return plain_trainer(**options)

    alone, record, random = train(make, 3)
    ranks = Meeting(size).hold(lambda team: train(make, 3, team))
    for found, said, streams in ranks:
        assert streams == random
        for one, other in zip(found, alone, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
        for name, value in record.items():  # the spread of a batch's pictures is not a mean over pictures
            assert name == "diversity" or said[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name
    for found, said, _ in ranks[1:]:  # and among themselves they agree to the bit
        assert said == ranks[0][1]
        assert all(np.array_equal(one, other) for one, other in zip(found, ranks[0][0], strict=True))


def test_gradients_are_summed_once_a_phase():
    meeting = Meeting(2)
    meeting.hold(lambda team: train(plain_trainer, 1, team))
    # One sum of gradients a phase (these nets have no buffers), and one of a few numbers a step.
    assert meeting.reduced == 2 + 1


def test_batch_norm_sees_its_own_rows_and_its_buffers_agree():
    def make():
        images = np.random.default_rng(2).uniform(-1, 1, (50, *SHAPE)).astype(np.float32)
        return gan.Trainer.create(gan.resolve("dense", shape=SHAPE, latent=5, batch=BATCH), images)

    (one, *_), (other, *_) = Meeting(2).hold(lambda team: train(make, 2, team))
    assert all(np.array_equal(x, y) for x, y in zip(one, other, strict=True))
    alone, *_ = train(make, 2)
    assert max(abs(x - y).max() for x, y in zip(one, alone, strict=True)) > 1e-4


def test_a_vae_too():
    def make():
        images = np.random.default_rng(2).uniform(-1, 1, (50, 1, 8, 8)).astype(np.float32)
        config = gan.resolve("vae", shape=(1, 8, 8), latent=3, batch=BATCH)
        trainer = gan.Trainer.create(config, images)
        assert isinstance(trainer, VAETrainer)
        return trainer

    ranks = Meeting(2).hold(lambda team: train(make, 2, team))
    assert ranks[0][1] == ranks[1][1]
    assert all(np.array_equal(x, y) for x, y in zip(ranks[0][0], ranks[1][0], strict=True))


def test_a_number_that_is_not_finite_on_one_rank_stops_all_of_them():
    def make(team):
        trainer = plain_trainer(augment="", instance_noise=0.0)
        trainer.join(team)
        if team.rank == 1:
            trainer.loader.images = trainer.loader.images * np.float32(np.nan)
        before = weights(trainer)
        with pytest.raises(NumericError, match="weights were not updated") as caught:
            trainer.train_step()
        assert trainer.team is team
        # G's phase goes well: its pictures do not depend on the real ones.
        assert all(np.array_equal(x, y) for x, y in zip(before[4:8], weights(trainer)[4:8], strict=True))
        return str(caught.value)

    said = Meeting(2).hold(make)
    assert said[0] == said[1] and "discriminator's step" in said[0]


@pytest.mark.parametrize("size, pack, legal", [(2, 1, True), (5, 1, False), (4, 3, True), (6, 4, False)])
def test_a_batch_that_cannot_be_shared_is_refused(size, pack, legal):
    trainer = plain_trainer(pack=pack)
    team = Ranks(Meeting.Seat(Meeting(size), 0))
    if legal:
        trainer.check_share(team)
        return
    with pytest.raises(ArgumentError, match=f"cannot be shared evenly by {size} processes"):
        trainer.join(team)
    assert type(trainer.team) is Team


class TestShare:
    @pytest.mark.parametrize(
        "draw",
        [
            lambda g, n: g.standard_normal((n, 3), dtype=np.float32),
            lambda g, n: g.random((n, 2)),
            lambda g, n: g.uniform(-1, 2, (n,)),
            lambda g, n: g.normal(1, 2, size=n),
            lambda g, n: g.integers(0, 9, n, endpoint=True),
            lambda g, n: g.integers(0, 2, (n, 1, 1)),
        ],
    )
    def test_ranks_draw_the_rows_of_the_whole(self, draw):
        whole = np.random.default_rng(7)
        shares = [Share(np.random.default_rng(7), rank, 3) for rank in range(3)]
        rows = np.concatenate([draw(share, 4) for share in shares])
        expected = draw(whole, 12)
        assert rows.dtype == expected.dtype and np.array_equal(rows, expected)
        assert all(s.bit_generator.state == whole.bit_generator.state for s in shares)

    def test_numbers_of_no_row_are_everyones(self):
        share = Share(np.random.default_rng(7), 1, 3)
        assert share.random() == np.random.default_rng(7).random()

    def test_out_is_refused(self):
        with pytest.raises(ArgumentError, match="out: a rank keeps"):
            Share(np.random.default_rng(7), 1, 3).standard_normal(out=np.empty(3))


def test_an_uneven_batch_is_refused():
    with pytest.raises(ArgumentError, match="a batch of 5"):
        Ranks(Meeting.Seat(Meeting(2), 0)).rows(5)
