// Element-wise chains in one pass: each of them is several array operations, and so several walks through
// memory, when written with CuPy's functions. Matrices (M, C) have one column a channel, in C order.

__device__ __forceinline__ REAL leaky_of(REAL x, REAL slope) { return x > 0 ? x : slope * x; }

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
    if (t < count) gx[t] = y[t] > 0 ? g[t] : slope * g[t];
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

// The derivative of batch normalisation by its input, once the sums are known:
//     gx = factor[c] g - (slope[c] x + shift[c])      (see ops/norm_fused.py for the three vectors)
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
