// Resampling along one axis by a matrix whose rows are short bands (ops/linalg.py, along_axis).
//
//     y[a, i, b] = sum over k in starts[i] .. stops[i] - 1 of  matrix[i, k] x[a, k, b]
//
// Nearest neighbour has one entry a row, bilinear two, adaptive average pooling the cells of a window; the
// transposed matrix of each, which is its derivative, is a band again. So one gather serves all of
// them, forward and backward, where a full product would read the zeros and an indexed add would be atomic.
// x is (A, n, B) and y (A, m, B), both in C order; the axes before and after the resampled one make A and B.
extern "C" __global__ void band(
    Out y, In x, In matrix, InWhole starts, InWhole stops, INDEX n, INDEX m, INDEX B, INDEX count)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX b = t % B, i = t / B % m, from = t / B / m * n;
    REAL sum = 0;
    for (INDEX k = starts[i]; k < stops[i]; ++k) sum += matrix[i * n + k] * x[(from + k) * B + b];
    y[t] = sum;
}
