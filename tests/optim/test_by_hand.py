"""Optimisers, schedules, clipping and the average of a net beside their formulas, in plain Python numbers.

A rule here is its formula unrolled: what it keeps is a sum over every gradient so far, worked out anew at
each step and for each element by itself.  A setting that a test leaves out takes the oracle's own default.
"""

from math import cos, fsum, inf, isclose, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import Tensor, nn, optim
from minigan.modes import set_mode

SHAPES = [(3, 4), (5,), (), (2, 3, 2), (0, 2), (1, 4), (2, 2)]
LAYOUTS = ["C", "F", "view", "reversed"]
STEPS = 7
BOTH_WAYS = pytest.mark.parametrize("fast", [True, False], ids=["kernels", "definitions"])


def laid_out(layout, array):
    """A copy: in C or Fortran order, every second cell of a larger array, or walked backwards."""
    if layout == "view":
        wide = np.full((*array.shape, 2), 7.0)
        wide[..., 0] = array
        return wide[..., 0]
    if layout == "reversed" and array.ndim:
        return array[::-1].copy()[::-1]
    return array.copy(order="F" if layout == "F" else "C")


def numbers(array):
    """The elements in order of their indices, as floats."""
    return (array.numpy() if isinstance(array, Tensor) else array).ravel().tolist()


def assert_close(found, wanted, where=""):
    for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert isclose(a, b, rel_tol=1e-10, abs_tol=1e-13), f"{where}[{i}]: {a}, by hand {b}"


# ---- the rules ------------------------------------------------------------------------------------------


def fading(values, decay):
    """The sum of decay**age value, where the last is of age 0."""
    return fsum(decay**age * value for age, value in enumerate(reversed(values)))


def sgd(p, g, past, *, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    """Sutskever et al., ICML 2013, equations 1 to 4, with lr outside the sum."""
    past.append(g + weight_decay * p)
    if momentum == 0.0:
        return p - lr * past[-1], {}
    b = fading([past[0], *((1.0 - dampening) * g for g in past[1:])], momentum)
    return p - lr * (past[-1] + momentum * b if nesterov else b), {"momentum_buffer": b}


def rmsprop(p, g, past, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    """Hinton, lecture 6e, 2012; centred: Graves, arXiv 1308.0850, eqs. 38 to 41, eps outside the root."""
    past.append(g + weight_decay * p)
    steps = []
    for now in range(1, len(past) + 1):
        v = (1.0 - alpha) * fading([g * g for g in past[:now]], alpha)
        mean = (1.0 - alpha) * fading(past[:now], alpha)
        variance = v - mean**2 if centered else v
        steps.append(past[now - 1] / (sqrt(variance) + eps))
    b = fading(steps, momentum)  # the last step alone, where momentum is 0
    kept = {"square_avg": v}
    kept |= {"grad_avg": mean} if centered else {}
    return p - lr * b, kept | ({"momentum_buffer": b} if momentum else {})


def moments(past, betas, eps, amsgrad):
    """Kingma and Ba, arXiv 1412.6980, section 3; Reddi et al., arXiv 1904.09237, algorithm 2."""
    first, second = betas
    t = len(past)
    m = (1.0 - first) * fading(past, first)
    squares = [(1.0 - second) * fading([g * g for g in past[:now]], second) for now in range(1, t + 1)]
    v = max(squares) if amsgrad else squares[-1]
    kept = {"exp_avg": m, "exp_avg_sq": squares[-1]} | ({"max_exp_avg_sq": v} if amsgrad else {})
    return m / (1.0 - first**t) / (sqrt(v / (1.0 - second**t)) + eps), kept


def adam(p, g, past, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False):
    """Kingma and Ba, arXiv 1412.6980, algorithm 1, with weight_decay p added to the gradient."""
    past.append(g + weight_decay * p)
    step, kept = moments(past, betas, eps, amsgrad)
    return p - lr * step, kept


def adamw(p, g, past, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False):
    """Loshchilov and Hutter, arXiv 1711.05101, algorithm 2, line 12, with its alpha for both terms."""
    past.append(g)
    step, kept = moments(past, betas, eps, amsgrad)
    return p - lr * (step + weight_decay * p), kept


def choose(**choices):
    return {name: st.sampled_from(values) for name, values in choices.items()}


RATES = choose(lr=[0.3, 0.01], weight_decay=[0.1, 0.5, 0.0])
ROOTS = RATES | choose(alpha=[0.9, 0.5], eps=[0.1, 1e-4])
MEANS = RATES | choose(betas=[(0.9, 0.99), (0.5, 0.7), (0.0, 0.9), (0.8, 0.0)], eps=[0.1, 1e-4])
HEAVY = choose(momentum=[0.9, 0.5])
# The class, its oracle, settings that are always given and settings that may be left out.
RULES = {
    "sgd": (optim.SGD, sgd, {}, RATES | choose(dampening=[0.3])),
    "sgd, momentum": (optim.SGD, sgd, HEAVY, RATES),
    "sgd, dampening": (optim.SGD, sgd, HEAVY | choose(dampening=[0.3, 0.9]), RATES),
    "sgd, nesterov": (optim.SGD, sgd, HEAVY | choose(nesterov=[True]), RATES),
    "rmsprop": (optim.RMSprop, rmsprop, {}, ROOTS),
    "rmsprop, momentum": (optim.RMSprop, rmsprop, HEAVY, ROOTS),
    "rmsprop, centered": (optim.RMSprop, rmsprop, choose(centered=[True]), ROOTS | HEAVY),
    "adam": (optim.Adam, adam, {}, MEANS),
    "adam, amsgrad": (optim.Adam, adam, choose(amsgrad=[True]), MEANS),
    "adamw": (optim.AdamW, adamw, {}, MEANS),
    "adamw, amsgrad": (optim.AdamW, adamw, choose(amsgrad=[True]), MEANS),
}


class ByHand:
    """One parameter's numbers, and what a rule keeps for each."""

    def __init__(self, rule, start):
        self.rule, self.values, self.kept = rule, numbers(start), {}
        self.past = [[] for _ in self.values]
        self.count = 0

    def step(self, gradient, settings):
        moves = [
            self.rule(p, g, past, **settings)
            for p, g, past in zip(self.values, gradient, self.past, strict=True)
        ]
        self.count += 1
        self.values = [p for p, _ in moves]
        self.kept = {slot: [kept[slot] for _, kept in moves] for slot in (moves[0][1] if moves else ())}


def gradients(generator, moving):
    """One of each shape, some elements 0, large at one step and small at another; None for those at rest."""
    scale = generator.choice([1.0, 0.03])
    drawn = [generator.normal(scale=scale, size=s) * (generator.random(s) > 0.15) for s in SHAPES]
    return [np.asarray(g) if moves else None for g, moves in zip(drawn, moving, strict=True)]


def assert_same_state(optimizer, oracles):
    """Step counts and moments; a parameter that never moved has neither."""
    state = optimizer.state_dict()["state"]
    assert state.keys() == {i for i, oracle in enumerate(oracles) if oracle.count}
    for i, entry in state.items():
        assert entry.pop("step") == oracles[i].count
        assert not oracles[i].values or entry.keys() == oracles[i].kept.keys()
        for slot, wanted in oracles[i].kept.items():
            assert entry[slot].shape == SHAPES[i]
            assert_close(numbers(entry[slot]), wanted, f"{slot} of parameter {i}")


@BOTH_WAYS
@pytest.mark.parametrize("name", RULES)
@given(data=st.data())
def test_rules(name, fast, data):
    """Two groups; gradients missing at times; a rate changed and an array laid out anew on the way."""
    kind, rule, always, optional = RULES[name]
    common = data.draw(st.fixed_dictionaries(always, optional=optional))
    own = data.draw(st.fixed_dictionaries({}, optional=RATES))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    count = len(SHAPES)
    layouts = data.draw(st.lists(st.sampled_from(LAYOUTS), min_size=3 * count, max_size=3 * count))
    may_rest = st.lists(st.sampled_from([True, True, False]), min_size=count, max_size=count)
    parameters, oracles = [], []
    for layout, shape in zip(layouts, SHAPES, strict=False):
        parameters.append(Tensor(laid_out(layout, generator.normal(size=shape)), requires_grad=True))
        oracles.append(ByHand(rule, parameters[-1]))
    cut = data.draw(st.integers(1, count - 1))
    optimizer = kind([{"params": parameters[:cut]}, {"params": parameters[cut:], **own}], **common)
    settings = [dict(common), common | own]
    change, group = data.draw(st.integers(1, STEPS - 1)), data.draw(st.integers(0, 1))
    for step in range(STEPS):
        if step == change:
            optimizer.param_groups[group]["lr"] = settings[group]["lr"] = 0.05
            for layout, p in zip(layouts[count:], parameters, strict=False):
                p.data = Tensor(laid_out(layout, p.numpy())).data
        drawn = gradients(generator, data.draw(may_rest))
        for i, (p, g) in enumerate(zip(parameters, drawn, strict=True)):
            p.grad = None if g is None else Tensor(laid_out(layouts[2 * count + i], g))
            if g is not None:
                oracles[i].step(numbers(g), settings[i >= cut])
        with set_mode("kernels", fast):
            optimizer.step()
        for i, (p, oracle) in enumerate(zip(parameters, oracles, strict=True)):
            assert_close(numbers(p), oracle.values, f"step {step}, parameter {i}")
        assert_same_state(optimizer, oracles)


@BOTH_WAYS
def test_nesterov_looks_ahead(fast):
    """Sutskever et al., equations 3 and 4: p is where the paper takes the gradient, theta + mu v."""
    rate, mu, theta, v = 0.1, 0.8, 2.0, 0.0
    p = Tensor(np.array(2.0), requires_grad=True)
    optimizer = optim.SGD([p], lr=rate, momentum=mu, nesterov=True)
    for _ in range(6):
        p.grad = Tensor(np.asarray(3.0 * p.numpy() - 1.0))  # of 3/2 p**2 - p
        with set_mode("kernels", fast):
            optimizer.step()
        v = mu * v - rate * (3.0 * (theta + mu * v) - 1.0)
        theta += v
        assert_close(numbers(p), [theta + mu * v])


# ---- the schedules --------------------------------------------------------------------------------------


def step_lr(base, t, *, step_size, gamma=0.1):
    for now in range(1, t + 1):
        base *= gamma if now % step_size == 0 else 1.0
    return base


def multi_step_lr(base, t, *, milestones, gamma=0.1):
    for now in range(t + 1):
        base *= gamma ** milestones.count(now)
    return base


def exponential_lr(base, t, *, gamma):
    for _ in range(t):
        base *= gamma
    return base


def linear_lr(base, t, *, start_factor=1 / 3, end_factor=1.0, total_iters=5):
    done = min(t, total_iters)
    return base * (start_factor * (total_iters - done) + end_factor * done) / total_iters


def cosine_annealing_lr(base, t, *, T_max, eta_min=0.0):
    """Loshchilov and Hutter, arXiv 1608.03983, equation 5, where (1 + cos x) / 2 = cos(x / 2)**2."""
    return eta_min + (base - eta_min) * cos(pi * t / (2 * T_max)) ** 2


def lambda_lr(base, t, *, lr_lambda):
    return base * lr_lambda(t)


FACTORS = [1.0, 0.7, 0.7, 0.2, 1.5, 0.0, 0.4, 0.3, 0.9, 0.8, 0.1]
LENGTHS, DROPS = st.integers(1, 5), choose(gamma=[0.5, 0.9, 1.0])
# The class, its oracle, settings always given and settings that may be left out.
SCHEDULES = {
    "StepLR": (step_lr, {"step_size": LENGTHS}, DROPS),
    "MultiStepLR": (multi_step_lr, {"milestones": st.lists(st.integers(0, 9), max_size=4)}, DROPS),
    "ExponentialLR": (exponential_lr, DROPS, {}),
    "LinearLR": (
        linear_lr,
        {},
        choose(start_factor=[0.2, 1.0], end_factor=[0.0, 0.6]) | {"total_iters": LENGTHS},
    ),
    "CosineAnnealingLR": (cosine_annealing_lr, {"T_max": LENGTHS}, choose(eta_min=[0.01, 0.1])),
    "LambdaLR": (lambda_lr, choose(lr_lambda=[FACTORS.__getitem__]), {}),
}


@pytest.mark.parametrize("name", SCHEDULES)
@given(data=st.data())
def test_schedules(name, data):
    """Two groups with rates of their own, trained at them; another pair takes over on the way."""
    formula, always, optional = SCHEDULES[name]
    settings = data.draw(st.fixed_dictionaries(always, optional=optional))
    pair = [Tensor(np.array(value), requires_grad=True) for value in (3.0, -2.0)]
    bases, values = [0.5, 0.02], [3.0, -2.0]

    def start(*rates):
        sgd = optim.SGD([{"params": [p], "lr": lr} for p, lr in zip(pair, rates, strict=True)])
        return sgd, getattr(optim, name)(sgd, **settings)

    optimizer, schedule = start(*bases)
    change = data.draw(st.integers(0, 9))
    for t in range(10):
        if t == change:
            saved = schedule.state_dict()
            optimizer, schedule = start(9.0, 8.0)
            schedule.load_state_dict(saved)
        rates = [formula(base, t, **settings) for base in bases]
        assert_close(schedule.get_last_lr(), rates, f"step {t}")
        assert [group["lr"] for group in optimizer.param_groups] == schedule.get_last_lr()
        for p in pair:
            p.grad = Tensor(np.array(1.0 + t))
        optimizer.step()
        schedule.step()
        values = [value - rate * (1.0 + t) for value, rate in zip(values, rates, strict=True)]
        assert_close([p.item() for p in pair], values)


@pytest.mark.parametrize("name, settings, rates", [
    ("StepLR", {"step_size": 2, "gamma": 0.5}, [8, 8, 4, 4, 2, 2]),
    ("MultiStepLR", {"milestones": [3, 1, 3], "gamma": 0.5}, [8, 4, 4, 1, 1, 1]),
    ("ExponentialLR", {"gamma": 0.5}, [8, 4, 2, 1, 0.5, 0.25]),
    ("LinearLR", {"start_factor": 0.25, "end_factor": 1.0, "total_iters": 3}, [2, 4, 6, 8, 8, 8]),
    ("CosineAnnealingLR", {"T_max": 3}, [8, 6, 2, 0, 2, 6]),
    ("CosineAnnealingLR", {"T_max": 2, "eta_min": 4.0}, [8, 6, 4, 6, 8, 6]),
    ("LambdaLR", {"lr_lambda": lambda t: t + 0.5}, [4, 12, 20, 28, 36, 44]),
])  # fmt: skip
def test_the_first_rates(name, settings, rates):
    schedule = getattr(optim, name)(optim.SGD([Tensor(np.zeros(1), requires_grad=True)], lr=8.0), **settings)
    for rate in rates:
        assert_close(schedule.get_last_lr(), [rate])
        schedule.step()


# ---- clipping and the average ---------------------------------------------------------------------------


@st.composite
def clipped(draw):
    """Parameters with gradients in many layouts, one without, and the gradients' elements in one list."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bare = draw(st.integers(0, len(SHAPES) - 1))
    parameters = [Tensor(np.zeros(shape), requires_grad=True) for shape in SHAPES]
    for i, p in enumerate(parameters):
        layout = draw(st.sampled_from(LAYOUTS))
        p.grad = None if i == bare else Tensor(laid_out(layout, np.asarray(generator.normal(size=p.shape))))
    return parameters, elements(parameters)


def elements(parameters):
    return [x for p in parameters if p.grad is not None for x in numbers(p.grad)]


@given(drawn=clipped(), norm_type=st.sampled_from([1, 2, inf, 3]), share=st.sampled_from([0.1, 0.99, 1.0, 5]))
def test_clip_grad_norm(drawn, norm_type, share):
    """Pascanu et al., arXiv 1211.5063, algorithm 1, for any norm, with 1e-6 added to the norm."""
    parameters, before = drawn
    sizes = [abs(x) for x in before]
    total = max(sizes) if norm_type == inf else fsum(x**norm_type for x in sizes) ** (1 / norm_type)
    assert_close([optim.clip_grad_norm_(parameters, share * total, norm_type)], [total])
    factor = min(1.0, share * total / (total + 1e-6))
    assert_close(elements(parameters), [factor * x for x in before])


@given(drawn=clipped(), most=st.sampled_from([0.01, 0.5, 9.0]))
def test_clip_grad_value(drawn, most):
    parameters, before = drawn
    optim.clip_grad_value_(parameters, most)
    assert elements(parameters) == [-most if x < -most else most if x > most else x for x in before]


class Net(nn.Module):
    """A parameter of each shape, a running mean and a count."""

    def __init__(self, layouts, generator):
        super().__init__()
        for i, (layout, shape) in enumerate(zip(layouts, SHAPES, strict=True)):
            setattr(self, f"p{i}", nn.Parameter(laid_out(layout, np.asarray(generator.normal(size=shape)))))
        self.register_buffer("mean", Tensor(generator.normal(size=2)))
        self.register_buffer("count", Tensor(np.array(0)))


@BOTH_WAYS
@given(
    decay=st.sampled_from([0.0, 0.15, 0.9]),
    warmup=st.booleans(),
    layouts=st.lists(st.sampled_from(LAYOUTS), min_size=len(SHAPES), max_size=len(SHAPES)),
    seed=st.integers(0, 2**32 - 1),
)
def test_average(fast, decay, warmup, layouts, seed):
    """Yazici et al., arXiv 1806.04498: each past value weighs what the later decays leave of it."""
    generator = np.random.default_rng(seed)
    net = Net(layouts, generator)
    ema = optim.EMA(net, decay=decay, warmup=warmup)
    history, decays = [net.state_dict()], [0.0]
    for warm in (1 / 10, 2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15):
        for tensor in (*net.parameters(), net.mean):
            tensor.copy_(generator.normal(size=tensor.shape))
        net.count.copy_(len(history))
        with set_mode("kernels", fast):
            ema.update(net)
        history.append(net.state_dict())
        decays.append(min(decay, warm) if warmup else decay)
        weights, left = [], 1.0
        for d in reversed(decays):
            weights.insert(0, (1.0 - d) * left)
            left *= d
        for name, found in ema.module.state_dict().items():
            past = zip(*(numbers(state[name]) for state in history), strict=True)
            means = [fsum(w * x for w, x in zip(weights, values, strict=True)) for values in past]
            assert_close(numbers(found), [len(history) - 1] if name == "count" else means, name)
