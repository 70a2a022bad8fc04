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

// Sums over columns, a strip of rows at a time: strip s covers the rows s * height and following.
//     first[s, c] = sum of g,   second[s, c] = sum of g (x - center[c])
// With g = x - center (a caller that passes x for g says so by `own`) these are the two sums behind mean and
// variance; with the incoming gradient those behind the derivative of batch normalisation. The strips are
// few; array code adds them up. Each has a fixed order, unlike atomic adds.
extern "C" __global__ void column_sums(
    Out first, Out second, In x, In g, In center, int own, INDEX rows, INDEX C, INDEX height, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX c = t % C, start = t / C * height;
    const INDEX stop = start + height < rows ? start + height : rows;
    REAL sum = 0, product = 0;
    for (INDEX r = start; r < stop; ++r) {
        const REAL drift = x[r * C + c] - center[c];
        const REAL weight = own ? drift : g[r * C + c];
        sum += weight;
        product += weight * drift;
    }
    first[t] = sum;
    second[t] = product;
}

// What batch normalisation needs to know of each channel, one thread a channel, from the sums of the deviations
// from `center` and of their squares over M = 1 / share values (arXiv 1502.03167, algorithm 1):
//     mean = center + first / M,   var = second / M - (first / M)^2,   rstd = 1 / sqrt(var + eps),
//     scale = weight rstd,   shift = bias - mean scale,   so that y = scale x + shift
// A dozen launches for a few hundred numbers would take longer than the pass over the image.
extern "C" __global__ void norm_vectors(
    Out mean, Out var, Out rstd, Out scale, Out shift, In first, In second, In center, In weight, In bias,
    REAL share, REAL eps, INDEX C)
{
    const INDEX c = this_thread();
    if (c >= C) return;
    const REAL off = first[c] * share, spread = second[c] * share - off * off;
    const REAL middle = center[c] + off, variance = spread > 0 ? spread : 0;
    const REAL inverse = 1 / sqrt(variance + eps), slope = weight[c] * inverse;
    mean[c] = middle;
    var[c] = variance;
    rstd[c] = inverse;
    scale[c] = slope;
    shift[c] = bias[c] - middle * slope;
}

// The same for its derivative, from first = sum of g and second = sum of g (x - mean):
//     gweight = second rstd,   factor = weight rstd,   slope = factor rstd gweight / M,
//     shift = factor first / M - slope mean,   so that gx = factor g - (slope x + shift)
extern "C" __global__ void norm_slopes(
    Out gweight, Out factor, Out slope, Out shift, In first, In second, In mean, In rstd, In weight,
    REAL share, INDEX C)
{
    const INDEX c = this_thread();
    if (c >= C) return;
    const REAL gain = second[c] * rstd[c], steep = weight[c] * rstd[c];
    const REAL lean = steep * rstd[c] * gain * share;
    gweight[c] = gain;
    factor[c] = steep;
    slope[c] = lean;
    shift[c] = steep * first[c] * share - lean * mean[c];
}

// The derivative of batch normalisation by its input, once those are known:
//     gx = factor[c] g - (slope[c] x + shift[c])
extern "C" __global__ void norm_grad(
    Out gx, In x, In g, In factor, In slope, In shift, INDEX C, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX c = t % C;
    gx[t] = factor[c] * g[t] - (slope[c] * x[t] + shift[c]);
}

// Adam and AdamW (arXiv 1412.6980, algorithm 1; arXiv 1711.05101, algorithm 2), in place. `shrink` is
// 1 - lr decay for AdamW, else 1; `decay` is Adam's L2 decay, else 0. The corrections for the start at zero are
// in `rate` = lr r / (1 - beta1^t) and `eps` = eps r with r = sqrt(1 - beta2^t), as in optim/rules.py.
// `rest1` = 1 - beta1 and `rest2` = 1 - beta2 come from the host, which has them in double precision.
extern "C" __global__ void adam(
    Out p, Out m, Out v, In g, REAL shrink, REAL decay, REAL beta1, REAL rest1, REAL beta2, REAL rest2,
    REAL eps, REAL rate, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const REAL value = p[t] * shrink, slope = g[t] + decay * value;
    const REAL mean = beta1 * m[t] + rest1 * slope, square = beta2 * v[t] + rest2 * slope * slope;
    m[t] = mean;
    v[t] = square;
    p[t] = value - rate * mean / (sqrt(square) + eps);
}
