"""A VAE, style transfer, a classifier, a U-Net and small things, as a PyTorch user writes them."""


def vae(lib):
    """Reparametrisation, binary cross-entropy as a sum, KL in closed form."""
    torch, nn, F = lib.torch, lib.nn, lib.F

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(64, 32)
            self.fc21, self.fc22 = nn.Linear(32, 4), nn.Linear(32, 4)
            self.fc3, self.fc4 = nn.Linear(4, 32), nn.Linear(32, 64)

        def encode(self, x):
            h1 = F.relu(self.fc1(x))
            return self.fc21(h1), self.fc22(h1)

        def reparameterize(self, mu, logvar):
            std = torch.exp(0.5 * logvar)
            eps = lib.normal(*std.shape)
            return eps.mul(std).add_(mu)

        def forward(self, x):
            mu, logvar = self.encode(x.view(-1, 64))
            h3 = F.relu(self.fc3(self.reparameterize(mu, logvar)))
            return torch.sigmoid(self.fc4(h3)), mu, logvar

    model = lib.same(VAE())
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    told = []
    for _ in range(5):
        data = lib.numbers(12, 1, 8, 8, low=0, high=1)
        optimizer.zero_grad()
        recon, mu, logvar = model(data)
        bce = F.binary_cross_entropy(recon, data.view(-1, 64), reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = bce + kld
        loss.backward()
        optimizer.step()
        told.append(loss.item() / len(data))
    return [told, recon]


def gram_matrix(x):
    """Features (b, c, h, w) -> (b c, b c)."""
    b, c, h, w = x.size()
    features = x.view(b * c, h * w)
    return features @ features.t() / (b * c * h * w)


def _features(lib):
    nn = lib.nn
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
    )
    lib.same(net)
    for p in net.parameters():
        p.requires_grad_(False)
    return net.eval()


def style_transfer(lib):
    """Gram losses by Adam on the pixels, which are clamped through .data."""
    torch, F = lib.torch, lib.F
    net = _features(lib)
    content, style = lib.numbers(1, 3, 16, 16, low=0, high=1), lib.numbers(1, 3, 16, 16, low=0, high=1)
    with torch.no_grad():
        content_target, style_target = net(content), gram_matrix(net[:2](style))
    image = content.clone().requires_grad_(True)
    optimizer = lib.optim.Adam([image], lr=0.05)
    told = []
    for _ in range(6):
        optimizer.zero_grad()
        content_loss = F.mse_loss(net(image), content_target)
        style_loss = F.mse_loss(gram_matrix(net[:2](image)), style_target)
        variation = torch.sum(torch.abs(image[:, :, :, :-1] - image[:, :, :, 1:])) + torch.sum(
            torch.abs(image[:, :, :-1, :] - image[:, :, 1:, :])
        )
        loss = content_loss + 1e3 * style_loss + 1e-4 * variation
        loss.backward()
        optimizer.step()
        image.data.clamp_(0, 1)
        told.append(loss.item())
    return [told, image.detach().squeeze(0).permute(1, 2, 0)]


def lbfgs_style(lib):
    """The same by L-BFGS with a closure."""
    net, F = _features(lib), lib.F
    target = gram_matrix(net[:2](lib.numbers(1, 3, 12, 12, low=0, high=1))).detach()
    image = lib.numbers(1, 3, 12, 12, low=0, high=1).requires_grad_()
    optimizer = lib.optim.LBFGS([image], max_iter=4)
    told = []

    def closure():
        optimizer.zero_grad()
        loss = 1e4 * F.mse_loss(gram_matrix(net[:2](image)), target)
        loss.backward()
        return loss

    for _ in range(2):
        told.append(optimizer.step(closure).item())
    return [told]


def classifier(lib):
    """A small convolutional net, DataLoader, a schedule, accuracy without recording."""
    torch, nn, F = lib.torch, lib.nn, lib.F

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, 3, 1)
            self.conv2 = nn.Conv2d(6, 8, 3, 1)
            self.bn = nn.BatchNorm2d(8)
            self.fc = nn.Linear(8 * 3 * 3, 4)

        def forward(self, x):
            x = F.relu(self.conv1(x))
            x = F.max_pool2d(F.relu(self.bn(self.conv2(x))), 2)
            return F.log_softmax(self.fc(torch.flatten(x, 1)), dim=1)

    model = lib.same(Net())
    dataset = lib.data.TensorDataset(lib.normal(20, 1, 10, 10), lib.integers(4, 20))
    loader = lib.data.DataLoader(dataset, batch_size=8, shuffle=False, num_workers=0)
    optimizer = lib.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4, nesterov=True)
    scheduler = lib.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    told = []
    for _ in range(3):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(model(x), y)
            loss.backward()
            optimizer.step()
            told.append(loss.item())
        scheduler.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for x, y in loader:
                prediction = model(x).argmax(dim=1, keepdim=True)
                correct += prediction.eq(y.view_as(prediction)).sum().item()
        told += [correct / len(dataset), optimizer.param_groups[0]["lr"]]
    return [told]


def unet(lib):
    """Skip connections, transposed convolution, interpolation, cross-entropy of every pixel."""
    torch, nn, F = lib.torch, lib.nn, lib.F

    def double_conv(n_in, n_out):
        return nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, padding=1),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(n_out, n_out, 3, padding=1),
            nn.ReLU(inplace=True),
        )

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down1, self.down2, self.bottom = double_conv(1, 4), double_conv(4, 8), double_conv(8, 8)
            self.pool = nn.MaxPool2d(2)
            self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
            self.ups = nn.ModuleList([double_conv(16, 4), double_conv(8, 4)])
            self.head = nn.Conv2d(4, 3, 1)

        def forward(self, x):
            a = self.down1(x)
            b = self.down2(self.pool(a))
            c = self.bottom(self.pool(b))
            c = self.ups[0](torch.cat([self.up(c), b], dim=1))
            c = F.interpolate(c, scale_factor=2, mode="bilinear", align_corners=True)
            return self.head(self.ups[1](torch.cat([c, a], dim=1)))

    net = lib.same(UNet())
    optimizer = lib.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
    criterion = nn.CrossEntropyLoss()
    told = []
    for _ in range(3):
        x, y = lib.normal(2, 1, 8, 8), lib.integers(3, 2, 8, 8)
        out = net(x)
        loss = criterion(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        told += [loss.item(), (out.max(1)[1] == y).float().mean().item()]
    return [told]


def saving(lib):
    """A checkpoint with two nets and an optimiser, read into fresh ones."""
    torch, nn = lib.torch, lib.nn
    make = lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))  # noqa: E731
    net = lib.same(make())
    optimizer = lib.optim.Adam(net.parameters(), lr=0.01)
    x, y = lib.normal(5, 4), lib.normal(5, 2)

    def step(net, optimizer):
        loss = nn.MSELoss()(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    told = [step(net, optimizer) for _ in range(3)]
    path = str(lib.folder / "checkpoint.pth")
    torch.save(
        {"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict(), "losses": told}, path
    )
    checkpoint = torch.load(path)
    other = make()
    other.load_state_dict(checkpoint["model"])
    again = lib.optim.Adam(other.parameters(), lr=0.01)
    again.load_state_dict(checkpoint["optimizer"])
    assert checkpoint["epoch"] == 3 and checkpoint["losses"] == told
    return [told, [step(net, optimizer), step(other, again)]]


def tensor_methods(lib):
    """Names that such programs use on tensors."""
    torch = lib.torch
    x, w = lib.normal(3, 4), lib.normal(4, 2)
    values, indices = x.max(dim=1)
    masked = x.masked_fill(x < 0, 0.0)
    y = torch.zeros(3, 4, dtype=torch.float32)
    y[1:, ::2] = 2.5
    y[x > 0] += 1
    rows = torch.stack([row.sum() for row in x])
    whole = torch.arange(6).view(2, 3)
    return [
        x.mean(), x.std(), x.var(dim=0, unbiased=False), x.sum(1, keepdim=True), x.norm(), values, indices,
        masked, y, rows, x.unsqueeze(1).expand(-1, 5, -1).contiguous().view(15, 4), x.T @ x, torch.mm(x, w),
        x.t().mm(x), torch.matmul(x, w), x.chunk(2, dim=1)[1], torch.split(x, 3, dim=1)[0], x.repeat(2, 1),
        x.flatten(), x.reshape(-1, 2), x.clamp(-0.5, 0.5), x.abs().sqrt(), torch.where(x > 0, x, -x),
        (x * whole[0, 1]).double(), whole.float().mean(), whole.sum(), (whole / 2), (whole + 0.5), whole * 2,
        x.gather(1, indices.unsqueeze(1)), torch.linspace(0, 1, 5), torch.eye(3), x.argmax(1), x.numel(),
        x.prod(dim=0), x.cumsum(0), torch.einsum("ij,jk->ik", x, w), x.topk(2, dim=1)[0], x.sort(dim=0)[1],
        (2**x).log(), x.float().tanh(), torch.softmax(x, dim=-1), x.sigmoid().round(), int(x.size(0)),
        torch.cat([x, x], dim=-1).shape, x.roll(1, 0), x.tril(), x.permute(1, 0), x.squeeze(), x.dim(),
    ]  # fmt: skip


def in_place(lib):
    """Hand-written descent under no_grad, clipping of weights, a running average through copy_."""
    torch, nn = lib.torch, lib.nn
    net, average = lib.same(nn.Linear(4, 3)), lib.same(nn.Linear(4, 3))
    x, y = lib.normal(6, 4), lib.normal(6, 3)
    told = []
    for _ in range(4):
        loss = ((net(x) - y) ** 2).mean()
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p -= 0.1 * p.grad
            for a, p in zip(average.parameters(), net.parameters(), strict=True):
                a.mul_(0.9).add_(p, alpha=0.1)
        for p in net.parameters():
            p.data.clamp_(-0.3, 0.3)
        told.append(loss.item())
    h = net(x)
    h = h + 1
    h *= 2
    h[:, 0] = 0
    h.sum().backward()
    buffer = torch.empty(2, 2).fill_(3)
    buffer.zero_()
    buffer.add_(torch.ones(2, 2), alpha=0.5)
    return [told, average.weight.data, net.weight.grad, buffer]
