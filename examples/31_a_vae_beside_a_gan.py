# %% [markdown]
# # 31. A VAE beside a GAN
#
# The variational autoencoder came first. It has the same two networks, put together the other way round:
# an encoder that turns a picture into a Gaussian over latents, a decoder that turns a latent into a
# picture. There is no game: both lower one loss, which falls, and the pictures come out soft. How soft
# can be measured.
#
# Run it: `python examples/31_a_vae_beside_a_gan.py` (about two minutes).

# %%
import numpy as np
from matplotlib.figure import Figure

from minigan import Tensor, gan
from minigan.data import render_glyphs
from minigan.gan import elbo, sharpness
from minigan.viz import image_grid, lesson

quick = lesson.options("A VAE beside a GAN").quick
size, steps, base, count = (12, 40, 4, 200) if quick else (28, 1000, 16, 5000)
images, _ = render_glyphs(count, size=size)

# %% [markdown]
# ## The two terms of its loss
#
# Reconstruction: how unlikely the picture is under what the decoder makes of its code. Divergence: how
# far the code's Gaussian is from N(0, 1), from which we shall want to draw. Both are known in closed
# form; drawing many codes gives the same number.

# %%
mean, log_variance = np.array([[0.8, -0.3]]), np.array([[-1.0, 0.2]])
exact = elbo.kl_to_prior(Tensor(mean), Tensor(log_variance)).item()
codes = elbo.draw_code(
    Tensor(mean.repeat(200_000, 0)), Tensor(log_variance.repeat(200_000, 0)), np.random.default_rng(0)
).numpy()
log_q = -0.5 * ((codes - mean) ** 2 / np.exp(log_variance) + log_variance).sum(axis=1)
estimate = float((log_q + 0.5 * (codes**2).sum(axis=1)).mean())
print(f"divergence: {exact:.4f} by the formula, {estimate:.4f} from 200,000 draws")
assert abs(exact - estimate) < 0.02

# %% [markdown]
# ## The same networks, trained both ways
#
# The recipe `vae` takes the DCGAN's generator for its decoder, and its discriminator's trunk for its
# encoder.


# %%
def train(recipe):
    """Train and print some records on the way."""
    config = gan.resolve(recipe, shape=images.shape[1:], base=base, batch=32, latent=32)
    trainer = gan.Trainer.create(config, images)
    for record in trainer.run(steps):
        histories.setdefault(recipe, []).append((record.d_loss, record.g_loss))
        if record.step % (steps // 4) == 1:
            print(f"{recipe:>6}, step {record.step:4}: D {record.d_loss:7.3f}, G {record.g_loss:7.3f}")
    return trainer


print("VAE: D is the divergence in nats a picture, G the reconstruction in nats a pixel")
histories = {}
trainers = {name: train(name) for name in ("vae", "dcgan")}

# %%
vae, game = np.array(histories["vae"]), np.array(histories["dcgan"])
assert vae[-10:, 1].mean() < vae[:10, 1].mean(), "the VAE's loss falls; the game's has no reason to"
figure = Figure(figsize=(9, 3), layout="constrained")
left, right = figure.subplots(1, 2)
left.plot(vae[:, 1], color="#0072b2", linewidth=0.8)
left.set(title="VAE: one loss that falls", xlabel="step", ylabel="reconstruction, nats a pixel")
right.plot(game, linewidth=0.5, label=("D", "G"))
right.set(title="GAN: two losses, neither falls for long", xlabel="step")
right.legend(frameon=False)
lesson.show(figure, "vae_gan_losses.png", "One goal, and a game.")

# %% [markdown]
# ## How sharp?
#
# Two plain measures, each beside real pictures: the mean squared step between neighbouring pixels, and
# the variance of the Laplacian. The VAE averages over all pictures that a code may stand for, and an
# average of sharp edges in slightly different places is a soft edge; for the GAN a soft edge is something
# that D can notice. Noise counts as sharp too, so look at the two grids beside the figures.

# %%
measures = {"gradient": sharpness.gradient_energy, "laplacian": sharpness.laplacian_variance}
real = {name: measure(images).mean() for name, measure in measures.items()}
found = {}
for name, trainer in trainers.items():
    pictures = trainer.sample(trainer.fixed_latents(500))
    found[name] = {kind: float(measure(pictures).mean() / real[kind]) for kind, measure in measures.items()}
    print(f"{name:>6}:", ", ".join(f"{kind} {value:.0%} of real" for kind, value in found[name].items()))
if not quick:
    assert found["vae"]["gradient"] < 0.9 * found["dcgan"]["gradient"], "the VAE is softer"

# %%
rows = [images[:16], *(trainer.sample(trainer.fixed_latents(16)) for trainer in trainers.values())]
labels = [name if not i else "" for name in ("real", "VAE", "GAN") for i in range(16)]
grid = image_grid(np.concatenate(rows), columns=16, labels=labels)
lesson.show(grid, "vae_beside_gan.png", "Real pictures, the VAE's (soft) and the GAN's (sharp).")

# %% [markdown]
# ## Exercise
# Which single picture has the least mean squared distance from all digits, and how sharp is it?
#
# <details><summary>Answer</summary>
#
# Their mean, a grey blot. A decoder that cannot know which digit is meant draws it, and one that knows it
# nearly draws the mean of what is left: soft edges.
#
# ```python
# mean_picture = images.mean(axis=0, keepdims=True)
# assert sharpness.gradient_energy(mean_picture).mean() < 0.5 * real["gradient"]
# ```
#
# </details>
