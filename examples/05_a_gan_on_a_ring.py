# %% [markdown]
# # 5. A GAN on a ring
#
# The smallest data on which everything that happens to a GAN happens: points from eight little
# Gaussians on a circle. A picture would do the same, slower. The generator turns random vectors into
# points, the discriminator says of each point whether it is real, and each learns from the other.
#
# In two dimensions we can count what in pictures one can only guess: how many of the eight the
# generator found, and how evenly it serves them.
#
# Run it: `python examples/05_a_gan_on_a_ring.py` (about a minute).

# %%
import numpy as np

from minigan import Tensor, nn, no_grad, ops, optim
from minigan.data import toy
from minigan.gan import losses, penalties
from minigan.viz import draw_plane, lesson
from minigan.viz.plane import plane_points

quick = lesson.options("A GAN on a ring").quick
steps, width, batch, latent = (200, 32, 64, 4) if quick else (3000, 128, 128, 16)

ring = toy.ring(8, radius=4.0, sigma=0.04)
plane = plane_points(6.0, 60)

# %% [markdown]
# ## Two small nets
#
# D ends in a logit, any real number; the losses turn it into a probability themselves, in a way that
# neither overflows nor loses digits.


# %%
def make_nets(seed):
    """Return a generator and a discriminator of two hidden layers."""
    draw = np.random.default_rng(seed)

    def dense(inputs, outputs):
        return nn.Linear(inputs, outputs, generator=draw)

    generator = nn.Sequential(
        dense(latent, width), nn.LeakyReLU(0.2), dense(width, width), nn.LeakyReLU(0.2), dense(width, 2)
    )
    discriminator = nn.Sequential(
        dense(2, width), nn.LeakyReLU(0.2), dense(width, width), nn.LeakyReLU(0.2), dense(width, 1)
    )
    return generator, discriminator


# %% [markdown]
# ## Two phases
#
# Per batch: first D on real points (wanted: real) and generated ones (wanted: generated), with G out of
# it; then G through D (wanted: real), with D frozen. Frozen means `requires_grad_(False)`: the gradient
# still passes *through* D to reach G.


# %%
def train(loss, gamma, betas, seed=0):
    """Train with a loss of `minigan.gan.losses` and penalties of strength gamma; return G and a film."""
    draw = np.random.default_rng([seed, 1])
    G, D = make_nets(seed)
    g_adam = optim.Adam(G.parameters(), lr=1e-3, betas=betas)
    d_adam = optim.Adam(D.parameters(), lr=1e-3, betas=betas)

    frames = []

    def latents():
        return Tensor(draw.standard_normal((batch, latent), dtype=np.float32))

    for step in range(steps):
        for adam in (g_adam, d_adam):
            adam.param_groups[0]["lr"] = 1e-3 * (1 - step / steps) + 2e-5
        real = Tensor(ring.sample(batch, draw))

        # Phase 1, the discriminator. The fakes are constants here: nothing flows back into G.
        with no_grad():
            fake = G(latents())
        d_adam.zero_grad()
        d_loss = loss.d_loss(D(real), D(fake))
        if gamma:
            d_loss = d_loss + gamma * (penalties.r1(D, real) + penalties.r2(D, fake))
        d_loss.backward()
        d_adam.step()

        # Phase 2, the generator.
        D.requires_grad_(False)
        g_adam.zero_grad()
        g_loss = loss.g_loss(D(G(latents())), D(real) if loss.pairs else None)
        g_loss.backward()
        g_adam.step()
        D.requires_grad_(True)
        assert all(parameter.grad is not None for parameter in G.parameters())
        if (step + 1) % (steps // 10) == 0:
            frames.append(frame(G, D, f"{loss.name}, step {step + 1}", loss.pairs))
    return G, frames


def frame(G, D, title, pairs):
    """D's map of the plane and G's cloud on it, as pixels."""
    real = ring.sample(200, np.random.default_rng(8))
    with no_grad():
        middle = D(Tensor(real)).mean() if pairs else 0.0  # a pair is judged by its difference only
        belief = ops.sigmoid(D(Tensor(plane)) - middle).numpy()
        cloud = G(Tensor(np.random.default_rng(7).standard_normal((400, latent), dtype=np.float32))).numpy()
    return draw_plane(belief, {"real": real, "generated": cloud}, extent=6.0, size=360, title=title)


def report(name, G):
    """Print and return how many modes G reaches and how well."""
    with no_grad():
        latents = np.random.default_rng(7).standard_normal((2000, latent), dtype=np.float32)
        points = G(Tensor(latents)).numpy()
    found = ring.statistics(points, at_least=5)
    print(f"{name:>28}: {found.modes} of 8 modes, {found.high_quality:.0%} near one, KL {found.kl:.3f}")
    print(" " * 30 + "points a mode:", found.counts.tolist())
    return points, found


# %% [markdown]
# ## Before training, and the plain recipe
#
# The plain recipe, with Adam's usual betas, leaves some of the eight out: *mode collapse*. Nothing in its
# loss says that all
# must be served; D only ever judges one point at a time.

# %%
untrained, _ = report("untrained", make_nets(0)[0])
plain_G, plain_film = train(losses.get("non-saturating"), gamma=0.0, betas=(0.5, 0.999))
plain, plain_found = report("plain", plain_G)
if not quick:
    assert plain_found.modes < 8, "some modes are left out"

# %% [markdown]
# ## A cure
#
# Let D compare a real point with a generated one (*relativistic pairing*), and keep its slope small at
# both (R1 and R2). To give up one mode then costs something everywhere
# (Huang et al., arXiv 2501.05441). `minigan lab ring` does the same at greater length, with wider nets
# whose tanh units make G a sharper staircase (`minigan/gan/models/planar.py`), and draws a film.

# %%
cured_G, cured_film = train(losses.get("relativistic"), gamma=0.05, betas=(0.0, 0.99))
cured, cured_found = report("paired, with R1 and R2", cured_G)


def distance(points):
    """Mean distance of points to the nearest centre."""
    return np.linalg.norm(points[:, None] - ring.centres, axis=2).min(axis=1).mean()


print("mean distance to the nearest centre:")
for name, points in (("untrained", untrained), ("plain", plain), ("cured", cured)):
    print(f"{name:>28}: {distance(points):.3f}")
assert distance(cured) < 0.6 * distance(untrained)
if not quick:
    assert cured_found.modes == 8 and cured_found.kl < 0.1

# %%
film = [np.concatenate(pair, axis=1) for pair in zip(plain_film, cured_film, strict=True)]
lesson.show(film, "ring.gif", "D's map and G's cloud over time: the plain recipe, and the cure.")

# %% [markdown]
# ## Exercise
# G is perfect: its points lie as the real ones do. What does the best D say, and what is its loss?
#
# <details><summary>Answer</summary>
#
# It cannot tell them apart, so its logit is 0 everywhere, D is one half, and the loss is log 2 for each of
# the two kinds: 1.386. A loss near it is a good sign only if D is a good judge; an ignorant one has it as
# well.
#
# ```python
# undecided = Tensor(np.zeros((4, 1), np.float32))
# loss = losses.get("non-saturating").d_loss(undecided, undecided)
# assert np.isclose(loss.item(), 2 * np.log(2))
# ```
#
# </details>
