// Pooling: one number of every window of an image, and back (ops/pool.py).
//
// An image is (A, H, W, B) in C order: A = N C, B = 1 for (N, C, H, W) memory and A = N, B = C for channels-last
// memory, so that one kernel serves both. Window (i, j) has the cell (i SH + kh DH - PH, j SW + kw DW - PW) at
// tap (kh, kw); taps outside the image are left out. The number of a tap is KH KW - (kh KW + kw), from 1 at the
// last one; 0 says that a window had no cell at all.
// Forward, a thread makes one window's number. Backward, it makes one cell's: a cell looks for the windows
// that see it (first_tap), so no two threads write to one place and nothing has to be added atomically.

#define WINDOWS \
    INDEX B, INDEX H, INDEX W, INDEX OH, INDEX OW, INDEX KH, INDEX KW, INDEX SH, INDEX SW, \
    INDEX PH, INDEX PW, INDEX DH, INDEX DW, INDEX step_h, INDEX step_w, INDEX count

// y = the largest cell, winner = the number of its tap. Of equal cells the first wins; NaN is larger than all.
extern "C" __global__ void max_windows(Out y, OutWhole winner, In x, WINDOWS)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX b = t % B, j = t / B % OW, i = t / B / OW % OH, image = t / B / OW / OH * H;
    REAL best = log((REAL)0);  // minus infinity
    int number = 0;
    for (INDEX kh = 0; kh < KH; ++kh) {
        const INDEX h = i * SH + kh * DH - PH;
        if (h < 0 || h >= H) continue;
        for (INDEX kw = 0; kw < KW; ++kw) {
            const INDEX w = j * SW + kw * DW - PW;
            if (w < 0 || w >= W) continue;
            const REAL cell = x[((image + h) * W + w) * B + b];
            if (number == 0 || cell > best || (cell != cell && best == best)) {
                best = cell;
                number = (int)(KH * KW - (kh * KW + kw));
            }
        }
    }
    y[t] = best;
    winner[t] = number;
}

// y = the cell at each window's winner (the adjoint of scatter_max).
extern "C" __global__ void gather_max(Out y, In x, InWhole winner, WINDOWS)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX b = t % B, j = t / B % OW, i = t / B / OW % OH, image = t / B / OW / OH * H;
    const int number = winner[t];
    const INDEX tap = KH * KW - (INDEX)number;
    const INDEX h = i * SH + tap / KW * DH - PH, w = j * SW + tap % KW * DW - PW;
    y[t] = number == 0 ? (REAL)0 : x[((image + h) * W + w) * B + b];
}

// gx = the sum of g over the windows that this cell won.
extern "C" __global__ void scatter_max(Out gx, In g, InWhole winner, WINDOWS)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX b = t % B, w = t / B % W, h = t / B / W % H, image = t / B / W / H * OH;
    const INDEX first_w = first_tap(w + PW, KW, SW, DW, step_w);
    REAL sum = 0;
    for (INDEX kh = first_tap(h + PH, KH, SH, DH, step_h); kh < KH; kh += step_h) {
        const INDEX i = (h + PH - kh * DH) / SH;
        if (i < 0 || i >= OH) continue;
        for (INDEX kw = first_w; kw < KW; kw += step_w) {
            const INDEX j = (w + PW - kw * DW) / SW;
            if (j < 0 || j >= OW) continue;
            const INDEX place = ((image + i) * OW + j) * B + b;
            if ((INDEX)winner[place] == KH * KW - (kh * KW + kw)) sum += g[place];
        }
    }
    gx[t] = sum;
}

// y = scale * the sum of the window.
extern "C" __global__ void sum_windows(Out y, In x, REAL scale, WINDOWS)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX b = t % B, j = t / B % OW, i = t / B / OW % OH, image = t / B / OW / OH * H;
    REAL sum = 0;
    for (INDEX kh = 0; kh < KH; ++kh) {
        const INDEX h = i * SH + kh * DH - PH;
        if (h < 0 || h >= H) continue;
        for (INDEX kw = 0; kw < KW; ++kw) {
            const INDEX w = j * SW + kw * DW - PW;
            if (w >= 0 && w < W) sum += x[((image + h) * W + w) * B + b];
        }
    }
    y[t] = scale * sum;
}

// gx = scale * the sum of g over the windows that see this cell (the adjoint of sum_windows).
extern "C" __global__ void spread_windows(Out gx, In g, REAL scale, WINDOWS)
{
    const INDEX t = this_thread();
    if (t >= count) return;
    const INDEX b = t % B, w = t / B % W, h = t / B / W % H, image = t / B / W / H * OH;
    const INDEX first_w = first_tap(w + PW, KW, SW, DW, step_w);
    REAL sum = 0;
    for (INDEX kh = first_tap(h + PH, KH, SH, DH, step_h); kh < KH; kh += step_h) {
        const INDEX i = (h + PH - kh * DH) / SH;
        if (i < 0 || i >= OH) continue;
        for (INDEX kw = first_w; kw < KW; kw += step_w) {
            const INDEX j = (w + PW - kw * DW) / SW;
            if (j >= 0 && j < OW) sum += g[((image + i) * OW + j) * B + b];
        }
    }
    gx[t] = scale * sum;
}
