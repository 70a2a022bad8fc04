"""Three GANs and one training step, written once for both libraries: every name is PyTorch's and minigan's.

``build(name, nn)`` takes ``minigan.nn`` or ``torch.nn``; ``step`` only calls what both have.
"""

NAMES = ("dense", "dcgan28", "dcgan64", "lesson28")
LOOPS = ("lesson28 loop",)  # the same nets, trained as a program of one's own would
# minigan's time as a share of PyTorch's
GOALS = {"dense": 0.5, "dcgan28": 0.8, "dcgan64": 0.9, "lesson28": 0.8, "lesson28 loop": 0.8}
BATCH = {"dense": 256, "dcgan28": 128, "dcgan64": 32, "lesson28": 128}
LATENT = {"dense": (100,), "dcgan28": (100, 1, 1), "dcgan64": (100, 1, 1), "lesson28": (100,)}
PICTURE = {"dense": (784,), "dcgan28": (1, 28, 28), "dcgan64": (3, 64, 64), "lesson28": (1, 28, 28)}
SCORES = {"dense": (1,), "dcgan28": (1, 1, 1), "dcgan64": (1, 1, 1), "lesson28": (1,)}


def build(name, nn):
    """Generator, discriminator and loss."""
    if name == "dense":
        return *dense(nn), nn.BCELoss()
    if name == "lesson28":
        return *lesson(nn), nn.BCEWithLogitsLoss()
    sizes = {"dcgan28": ((7, 128), (64,), 1), "dcgan64": ((4, 512), (256, 128, 64), 3)}[name]
    return *dcgan(nn, *sizes), nn.BCEWithLogitsLoss()


def dense(nn):
    """The lesson's dense GAN."""
    layers, size = [], 100
    for width in (256, 512, 1024):
        layers += [nn.Linear(size, width), nn.BatchNorm1d(width, momentum=0.2), nn.LeakyReLU(0.2)]
        size = width
    generator = nn.Sequential(*layers, nn.Linear(1024, 784), nn.Tanh())
    layers, size = [], 784
    for width in (512, 256):
        layers += [nn.Linear(size, width), nn.LeakyReLU(0.2)]
        size = width
    return generator, nn.Sequential(*layers, nn.Linear(256, 1), nn.Sigmoid())


def dcgan(nn, start, widths, colours):
    """Radford et al., arXiv 1511.06434: kernel 4, stride 2; from ``start`` = (side, channels) upwards."""
    side, channels = start
    up = {"kernel_size": 4, "stride": 2, "padding": 1, "bias": False}
    ends = {"kernel_size": side, "bias": False}
    layers = [nn.ConvTranspose2d(100, channels, **ends), nn.BatchNorm2d(channels), nn.ReLU()]
    for width in widths:
        layers += [nn.ConvTranspose2d(channels, width, **up), nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    generator = nn.Sequential(*layers, nn.ConvTranspose2d(channels, colours, **up), nn.Tanh())
    layers = [nn.Conv2d(colours, channels, **up), nn.LeakyReLU(0.2)]
    for width in (*widths[-2::-1], start[1]):
        layers += [nn.Conv2d(channels, width, **up), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
        channels = width
    return generator, nn.Sequential(*layers, nn.Conv2d(channels, 1, **ends))


def lesson(nn):
    """What most people write first: G begins with a dense layer, D ends in flatten and a dense layer.

    So the order of memory changes at both ends, between rows of numbers and images.
    """
    up = {"kernel_size": 4, "stride": 2, "padding": 1}
    generator = nn.Sequential(
        nn.Linear(100, 128 * 7 * 7), nn.BatchNorm1d(128 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, **up), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 1, **up), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, **up), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, **up), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(128 * 7 * 7, 1),
    )  # fmt: skip
    return generator, discriminator


class Trainer:
    """Nets, optimisers and one fixed batch; ``step`` trains both nets once and returns both losses."""

    def __init__(self, name, nn, optim, tensor, batch=None):
        """``tensor`` makes a library's tensor from a NumPy array; a batch of None is the net's own."""
        import numpy as np

        N, draw = batch or BATCH[name], np.random.default_rng(0)
        self.generator, self.discriminator, self.loss = build(name, nn)
        settings = {"lr": 2e-4, "betas": (0.5, 0.999)}
        self.optimizer_g = optim.Adam(self.generator.parameters(), **settings)
        self.optimizer_d = optim.Adam(self.discriminator.parameters(), **settings)
        self.latent = tensor(draw.standard_normal((N, *LATENT[name]), dtype=np.float32))
        self.real = tensor(np.tanh(draw.standard_normal((N, *PICTURE[name]), dtype=np.float32)))
        self.ones = tensor(np.ones((N, *SCORES[name]), np.float32))
        self.zeros = tensor(np.zeros((N, *SCORES[name]), np.float32))

    def step(self):
        """G's phase with D frozen, then D's phase on the same fakes, detached."""
        self.discriminator.requires_grad_(False)
        self.optimizer_g.zero_grad()
        fake = self.generator(self.latent)
        loss_g = self.loss(self.discriminator(fake), self.ones)
        loss_g.backward()
        self.optimizer_g.step()

        self.discriminator.requires_grad_(True)
        self.optimizer_d.zero_grad()
        loss_real = self.loss(self.discriminator(self.real), self.ones)
        loss_fake = self.loss(self.discriminator(fake.detach()), self.zeros)
        loss_d = (loss_real + loss_fake) * 0.5
        loss_d.backward()
        self.optimizer_d.step()
        return loss_g.item(), loss_d.item()


class Loop(Trainer):
    """The step of a program of one's own: D first, nothing frozen, noise and labels made anew."""

    def __init__(self, name, library, tensor, batch=None):
        self.library = library
        super().__init__(name.removesuffix(" loop"), library.nn, library.optim, tensor, batch)

    def step(self):
        """D's phase, then G's, as tutorials have it."""
        library, N = self.library, len(self.real)
        real, fake = library.ones(N, 1), library.zeros(N, 1)
        pictures = self.generator(library.randn(N, 100))
        self.optimizer_d.zero_grad()
        loss_d = self.loss(self.discriminator(self.real), real)
        loss_d = loss_d + self.loss(self.discriminator(pictures.detach()), fake)
        loss_d.backward()
        self.optimizer_d.step()
        self.optimizer_g.zero_grad()
        loss_g = self.loss(self.discriminator(pictures), real)
        loss_g.backward()
        self.optimizer_g.step()
        return loss_g.item(), loss_d.item()


def minigan_trainer(name, batch=None):
    """The trainer in minigan."""
    import minigan

    if name in LOOPS:
        return Loop(name, minigan, minigan.Tensor, batch)
    return Trainer(name, minigan.nn, minigan.optim, minigan.Tensor, batch)


def torch_trainer(name, device="cpu", batch=None):
    """The trainer in PyTorch."""
    import torch

    with torch.device(device):
        if name in LOOPS:
            return Loop(name, torch, lambda array: torch.from_numpy(array).to(device), batch)
        return Trainer(name, torch.nn, torch.optim, lambda array: torch.from_numpy(array).to(device), batch)
