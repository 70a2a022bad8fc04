// Stands before the other sources of this folder, which are compiled as one.
//
// The compiler's command line says which number type they are made for, -DREAL=float or -DREAL=double, and with
// -DWIDE that indices have 64 bits, for arrays of 2^31 elements and more.
// A pointer that is read is an In, one that is written an Out: no kernel reads what it writes, but for the
// moments of Adam, so that the compiler may reorder loads. One thread makes one number, and no number is
// added to by two threads: sums have a fixed order, and the same input gives the same bits every time.

#ifdef WIDE
typedef long long INDEX;
#else
typedef int INDEX;
#endif

#ifndef MINIGAN_POINTERS
typedef const REAL* __restrict__ In;
typedef REAL* __restrict__ Out;
typedef const int* __restrict__ InWhole;
typedef int* __restrict__ OutWhole;
#endif

// The number of this thread in a one-dimensional grid.
__device__ __forceinline__ INDEX this_thread() {
    return (INDEX)blockIdx.x * (INDEX)blockDim.x + (INDEX)threadIdx.x;
}

// Which windows see a cell? Window i has the cell h at tap k where  i S + k D - P = h,  that is where S divides
// h + P - k D. Returns the first such k; the others follow every S / gcd(S, D) taps ("step"), each time with an
// i that is D / gcd(S, D) smaller. If none of the first `step` taps fits none does: returns K, past the last.
__device__ __forceinline__ INDEX first_tap(INDEX h_plus_P, INDEX K, INDEX S, INDEX D, INDEX step) {
    for (INDEX k = 0; k < step && k < K; ++k)
        if ((h_plus_P - k * D) % S == 0) return k;
    return K;
}
