// Statistics of the columns of a matrix (M, C) in C order, one column a channel, and batch normalisation.
//
// A column is summed in stages, each a launch: strips of rows, then groups of strips, and whoever uses the sums
// adds the last few himself. Every stage has many threads and a fixed order, unlike atomic adds. Results of a
// stage are a matrix (S, C), or (S, 2 C) where two sums a column are made at once.

// sums[s, c] = sum of x over the rows s * height and following.
extern "C" __global__ void strip_sums(Out sums, In x, INDEX rows, INDEX C, INDEX height, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX c = t % C, start = t / C * height;
    const INDEX stop = start + height < rows ? start + height : rows;
    REAL sum = 0;
    for (INDEX r = start; r < stop; ++r) sum += x[r * C + c];
    sums[t] = sum;
}

// The gradient before a leaky ReLU of result y behind batch normalisation, on its way into the next two kernels.
__device__ __forceinline__ REAL leaked(REAL g, REAL y, REAL leak) { return y > 0 ? g : leak == 0 ? (REAL)0 : leak * g; }

// The two sums behind the derivative of batch normalisation, of g and of g (x - center), over strips of rows.
extern "C" __global__ void grad_sums(
    Out sums, In x, In g, In y, In center, REAL leak, INDEX rows, INDEX C, INDEX height, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX c = t % C, s = t / C, start = s * height;
    const INDEX stop = start + height < rows ? start + height : rows;
    REAL sum = 0, product = 0;
    for (INDEX r = start; r < stop; ++r) {
        const REAL slope = leaked(g[r * C + c], y[r * C + c], leak);
        sum += slope;
        product += slope * (x[r * C + c] - center[c]);
    }
    sums[2 * s * C + c] = sum;
    sums[(2 * s + 1) * C + c] = product;
}

// Mean and sum of squared deviations from it, (S, 2 C), of strips of rows. Deviations are taken from the strip's
// first row, so that a column far from 0 keeps its digits.
extern "C" __global__ void strip_moments(Out moments, In x, INDEX rows, INDEX C, INDEX height, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX c = t % C, s = t / C, start = s * height;
    const INDEX stop = start + height < rows ? start + height : rows;
    const REAL center = x[start * C + c];
    REAL sum = 0, square = 0;
    for (INDEX r = start; r < stop; ++r) {
        const REAL drift = x[r * C + c] - center;
        sum += drift;
        square += drift * drift;
    }
    const REAL mean = sum / (REAL)(stop - start), spread = square - sum * mean;
    moments[2 * s * C + c] = center + mean;
    moments[(2 * s + 1) * C + c] = spread > 0 ? spread : 0;
}

// Mean and squared deviations of strips first .. last - 1 together; each has `height` rows, the last of all what
// is left. Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979, equations 2.1.
__device__ __forceinline__ void merged(
    In moments, INDEX first, INDEX last, INDEX rows, INDEX height, INDEX C, INDEX c, REAL& mean, REAL& square)
{
    REAL seen = 0;
    mean = square = 0;
    for (INDEX s = first; s < last; ++s) {
        const REAL more = (REAL)(height < rows - s * height ? height : rows - s * height), all = seen + more;
        const REAL apart = moments[2 * s * C + c] - mean;
        mean += apart * (more / all);
        square += moments[(2 * s + 1) * C + c] + apart * apart * (seen * (more / all));
        seen = all;
    }
}

// Moments of groups of `group` strips of `height` rows each.
extern "C" __global__ void merge_moments(
    Out moments, In strips, INDEX rows, INDEX C, INDEX height, INDEX number, INDEX group, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX c = t % C, s = t / C, first = s * group;
    REAL mean, square;
    merged(strips, first, first + group < number ? first + group : number, rows, height, C, c, mean, square);
    moments[2 * s * C + c] = mean;
    moments[(2 * s + 1) * C + c] = square;
}

// What batch normalisation needs to know of each channel, one thread a channel, from the moments of `number`
// strips of `height` rows (arXiv 1502.03167, algorithm 1):
//     rstd = 1 / sqrt(var + eps),   scale = weight rstd,   shift = bias - mean scale,   so that y = scale x + shift
extern "C" __global__ void norm_vectors(
    Out mean, Out var, Out rstd, Out scale, Out shift, In moments, In weight, In bias, REAL eps,
    INDEX rows, INDEX height, INDEX number, INDEX C)
{
    const INDEX c = this_thread();
    if (c >= C) return;
    REAL middle, square;
    merged(moments, 0, number, rows, height, C, c, middle, square);
    const REAL variance = square / (REAL)rows, inverse = 1 / sqrt(variance + eps), slope = weight[c] * inverse;
    mean[c] = middle;
    var[c] = variance;
    rstd[c] = inverse;
    scale[c] = slope;
    shift[c] = bias[c] - middle * slope;
}

// The same for its derivative, from `number` rows of sums of g and of g (x - mean):
//     gbias = first,   gweight = second rstd,   factor = weight rstd,   slope = factor rstd gweight / M,
//     shift = factor first / M - slope mean,   so that gx = factor g - (slope x + shift)
extern "C" __global__ void norm_slopes(
    Out gbias, Out gweight, Out factor, Out slope, Out shift, In sums, In mean, In rstd, In weight,
    REAL share, INDEX number, INDEX C)
{
    const INDEX c = this_thread();
    if (c >= C) return;
    REAL first = 0, second = 0;
    for (INDEX s = 0; s < number; ++s) {
        first += sums[2 * s * C + c];
        second += sums[(2 * s + 1) * C + c];
    }
    const REAL gain = second * rstd[c], steep = weight[c] * rstd[c];
    const REAL lean = steep * rstd[c] * gain * share;
    gbias[c] = first;
    gweight[c] = gain;
    factor[c] = steep;
    slope[c] = lean;
    shift[c] = steep * first * share - lean * mean[c];
}

// The derivative of batch normalisation by its input, once those are known:
//     gx = factor[c] g - (slope[c] x + shift[c])
extern "C" __global__ void norm_grad(
    Out gx, In x, In g, In y, In factor, In slope, In shift, REAL leak, INDEX C, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX c = t % C;
    gx[t] = factor[c] * leaked(g[t], y[t], leak) - (slope[c] * x[t] + shift[c]);
}

// Running statistics, in place: running += momentum (batch - running), the variance as the unbiased one.
extern "C" __global__ void running_moments(
    Out mean, Out var, In batch_mean, In batch_var, REAL momentum, REAL unbiased, INDEX C)
{
    const INDEX c = this_thread();
    if (c >= C) return;
    mean[c] += momentum * (batch_mean[c] - mean[c]);
    var[c] += momentum * (unbiased * batch_var[c] - var[c]);
}
