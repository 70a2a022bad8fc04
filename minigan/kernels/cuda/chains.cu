// Element-wise chains in one pass: each of them is several array operations, and so several walks through
// memory, when written with CuPy's functions. Matrices (M, C) have one column a channel, in C order.

// For slope 0, a ReLU, it chooses: 0 times an infinite number is not 0.
__device__ __forceinline__ REAL leaky_of(REAL x, REAL slope) {
    return x > 0 ? x : slope == 0 && x < 0 ? 0 : slope * x;
}

// y = leaky(scale[c] x + shift[c]): batch normalisation once its statistics are known (arXiv 1502.03167,
// algorithm 1, last line), a bias (scale 1) and an activation behind either; slope 1 is no activation.
extern "C" __global__ void affine_leaky(Out y, In x, In scale, In shift, REAL slope, INDEX C, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    y[t] = leaky_of(scale[t % C] * x[t] + shift[t % C], slope);
}

// The derivative of leaky(x) = x for x > 0, else slope x, from the result y (whose sign is x's if slope > 0,
// and which is positive exactly where x is if slope = 0):  gx = g where y > 0, else slope g.
extern "C" __global__ void leaky_grad(Out gx, In g, In y, REAL slope, INDEX count)
{
    const INDEX t = this_thread();
    if (t < count) gx[t] = y[t] > 0 ? g[t] : slope == 0 ? (REAL)0 : slope * g[t];
}

// log(1 + exp(x)), which neither overflows nor loses digits, and its derivative, the sigmoid; x and 1 where x
// is above the threshold.
extern "C" __global__ void softplus(Out y, In x, REAL threshold, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const REAL e = exp(x[t] > 0 ? -x[t] : x[t]), base = x[t] < 0 ? 0 : x[t];
    y[t] = x[t] > threshold ? x[t] : base + log1p(e);
}
extern "C" __global__ void softplus_grad(Out gx, In g, In x, REAL threshold, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const REAL e = exp(x[t] > 0 ? -x[t] : x[t]);
    gx[t] = x[t] > threshold ? g[t] : g[t] * ((x[t] < 0 ? e : 1) / (1 + e));
}

// 1 / (1 + exp(-x)), and the derivatives of that and of tanh by their results y.
extern "C" __global__ void sigmoid(Out y, In x, INDEX count)
{
    const INDEX t = this_thread();
    if (t < count) y[t] = 1 / (1 + exp(-x[t]));
}
extern "C" __global__ void sigmoid_grad(Out gx, In g, In y, INDEX count)
{
    const INDEX t = this_thread();
    if (t < count) gx[t] = g[t] * y[t] * (1 - y[t]);
}
extern "C" __global__ void tanh_grad(Out gx, In g, In y, INDEX count)
{
    const INDEX t = this_thread();
    if (t < count) gx[t] = g[t] * (1 - y[t] * y[t]);
}

// Binary cross-entropy of probabilities x and labels t, one label for all where `one`: no log is less than -100,
// no divisor of the derivative less than 1e-12. NaN stays NaN.
__device__ __forceinline__ REAL floored_log(REAL x)
{
    const REAL y = log(x);
    return y < -100 ? -100 : y;
}
extern "C" __global__ void probability_loss(Out y, In x, In label, int one, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const REAL l = label[one ? 0 : t];
    y[t] = -(l * floored_log(x[t]) + (1 - l) * floored_log(1 - x[t]));
}
extern "C" __global__ void probability_loss_grad(Out gx, In g, In x, In label, int one, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const REAL l = label[one ? 0 : t], least = (REAL)1e-12, rest = 1 - x[t];
    gx[t] = g[t] * ((1 - l) / (rest < least ? least : rest) - l / (x[t] < least ? least : x[t]));
}

// Binary cross-entropy of logits x and labels t, one label for all where `one`:
// max(x, 0) - t x + log(1 + exp(-|x|)), and its derivative by x, g (sigmoid(x) - t).
extern "C" __global__ void cross_entropy(Out y, In x, In label, int one, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const REAL e = exp(x[t] > 0 ? -x[t] : x[t]), base = x[t] < 0 ? 0 : x[t];
    y[t] = base - label[one ? 0 : t] * x[t] + log1p(e);
}
extern "C" __global__ void cross_entropy_grad(Out gx, In g, In x, In label, int one, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const REAL e = exp(x[t] > 0 ? -x[t] : x[t]);
    gx[t] = g[t] * ((x[t] < 0 ? e : 1) / (1 + e) - label[one ? 0 : t]);
}
