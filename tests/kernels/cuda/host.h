// A stand-in for CUDA on the host: the kernels' sources compiled as C++, their threads run one after another.
//
// Pointers know how far their array reaches, and count what is read or written outside it. A kernel is called
// through launch(), which takes its parameter types from its signature and refuses arguments of other types.
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#define __device__
#define __global__
#define __forceinline__ inline
#define __restrict__
#define MINIGAN_POINTERS

struct Place { unsigned x, y, z; };
static Place blockIdx, threadIdx, blockDim, gridDim;
static long long strays;  // accesses outside an array

template <class T> struct Checked {
    T* first;
    long long low, high;
    T& operator[](long long i) const {
        if (i >= low && i < high) return first[i];
        ++strays;
        static std::remove_const_t<T> nowhere;
        return nowhere = 0;
    }
};
typedef Checked<const REAL> In;
typedef Checked<REAL> Out;
typedef Checked<const int> InWhole;
typedef Checked<int> OutWhole;

static char letter(In) { return 'r'; }
static char letter(Out) { return 'r'; }
static char letter(InWhole) { return 'w'; }
static char letter(OutWhole) { return 'w'; }
static char letter(int) { return 'i'; }
static char letter(long long) { return 'l'; }
static char letter(float) { return 'f'; }
static char letter(double) { return 'd'; }

template <class... P, size_t... I>
static void each_thread(void (*kernel)(P...), void** arguments, std::index_sequence<I...>) {
    for (blockIdx.x = gridDim.x; blockIdx.x-- > 0;)  // from the last to the first: a GPU promises no order
        for (threadIdx.y = blockDim.y; threadIdx.y-- > 0;)
            for (threadIdx.x = blockDim.x; threadIdx.x-- > 0;) kernel(*(P*)arguments[I]...);
}

// Returns the number of stray accesses, or -1 if the letters are not those of the kernel's parameters.
template <class... P>
static long long launch(void (*kernel)(P...), const unsigned* sizes, const char* letters, void** arguments) {
    const char wanted[] = {letter(P())..., 0};
    if (std::strcmp(wanted, letters)) return -1;
    gridDim.x = sizes[0], blockDim.x = sizes[1], blockDim.y = sizes[2];
    strays = 0;
    each_thread(kernel, arguments, std::index_sequence_for<P...>());
    return strays;
}
