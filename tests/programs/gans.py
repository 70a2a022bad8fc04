"""GANs as a PyTorch user writes them; ``lib`` is PyTorch or minigan, see test_programs.py."""


def dense_gan(lib):
    """The lesson's dense GAN: G first, then D on the same fakes, detached."""
    torch, nn, optim = lib.torch, lib.nn, lib.optim
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    class Generator(nn.Module):
        def __init__(self, latent, image):
            super().__init__()

            def block(n_in, n_out, normalize=True):
                layers = [nn.Linear(n_in, n_out)]
                if normalize:
                    layers.append(nn.BatchNorm1d(n_out, momentum=0.2))
                layers.append(nn.LeakyReLU(0.2, inplace=True))
                return layers

            self.image = image
            layers = [*block(latent, 32), *block(32, 64), *block(64, 64), nn.Linear(64, 64), nn.Tanh()]
            self.model = nn.Sequential(*layers)

        def forward(self, z):
            x = self.model(z)
            return x.view(x.size(0), *self.image)

    class Discriminator(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = nn.Sequential(
                nn.Linear(64, 32), nn.LeakyReLU(0.2, inplace=True), nn.Linear(32, 16),
                nn.LeakyReLU(0.2, inplace=True), nn.Linear(16, 1), nn.Sigmoid(),
            )  # fmt: skip

        def forward(self, image):
            return self.model(image.view(image.size(0), -1))

    generator = lib.same(Generator(10, (1, 8, 8))).to(device)
    discriminator = lib.same(Discriminator()).to(device)
    criterion = nn.BCELoss()
    optimizer_g = optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_d = optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    told = []
    for _ in range(4):
        real_images = lib.numbers(16, 1, 8, 8, low=-1, high=1).to(device)
        valid = torch.ones(real_images.size(0), 1, device=device)
        fake = torch.zeros(real_images.size(0), 1, device=device)
        optimizer_g.zero_grad()
        z = lib.normal(real_images.shape[0], 10).to(device)
        generated = generator(z)
        g_loss = criterion(discriminator(generated), valid)
        g_loss.backward()
        optimizer_g.step()
        optimizer_d.zero_grad()
        real_loss = criterion(discriminator(real_images), valid)
        fake_loss = criterion(discriminator(generated.detach()), fake)
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        optimizer_d.step()
        told += [g_loss.item(), d_loss.item()]
        assert f"{d_loss:.3f}" == f"{d_loss.item():.3f}"
    return [told, generated]


def weights_init(lib):
    """The textbook's initialiser by class name."""
    nn = lib.nn

    def init(m):
        classname = m.__class__.__name__
        if classname.find("Conv") != -1:
            nn.init.normal_(m.weight.data, 0.0, 0.02)
        elif classname.find("BatchNorm") != -1:
            nn.init.normal_(m.weight.data, 1.0, 0.02)
            nn.init.constant_(m.bias.data, 0)

    return init


def dcgan(lib):
    """The textbook's DCGAN: strided convolutions, batch norm, two backward passes for D."""
    torch, nn, optim = lib.torch, lib.nn, lib.optim
    nz, ngf, ndf, nc = 8, 4, 4, 1
    generator = nn.Sequential(
        nn.ConvTranspose2d(nz, ngf * 4, 4, 1, 0, bias=False),
        nn.BatchNorm2d(ngf * 4),
        nn.ReLU(True),
        nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
        nn.BatchNorm2d(ngf * 2),
        nn.ReLU(True),
        nn.ConvTranspose2d(ngf * 2, nc, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
        nn.BatchNorm2d(ndf * 2),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
    )
    for net in (generator, discriminator):
        net.apply(weights_init(lib))
        assert 0.005 < net[0].weight.std().item() < 0.04
        lib.same(net)
    criterion = nn.BCELoss()
    optimizer_d = optim.Adam(discriminator.parameters(), 0.0002, (0.5, 0.999))
    optimizer_g = optim.Adam(generator.parameters(), 0.0002, (0.5, 0.999))
    told = []
    for _ in range(3):
        discriminator.zero_grad()
        real = lib.numbers(8, nc, 16, 16, low=-1, high=1)
        label = torch.full((real.size(0),), 1.0, dtype=torch.float)
        output = discriminator(real).view(-1)
        error_real = criterion(output, label)
        error_real.backward()
        fake = generator(lib.normal(8, nz, 1, 1))
        label.fill_(0.0)
        output = discriminator(fake.detach()).view(-1)
        error_fake = criterion(output, label)
        error_fake.backward()
        optimizer_d.step()
        generator.zero_grad()
        label.fill_(1.0)
        output = discriminator(fake).view(-1)
        error_g = criterion(output, label)
        error_g.backward()
        optimizer_g.step()
        told += [error_real.item(), error_fake.item(), error_g.item(), output.mean().item()]
    generator.eval()
    with torch.no_grad():
        return [told, generator(lib.normal(2, nz, 1, 1)).detach().cpu()]


def upscaling_gan(lib):
    """The lesson's third GAN: dense start, upsampling, dropout and batch norm in D."""
    torch, nn, optim = lib.torch, lib.nn, lib.optim
    generator = lib.same(
        nn.Sequential(
            nn.Linear(6, 4 * 4 * 8),
            nn.ReLU(),
            nn.Unflatten(1, (8, 4, 4)),
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(8, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.ConvTranspose2d(8, 1, 3, padding=1),
            nn.Tanh(),
        )
    )
    discriminator = lib.same(
        nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.0),
            nn.Conv2d(4, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8, 0.8),
            nn.LeakyReLU(0.2),
            nn.Dropout2d(0.0),
            nn.Flatten(),
            nn.Linear(8 * 4 * 4, 1),
        )
    )
    criterion = nn.BCEWithLogitsLoss()
    adam_g, adam_d = (optim.Adam(net.parameters(), lr=1e-4) for net in (generator, discriminator))
    told = []
    for _ in range(3):
        real, z = lib.numbers(6, 1, 16, 16, low=-1, high=1), lib.normal(6, 6)
        for p in discriminator.parameters():
            p.requires_grad = True
        adam_d.zero_grad(set_to_none=True)
        both = torch.cat([discriminator(real), discriminator(generator(z).detach())], dim=0)
        target = torch.cat((torch.ones(6, 1), torch.zeros(6, 1)))
        loss_d = criterion(both, target)
        loss_d.backward()
        adam_d.step()
        for p in discriminator.parameters():
            p.requires_grad = False
        adam_g.zero_grad()
        loss_g = criterion(discriminator(generator(z)), torch.ones(6, 1))
        loss_g.backward()
        adam_g.step()
        told += [loss_d.item(), loss_g.item(), float((both > 0).float().mean())]
    return [told]


def wgan_gp(lib):
    """A critic with a gradient penalty: a second derivative through convolutions."""
    torch, nn, autograd = lib.torch, lib.nn, lib.torch.autograd
    critic = lib.same(
        nn.Sequential(
            nn.Conv2d(1, 4, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 8, 3, 2, 1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(8 * 2 * 2, 1),
        )
    )  # fmt: skip
    generator = lib.same(nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh()))
    optimizer_c = lib.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
    optimizer_g = lib.optim.RMSprop(generator.parameters(), lr=1e-3)
    told = []
    for step in range(4):
        real, z = lib.numbers(6, 1, 8, 8, low=-1, high=1), lib.normal(6, 5)
        fake = generator(z).view(-1, 1, 8, 8)
        alpha = lib.numbers(6, 1, 1, 1, low=0, high=1).expand_as(real)
        mixed = (alpha * real + (1 - alpha) * fake.detach()).requires_grad_(True)
        scores = critic(mixed)
        gradients = autograd.grad(
            outputs=scores,
            inputs=mixed,
            grad_outputs=torch.ones_like(scores),
            create_graph=True,
            retain_graph=True,
            only_inputs=True,
        )[0]
        gradients = gradients.view(gradients.size(0), -1)
        penalty = ((gradients.norm(2, dim=1) - 1) ** 2).mean()
        optimizer_c.zero_grad()
        loss_c = critic(fake.detach()).mean() - critic(real).mean() + 10 * penalty
        loss_c.backward()
        optimizer_c.step()
        if step % 2 == 1:
            optimizer_g.zero_grad()
            loss_g = -torch.mean(critic(fake))
            loss_g.backward()
            optimizer_g.step()
            told.append(loss_g.item())
        told += [loss_c.item(), penalty.item()]
    return [told]


def conditional_gan(lib):
    """Labels by an embedding in G and by one-hot maps in D; hinge loss, spectral norm."""
    torch, nn, F = lib.torch, lib.nn, lib.F
    classes = 3

    class Generator(nn.Module):
        def __init__(self):
            super(Generator, self).__init__()  # noqa: UP008 - as such programs write it
            self.label_emb = nn.Embedding(classes, classes)
            self.model = nn.Sequential(nn.Linear(4 + classes, 16), nn.ReLU(inplace=True), nn.Linear(16, 36))

        def forward(self, noise, labels):
            both = torch.cat((self.label_emb(labels), noise), -1)
            return torch.tanh(self.model(both)).view(both.size(0), 1, 6, 6)

    class Discriminator(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1 + classes, 6, kernel_size=3, stride=2, padding=1)
            self.fc = nn.Linear(6 * 3 * 3, 1)

        def forward(self, x, labels):
            maps = F.one_hot(labels, num_classes=classes).float()[:, :, None, None]
            x = torch.cat([x, maps.repeat(1, 1, x.shape[2], x.shape[3])], 1)
            x = F.leaky_relu(self.conv(x), 0.2, inplace=True)
            return self.fc(torch.flatten(x, 1)).squeeze(1)

    generator, discriminator = lib.same(Generator()), lib.same(Discriminator())
    optimizers = [
        lib.optim.SGD(net.parameters(), lr=0.05, momentum=0.9) for net in (generator, discriminator)
    ]
    told = []
    for _ in range(4):
        labels = lib.integers(classes, 8)
        real, z = lib.numbers(8, 1, 6, 6, low=-1, high=1), lib.normal(8, 4)
        fake = generator(z, labels)
        d_loss = (
            F.relu(1 - discriminator(real, labels)).mean()
            + F.relu(1 + discriminator(fake.detach(), labels)).mean()
        )
        optimizers[1].zero_grad()
        d_loss.backward()
        torch.nn.utils.clip_grad_norm_(discriminator.parameters(), 1.0)
        optimizers[1].step()
        g_loss = -discriminator(fake, labels).mean()
        optimizers[0].zero_grad()
        g_loss.backward()
        optimizers[0].step()
        told += [d_loss.item(), g_loss.item()]
    return [told, fake]
