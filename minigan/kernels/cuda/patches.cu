// im2col and col2im: the copies around the one matrix product of a convolution (ops/conv/cuda_im2col.py).
//
//     columns[(n, i, j), (kh, kw, c)] = x[n, c, i SH + kh DH - PH, j SW + kw DW - PW],  0 outside the image
//     gx[n, h, w, c] = sum of columns[(n, i, j), (kh, kw, c)] over all (i, kh) and (j, kw) with
//                      i SH + kh DH - PH = h  and  j SW + kw DW - PW = w
//
// Chellapilla, Puri and Simard (2006), section 3, with the channels innermost: neighbouring threads then read
// and write neighbouring numbers. The padding is an if, not an array. col2im is usually written as a scatter
// with atomic adds, whose order, and so whose rounding, changes from run to run; here each cell gathers its terms.

// A division costs a GPU as much as twenty additions. So where pixels have many channels threads stand side by
// side along them, and what depends on the place alone is worked out once for all the channels of a thread.
#define MANY 16  // channels: cuda_im2col.MANY

// A block is blockDim.y rows of the columns; the threads of one row go along it together.
// x comes with its strides in elements, so any memory layout will do. Rows cover the output lines i0 to
// i0 + lines of every image.
extern "C" __global__ void im2col(
    Out columns, In x, INDEX step_n, INDEX step_c, INDEX step_h, INDEX step_w,
    INDEX C, INDEX H, INDEX W, INDEX KH, INDEX KW, INDEX OW, INDEX SH, INDEX SW, INDEX PH, INDEX PW,
    INDEX DH, INDEX DW, INDEX i0, INDEX lines, INDEX rows)
{
    const INDEX row = (INDEX)blockIdx.x * (INDEX)blockDim.y + (INDEX)threadIdx.y;
    if (row >= rows) return;
    const INDEX top = (row / OW % lines + i0) * SH - PH, left = row % OW * SW - PW;
    const INDEX image = row / OW / lines * step_n, K = KH * KW * C;
    if (C >= MANY) {
        INDEX to = row * K;
        for (INDEX kh = 0, h = top; kh < KH; ++kh, h += DH)
            for (INDEX kw = 0, w = left; kw < KW; ++kw, w += DW, to += C) {
                const bool inside = h >= 0 && h < H && w >= 0 && w < W;
                const INDEX from = image + h * step_h + w * step_w;
                for (INDEX c = (INDEX)threadIdx.x; c < C; c += (INDEX)blockDim.x)
                    columns[to + c] = inside ? x[from + c * step_c] : (REAL)0;
            }
        return;
    }
    for (INDEX k = (INDEX)threadIdx.x; k < K; k += (INDEX)blockDim.x) {
        const INDEX c = k % C, h = top + k / C / KW * DH, w = left + k / C % KW * DW;
        const bool inside = h >= 0 && h < H && w >= 0 && w < W;
        columns[row * K + k] = inside ? x[image + c * step_c + h * step_h + w * step_w] : (REAL)0;
    }
}

// One thread a cell of gx, (N, H, W, C) in C order; columns hold all output pixels of these images. Of many
// channels a thread has up to four at a time, blockDim.x apart, and a block has blockDim.y pixels.
extern "C" __global__ void col2im(
    Out gx, In columns, INDEX C, INDEX H, INDEX W, INDEX KH, INDEX KW, INDEX OH, INDEX OW,
    INDEX SH, INDEX SW, INDEX PH, INDEX PW, INDEX DH, INDEX DW, INDEX step_h, INDEX step_w, INDEX count)
{
    const bool many = C >= MANY;
    const INDEX t = this_thread(), apart = many ? (INDEX)blockDim.x : C;
    const INDEX pixel = many ? (INDEX)blockIdx.x * (INDEX)blockDim.y + (INDEX)threadIdx.y : t / C;
    if (pixel >= count / C) return;
    const INDEX w = pixel % W, h = pixel / W % H, n = pixel / W / H;
    const INDEX first_h = first_tap(h + PH, KH, SH, DH, step_h), first_w = first_tap(w + PW, KW, SW, DW, step_w);
    for (INDEX c = many ? (INDEX)threadIdx.x : t % C; c < C; c += 4 * apart) {
        REAL sums[4] = {0, 0, 0, 0};
        for (INDEX kh = first_h; kh < KH; kh += step_h) {
            const INDEX i = (h + PH - kh * DH) / SH;
            if (i < 0 || i >= OH) continue;
            for (INDEX kw = first_w; kw < KW; kw += step_w) {
                const INDEX j = (w + PW - kw * DW) / SW;
                if (j < 0 || j >= OW) continue;
                const INDEX from = ((((n * OH + i) * OW + j) * KH + kh) * KW + kw) * C + c;
                #pragma unroll
                for (int k = 0; k < 4; ++k)
                    if (c + k * apart < C) sums[k] += columns[from + k * apart];
            }
        }
        #pragma unroll
        for (int k = 0; k < 4; ++k)
            if (c + k * apart < C) gx[pixel * C + c + k * apart] = sums[k];
    }
}
