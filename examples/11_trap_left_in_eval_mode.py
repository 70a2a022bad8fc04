# %% [markdown]
# # 11. Trap: left in eval mode
#
# Batch norm has two faces. In training it subtracts the mean *of the batch* and keeps a running average
# on the side; in evaluation it subtracts that average. To draw a sample picture one calls `G.eval()`,
# and if nobody calls `G.train()` afterwards, every later step trains another network: one with frozen
# statistics, which no longer pulls the activations to mean 0 and variance 1.
#
# Nothing crashes, so nothing is noticed.

# %%
import argparse

import numpy as np

import minigan
from minigan import Tensor, nn, optim

parser = argparse.ArgumentParser(description="Trap: left in eval mode")
parser.add_argument("--quick", action="store_true", help="fewer steps (the tests run this)")
steps = 30 if parser.parse_args().quick else 300


def make_net(seed):
    """Two layers with batch norm between, weights drawn from `seed`."""
    generator = np.random.default_rng(seed)
    net = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    for parameter in net.parameters():
        if parameter.ndim == 2:
            parameter.copy_(0.5 * generator.standard_normal(parameter.shape))
    return net


def train(net, picture_at, back_to_train):
    """Fit a target, draw a "picture" after step `picture_at`; return the running mean after each step."""
    generator = np.random.default_rng(1)
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    history = []
    for step in range(steps):
        x = Tensor(generator.standard_normal((32, 4), dtype=np.float32) + 1)
        optimizer.zero_grad()
        loss = ((net(x) - x[:, :2]) ** 2).mean()
        loss.backward()
        optimizer.step()
        if step == picture_at:
            net.eval()
            with minigan.no_grad():
                net(x)  # the picture
            if back_to_train:
                net.train()
        history.append(net[1].running_mean.numpy().copy())
    return np.array(history), loss.item()


# %% [markdown]
# ## Two runs that differ in one line

# %%
good, good_loss = train(make_net(0), picture_at=5, back_to_train=True)
bad, bad_loss = train(make_net(0), picture_at=5, back_to_train=False)
print("running mean moves after the picture, with train(): ", f"{np.abs(good[-1] - good[6]).max():.4f}")
print("running mean moves after the picture, left in eval():", f"{np.abs(bad[-1] - bad[6]).max():.4f}")
print(f"loss at the end: {good_loss:.4f} with train(), {bad_loss:.4f} left in eval()")
assert np.array_equal(good[:6], bad[:6]), "the same run up to the picture"
assert np.abs(good[-1] - good[6]).max() > 0
assert np.abs(bad[-1] - bad[6]).max() == 0

# %% [markdown]
# ## The cure
#
# Do not change the mode of the net that trains. minigan draws its pictures from an averaged *copy* of
# the generator (`optim.EMA`), which lives in evaluation mode all its life; the net in training is never
# touched. Where there is no copy, restore the mode you found:

# %%
net = make_net(0)
was_training = net.training
net.eval()
try:
    picture = net(Tensor(np.zeros((1, 4), np.float32)))
finally:
    net.train(was_training)
assert net.training and all(module.training for module in net.modules())
print("mode restored; the picture:", picture.numpy().round(3))
