# %% [markdown]
# # 31. A VAE beside a GAN
#
# The variational autoencoder came first. It has the same two networks, put together the other way round:
# an encoder that turns a picture into a Gaussian over latents, a decoder that turns a latent into a
# picture. There is no game: both lower one loss, which falls, and the pictures come out soft. How soft
# can be measured.

# %%
import numpy as np

from minigan import Tensor, gan
from minigan.data import render_glyphs
from minigan.gan import elbo, sharpness
from minigan.viz import lesson, save_grid

quick = lesson.options("A VAE beside a GAN").quick
size, steps, base, count = (12, 40, 4, 200) if quick else (28, 2000, 16, 5000)
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
    for step in range(steps):
        trainer.progress = step / steps
        record = trainer.train_step()
        if step % (steps // 4) == 0:
            print(f"{recipe:>6}, step {record.step:4}: D {record.d_loss:7.3f}, G {record.g_loss:7.3f}")
    return trainer


print("VAE: D is the divergence in nats a picture, G the reconstruction in nats a pixel")
trainers = {name: train(name) for name in ("vae", "dcgan")}

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
    save_grid(f"{name}.png", pictures[:64])
