# %% [markdown]
# # 6. When the discriminator wins
#
# The two networks learn from one another, so neither may get too far ahead. A discriminator that is
# always right and always sure is a bad teacher: whatever the generator does, the answer is "no", and no
# direction is any better than another. Here we let that happen on purpose, see by which signs one knows
# it, and try the cures one by one, each alone.
#
# Run it: `python examples/06_when_the_discriminator_wins.py` (about a minute and a half).

# %%
import numpy as np
from matplotlib.figure import Figure

from minigan import gan
from minigan.data import render_glyphs
from minigan.gan import diagnosis, metrics
from minigan.viz import image_grid, lesson

quick = lesson.options("When the discriminator wins").quick
size, base, steps = (8, 4, 60) if quick else (16, 8, 300)

# %% [markdown]
# ## A game that is lost
#
# Everything favours D: only 200 pictures, which it can learn by heart; twice as many filters as G; a
# learning rate eight times as high. And G lowers the minimax loss itself, log(1 - D(G(z))), whose slope
# in D's logit is D(G(z)): where D is sure that a picture is generated, G gets nothing to learn from.

# %%
pictures, _ = render_glyphs(1200, size=size)
data, others = pictures[:200], pictures[200:]  # D learns from the first; the others measure G
lost = {
    "recipe": "dcgan", "model": "dcgan", "shape": (1, size, size), "latent": 16, "base": base,
    "base_d": 2 * base, "batch": 32, "betas": (0.5, 0.99), "ema": 0.0, "loss": "saturating",
    "lr_g": 5e-4, "lr_d": 4e-3,
}  # fmt: skip
cures = {
    "none": {},
    "a lower rate for D": {"lr_d": 3e-4},
    "skip D while its loss is low": {"skip_d_below": 0.8},
    "an accuracy target for D": {"accuracy_target": 0.75},
    "smooth labels": {"label_smoothing": 0.3},
    "noise on all D sees": {"instance_noise": 1.5, "instance_noise_steps": 100_000},
    "DiffAugment": {"augment": "brightness,translation,cutout"},
    "the non-saturating loss": {"loss": "non-saturating"},
    "a slope penalty, R1": {"r1": 2.0, "penalty_every": 2},
    "pairs, with R1 and R2": {"loss": "relativistic", "r1": 0.5, "r2": 0.5, "penalty_every": 2},
}
if quick:
    cures = {name: cures[name] for name in ("none", "a lower rate for D", "DiffAugment")}

# %% [markdown]
# ## The signs
#
# D's loss goes to 0, its accuracy to 1, D(G(z)) to 0, and with the last the length of G's gradient. The
# samples are measured against pictures that no network has seen: the Frechet distance between two clouds
# of points, each picture being its 16 principal components. Real pictures are about 1 from one another.

# %%
flat = others.reshape(len(others), -1)
_, _, directions = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)


def features(images):
    """Return the 16 principal components of pictures."""
    return (images.reshape(len(images), -1) - flat.mean(axis=0)) @ directions[:16].T


def play(change):
    """Train with one change to the lost game; return the records and samples."""
    trainer = gan.Trainer.create(gan.Config(**{**lost, **change}), data)
    records = [trainer.train_step() for _ in range(steps)]
    return records, trainer.sample(trainer.fixed_latents(1000))


# %% [markdown]
# ## One cure at a time

# %%
print(f"{'cure':<30}{'D loss':>8}{'accuracy':>10}{'D(G(z))':>9}{'G slope':>9}{'Frechet':>9}  verdict")
rows, distances, slopes, played = [], {}, {}, {}
for name, change in cures.items():
    played[name], samples = play(change)
    records = played[name]
    late = records[-steps // 3 :]
    loss, accuracy, belief, slope = (
        np.mean([getattr(record, key) for record in late])
        for key in ("d_loss", "accuracy", "g_fake", "g_norm")
    )
    distances[name] = metrics.frechet_distance(features(others), features(samples))
    slopes[name] = slope
    rows.append(samples[:12])
    print(
        f"{name:<30}{loss:>8.3f}{accuracy:>10.2f}{belief:>9.3f}{slope:>9.3f}{distances[name]:>9.1f}"
        f"  {diagnosis.latest(records).kind}"
    )
labels = [name if not i else "" for name in cures for i in range(12)]
grid = image_grid(np.concatenate(rows), columns=12, labels=labels, scale=4 if quick else 3)
lesson.show(grid, "discriminator_wins.png", "Twelve samples after each cure, from the same latents.")

# %% [markdown]
# ## Losses of a good game and of a lost one
#
# A loss that falls is the bad sign here. In the lost game D's loss goes to 0 and takes G's slope with it; in
# a good one both go up and down around a level, and the pictures get better all the while.

# %%
drawn = [name for name in ("none", "a lower rate for D", "pairs, with R1 and R2") if name in played]
figure = Figure(figsize=(9, 3.2), layout="constrained")
for key, axis in zip(("d_loss", "g_norm"), figure.subplots(1, 2), strict=True):
    for name in drawn:
        axis.plot([getattr(record, key) for record in played[name]], label=name, linewidth=0.9)
    axis.set(xlabel="step", title={"d_loss": "D's loss", "g_norm": "length of G's gradient"}[key])
    axis.set_yscale("log")
    axis.grid(alpha=0.3)
axis.legend(frameon=False)
lesson.show(figure, "lost_game.png", "Where D wins, its loss falls to 0 and so does G's slope.")

# %% [markdown]
# ## What to take from it
#
# In the first line G's gradient is 0: it could train for ever. Almost any single change gives it back a
# slope, and they are of three kinds: hold D back (its rate, its turns), make its task harder (noise,
# augmentation, smooth labels), or bound how steep it may be (R1). The last kind comes out best here and is
# what minigan's recipes use: it also keeps D useful, where a D that is held back is merely ignorant.
# Smooth labels alone are not enough: they keep D from being sure of the *real* pictures, and G learns
# from what D says of the generated ones.
#
# With pairs, accuracy stays at 1 and G learns all the same: being right is not winning, being sure is.

# %%
cured = [name for name in distances if name not in ("none", "smooth labels")]
assert all(slopes[name] > 1.5 * slopes["none"] for name in cured)
if not quick:
    assert slopes["none"] < 0.01
    late = {name: [record.d_loss for record in played[name][-100:]] for name in drawn}
    assert np.mean(late["none"]) < 0.01 and np.mean(late["pairs, with R1 and R2"]) > 0.05
    assert all(distances[name] < 0.7 * distances["none"] for name in cured)

# %% [markdown]
# ## Exercise
# With smooth labels D's real pictures are wanted at 0.7 instead of 1. Which logit is best, and how low can
# that loss get?
#
# <details><summary>Answer</summary>
#
# log(0.7 / 0.3) = 0.85, and no lower than the entropy of 0.7, 0.61: its loss cannot go to 0, and it does
# not pay to be surer than that. For generated pictures nothing has changed.
#
# ```python
# s = np.linspace(-5, 5, 2001)
# told = 0.7 * np.logaddexp(0, -s) + 0.3 * np.logaddexp(0, s)
# assert abs(s[told.argmin()] - np.log(0.7 / 0.3)) < 0.01 and 0.6 < told.min() < 0.62
# ```
#
# </details>
