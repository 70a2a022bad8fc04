"""The two phases: nothing leaks from one network into the other, and every option does what it says."""

import numpy as np
import pytest

from minigan import Tensor, gan
from minigan.data.loader import Loader
from minigan.errors import ArgumentError, NumericError
from minigan.gan import losses, models, penalties
from minigan.gan.phase import frozen
from minigan.gan.trainer import Trainer

TOY = {"shape": (1, 8, 8), "latent": 4, "base": 2, "batch": 6}


def pictures(n=24, shape=(1, 8, 8)):
    return np.random.default_rng(0).uniform(-1, 1, (n, *shape)).astype(np.float32)


def toy(recipe="dcgan", labels=None, **options):
    images = pictures(shape=options.get("shape", TOY["shape"]))
    return Trainer.create(gan.resolve(recipe, **{**TOY, **options}), images, labels)


def weights(network):
    return {name: p.numpy().copy() for name, p in network.named_parameters()}


def same(a, b):
    return all((a[name] == b[name]).all() for name in a)


def watch_updates(trainer, check):
    """Call check(phase, the two networks' gradients) just before each optimiser step."""
    begin = trainer._begin

    def gradients():
        return [[p.grad for p in n.parameters()] for n in (trainer.generator, trainer.discriminator)]

    def watched(phase, *arguments, **options):
        before = gradients()  # of the phase before, which may not have been settled
        result = begin(phase, *arguments, **options)
        check(phase, *([g is not old for g, old in zip(*pair, strict=True)]
                       for pair in zip(gradients(), before, strict=True)))  # fmt: skip
        return result

    trainer._begin = watched


@pytest.mark.parametrize("recipe", ["dcgan", "dense", "lesson-dense"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("loss", ["non-saturating", "relativistic"])
def test_no_phase_leaks_into_the_other_network(recipe, first, loss):
    trainer = toy(recipe, generator_first=first, loss=loss)
    seen = []

    def check(phase, in_g, in_d):
        seen.append(phase)
        mine, other = (in_g, in_d) if phase.startswith("generator") else (in_d, in_g)
        assert all(mine), f"{phase}: a parameter of its own got no gradient"
        assert not any(other), f"{phase}: a gradient leaked into the other network"

    watch_updates(trainer, check)
    before = weights(trainer.generator), weights(trainer.discriminator)
    trainer.train_step()
    assert seen == ["generator's step", "discriminator's step"][:: 1 if first else -1]
    after = weights(trainer.generator), weights(trainer.discriminator)
    assert not same(before[0], after[0]) and not same(before[1], after[1])


@pytest.mark.parametrize("phase", ["generator", "discriminator"])
def test_a_phase_changes_only_its_own_network(phase):
    trainer = toy()
    before = weights(trainer.generator), weights(trainer.discriminator)
    real, labels = trainer._next_batch()
    record = gan.Record(1, 0)
    if phase == "generator":
        trainer._generator_phase(record, real, labels)
    else:
        trainer._discriminator_phase(record, real, trainer.make_fakes(labels), labels)
    trainer._settle(record)
    assert same(before[0], weights(trainer.generator)) == (phase == "discriminator")
    assert same(before[1], weights(trainer.discriminator)) == (phase == "generator")


def test_the_report_names_who_got_gradients():
    trainer = toy()
    trainer.train_step()
    for phase, names in trainer.touched.items():
        who = phase.split("'")[0]
        network = getattr(trainer, who)
        assert names == [f"{who}.{name}" for name, _ in network.named_parameters()]


def test_eval_freezes_nothing_but_frozen_does():
    """The lesson's trap: a discriminator put into eval() still collects gradients."""
    trainer = toy()

    def gradients():
        logits = trainer.judge(trainer.run_generator(trainer.draw_latents(4), None), None)
        losses.non_saturating_g(logits).backward()
        return sum(p.grad is not None for p in trainer.discriminator.parameters())

    trainer.discriminator.eval()
    assert gradients() > 0
    trainer.discriminator.zero_grad()
    with frozen(trainer.discriminator):
        assert gradients() == 0
    assert all(p.requires_grad for p in trainer.discriminator.parameters())


def test_gradients_of_a_step_are_those_of_the_written_out_losses():
    trainer = toy("dense", ema=0.0, r1=0.0, mean_of_two=True)
    c, seen = trainer.config, {}
    twin = toy("dense", ema=0.0, r1=0.0, mean_of_two=True)
    trainer.train_step()
    real, _ = twin._next_batch()
    fake = twin.generator(twin.draw_latents(c.batch))
    g_loss = losses.non_saturating_g(twin.discriminator(fake))
    g_loss.backward()
    seen["g"] = [p.grad.numpy() for p in twin.generator.parameters()]
    twin.discriminator.zero_grad()
    d_loss = losses.bce_d(twin.discriminator(real), twin.discriminator(fake.detach())) * 0.5
    d_loss.backward()
    seen["d"] = [p.grad.numpy() for p in twin.discriminator.parameters()]
    # Adam's first moment after one step is (1 - beta1) times the gradient.
    for key, optimizer in (("g", trainer.g_optimizer), ("d", trainer.d_optimizer)):
        state = optimizer.state_dict()["state"]
        for number, expected in enumerate(seen[key]):
            np.testing.assert_allclose(state[number]["exp_avg"], 0.5 * expected, rtol=1e-5, atol=1e-8)


def test_generator_is_in_training_mode_after_sampling_and_its_statistics_are_untouched():
    trainer = toy()
    trainer.train_step()
    before = trainer.generator.state_dict()
    for averaged in (True, False):
        trainer.sample(trainer.fixed_latents(3), averaged=averaged)
    assert trainer.generator.training and all(m.training for m in trainer.generator.modules())
    assert same(before, trainer.generator.state_dict())
    assert not trainer.average.module.training


def test_samples_do_not_depend_on_their_neighbours_or_on_the_batch():
    trainer = toy()
    for _ in range(3):
        trainer.train_step()
    z = trainer.fixed_latents(7)
    whole = trainer.sample(z)
    assert whole.shape == (7, 1, 8, 8) and whole.dtype == np.float32
    assert trainer.sample(z, batch=2) == pytest.approx(whole, abs=1e-6)
    assert trainer.sample(z[3:4]) == pytest.approx(whole[3:4], abs=1e-6)
    assert (trainer.fixed_latents(7) == z).all()


def test_averaged_generator_trails_the_trained_one():
    trainer = toy(ema=0.9)
    start = weights(trainer.generator)
    trainer.train_step()
    # Warm-up: the first update has decay 1 / 10.
    for name, now in weights(trainer.generator).items():
        average = dict(trainer.average.module.named_parameters())[name].numpy()
        assert average == pytest.approx(0.1 * start[name] + 0.9 * now, abs=1e-6)


@pytest.mark.parametrize(
    "options",
    [{"loss": name} for name in losses.LOSSES]
    + [{"r1": 1.0}, {"r2": 1.0}, {"wgan_gp": 10.0, "loss": "wgan"}, {"dragan": 10.0}]
    + [{"clip": 0.01, "loss": "wgan"}]
    + [{"label_smoothing": 0.1}, {"instance_noise": 0.1}, {"fresh_fakes": True, "d_steps": 2}, {"ema": 0.0}]
    + [{"augment": "brightness,contrast,translation,cutout,flip"}, {"generator_first": False, "d_steps": 3}]
    + [{"pack": 3, "r1": 1.0, "r2": 1.0}, {"pack": 2, "augment": "cutout", "loss": "relativistic"}]
    + [{"pack": 2, "model": "dense", "wgan_gp": 1.0}, {"accuracy_target": 0.7}, {"base_d": 5}],
    ids=lambda o: ",".join(f"{k}={v}" for k, v in o.items()),
)  # fmt: skip
def test_every_option_trains(options):
    trainer = toy(**options)
    records = [trainer.train_step() for _ in range(3)]
    assert [r.step for r in records] == [1, 2, 3]
    for r in records:
        assert all(np.isfinite(v) for v in r.to_dict().values())
        assert 0 <= r.d_real <= 1 and 0 <= r.d_fake <= 1 and 0 <= r.accuracy <= 1
        assert r.g_norm > 0 and r.d_norm > 0


@pytest.mark.parametrize("recipe", gan.RECIPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_recipe_trains_on_small_pictures(recipe, channels):
    size = {"lesson-dcgan": 28, "msg": 24}.get(recipe, 12)
    trainer = toy(recipe, shape=(channels, size, size))
    record = trainer.train_step()
    assert np.isfinite(record.d_loss) and np.isfinite(record.g_loss)
    assert trainer.sample(trainer.fixed_latents(2)).shape == (2, channels, size, size)


def test_conditional_training_sampling_and_labels_that_do_not_fit():
    labels = np.arange(24) % 3
    trainer = toy(labels=labels, classes=3, r1=1.0)
    for _ in range(2):
        assert np.isfinite(trainer.train_step().g_loss)
    z = np.repeat(trainer.fixed_latents(1), 4, axis=0)
    pictures = trainer.sample(z)  # classes 0, 1, 2, 0
    assert (pictures[0] == pictures[3]).all() and (pictures[0] != pictures[1]).any()
    assert trainer.sample(z[:1], np.array([1])) == pytest.approx(pictures[1:2], abs=1e-6)
    with pytest.raises(ArgumentError, match="networks know 2, the data have labels up to 2"):
        toy(labels=labels, classes=2)
    with pytest.raises(ArgumentError, match="no labels"):
        toy(classes=3)


def test_lazy_penalty_comes_every_kth_step_k_times_as_strong():
    lazy, eager = toy(r1=2.0, penalty_every=3), toy(r1=2.0, penalty_every=1)
    first = lazy.train_step().penalty
    assert first == pytest.approx(3 * eager.train_step().penalty)
    assert [lazy.train_step().penalty > 0 for _ in range(4)] == [False, False, True, False]


def test_skipping_the_discriminator_while_it_is_too_good():
    trainer = toy(skip_d_below=100.0)
    before = weights(trainer.discriminator)
    assert trainer.train_step().skipped
    assert same(before, weights(trainer.discriminator))


def test_packs_hold_neighbours_as_channels_and_are_judged_as_one():
    trainer = toy(pack=2)
    pictures = Tensor(np.random.default_rng(1).standard_normal((6, 1, 8, 8)).astype(np.float32))
    packs = trainer.packed(pictures)
    assert packs.shape == (3, 2, 8, 8)
    assert (packs.numpy()[1, 1] == pictures.numpy()[3, 0]).all()
    assert (trainer.unpacked(packs).numpy() == pictures.numpy()).all()
    logits = trainer.judge(pictures, None)
    assert logits.shape == (3,)
    assert (logits.numpy() == trainer.discriminator(packs).numpy()).all()
    trainer.train_step()
    assert trainer.sample(trainer.fixed_latents(3)).shape == (3, 1, 8, 8)


def test_the_penalty_of_packs_is_on_the_slope_of_a_pack():
    trainer = toy("dense", pack=2, r1=1.0, penalty_every=1)
    real = Tensor(pictures(6))
    found = trainer._penalty(real, real, None).item()
    expected = penalties.r1(trainer.discriminator, trainer.packed(real)).item()
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("options, words", [
    ({"pack": 4}, "batch: 6 pictures do not make whole packs of 4"),
    ({"pack": 2, "classes": 3}, "one label each"),
])  # fmt: skip
def test_packs_that_cannot_be_are_refused(options, words):
    with pytest.raises(ArgumentError, match=words):
        toy(**options)


def test_a_width_of_its_own_for_d_leaves_g_as_it_was():
    plain, wide = toy(), toy(base_d=8)
    assert same(weights(plain.generator), weights(wide.generator))
    assert models.count_parameters(wide.discriminator) > 5 * models.count_parameters(plain.discriminator)
    assert same(weights(toy(base_d=2).generator), weights(plain.generator))


def test_clipping_bounds_every_weight():
    trainer = toy(loss="wgan", clip=0.02)
    trainer.train_step()
    assert all(abs(w).max() <= np.float32(0.02) for w in weights(trainer.discriminator).values())


def test_instance_noise_fades():
    trainer = toy(instance_noise=0.5, instance_noise_steps=4)
    seen = []
    discriminator = trainer.discriminator
    trainer.discriminator = lambda x: (seen.append(x.numpy().std()), discriminator(x))[1]
    flat = Tensor(np.zeros((50, 1, 8, 8), np.float32))
    for step in (0, 2, 4, 10):
        trainer.step = step
        trainer.judge(flat, None)
    assert seen == pytest.approx([0.5, 0.25, 0, 0], abs=0.02)


def test_learning_rates_fall_along_half_a_cosine():
    trainer = toy(lr_g=1e-3, lr_d=2e-3, lr_end=0.1)
    found = []
    for trainer.progress in (0.0, 0.5, 1.0, 3.0):
        trainer._set_learning_rates()
        found.append((trainer.g_optimizer.param_groups[0]["lr"], trainer.d_optimizer.param_groups[0]["lr"]))
    assert np.array(found) == pytest.approx(np.array([(1, 2), (0.55, 1.1), (0.1, 0.2), (0.1, 0.2)]) * 1e-3)


def test_two_runs_with_one_seed_are_bit_equal():
    a, b, c = toy(seed=5), toy(seed=5), toy(seed=6)
    for trainer in (a, b, c):
        for _ in range(4):
            trainer.train_step()
    assert same(a.generator.state_dict(), b.generator.state_dict())
    assert same(a.discriminator.state_dict(), b.discriminator.state_dict())
    assert not same(a.generator.state_dict(), c.generator.state_dict())


def test_nan_stops_before_the_update_and_names_the_operation():
    trainer = toy()
    trainer.train_step()
    before = trainer.generator.state_dict(), trainer.discriminator.state_dict()
    trainer.discriminator[0].weight.array[0, 0, 0, 0] = np.nan
    before[1]["0.weight"][0, 0, 0, 0] = np.nan
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(NumericError, match=r"step 2, generator's step: Conv2d.*lr-g"),
    ):
        trainer.train_step()
    assert trainer.step == 1
    assert same(before[0], trainer.generator.state_dict())
    assert all(p.grad is None for p in trainer.generator.parameters())


def test_nan_pictures_are_caught_in_the_discriminators_step():
    trainer = toy("dense")
    trainer.loader = Loader(np.full((12, 1, 8, 8), np.nan, np.float32), batch_size=6)
    before = weights(trainer.discriminator)
    with np.errstate(invalid="ignore"), pytest.raises(NumericError, match="discriminator's step"):
        trainer.train_step()
    assert same(before, weights(trainer.discriminator))


def test_options_out_of_range_are_named():
    for option, value, words in [
        ("lr_g", -1.0, "lr_g: expected a number from 0"),
        ("batch", 2.5, "batch: expected a whole number"),
        ("ema", 1.0, "ema"),
        ("betas", (0.5,), "betas"),
        ("shape", (1, 0, 8), "shape"),
        ("d_steps", 2, "fresh_fakes"),
        ("loss", "mse", "expected one of"),
        ("augment", "blur", "unknown blur"),
    ]:
        with pytest.raises(ArgumentError, match=words):
            gan.resolve("dcgan", **{option: value})
    with pytest.raises(ArgumentError, match="unknown options"):
        gan.resolve("dcgan", momentum=0.9)
    with pytest.raises(ArgumentError, match="expected one of dcgan"):
        gan.resolve("stylegan9")


def test_config_survives_json():
    import json

    config = gan.resolve("lesson-dense", seed=3)
    assert gan.Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert gan.resolve("lesson-dense", seed=4).differences(config) == ["seed: 4, now 3"]
    assert models.count_parameters(models.build(config)[0]) == 1_489_936


@pytest.mark.parametrize("parts", [(8,), (3, 5), (1, 1, 6)])
def test_runs_in_a_row_never_go_back(parts):
    trainer = toy("progressive", shape=(1, 8, 8), lr_end=0.1)
    seen = []
    for steps in parts:
        for _ in trainer.run(steps):
            seen.append((trainer.progress, trainer.d_optimizer.param_groups[0]["lr"]))
        assert trainer.step == len(seen) and trainer.progress == 1
    first = parts[0]
    assert [done for done, _ in seen[:first]] == [step / first for step in range(first)]
    assert all(done == 1 and rate == seen[-1][1] for done, rate in seen[first:])


def test_a_run_that_was_left_goes_on_from_there():
    trainer = toy("dense", lr_end=0.5)
    for record in trainer.run(10):
        if record.step == 6:
            break
    assert trainer.progress == 0.5
    assert [trainer.progress for _ in trainer.run(2)] == [0.5, 0.75]
