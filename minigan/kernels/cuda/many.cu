// Passes over eight arrays at once: a net has dozens of parameters, most of them so small that starting a kernel
// takes longer than its work. The arrays follow one another in the numbers of the threads; a place that is left
// over has size 0. `at` is where in its own array a thread stands.

#define EIGHT(each) each(0) each(1) each(2) each(3) each(4) each(5) each(6) each(7)

// Adam and AdamW (arXiv 1412.6980, algorithm 1; arXiv 1711.05101, algorithm 2), in place. `shrink` is
// 1 - lr decay for AdamW, else 1; `decay` is Adam's L2 decay, else 0. The corrections for the start at zero are
// in `rate` = lr r / (1 - beta1^t) and `eps` = eps r with r = sqrt(1 - beta2^t), as in optim/rules.py.
// `rest1` = 1 - beta1 and `rest2` = 1 - beta2 come from the host, which has them in double precision.
#define ADAM_ARRAYS(i) Out p##i, Out m##i, Out v##i, In g##i, INDEX n##i,
#define ADAM_STEP(i) \
    if (at >= 0 && at < n##i) { \
        const REAL value = p##i[at] * shrink, slope = g##i[at] + decay * value; \
        const REAL mean = beta1 * m##i[at] + rest1 * slope, square = beta2 * v##i[at] + rest2 * slope * slope; \
        m##i[at] = mean; \
        v##i[at] = square; \
        p##i[at] = value - rate * mean / (sqrt(square) + eps); \
    } \
    at -= n##i;
extern "C" __global__ void adam(EIGHT(ADAM_ARRAYS) REAL shrink, REAL decay, REAL beta1, REAL rest1, REAL beta2,
    REAL rest2, REAL eps, REAL rate)
{
    INDEX at = this_thread();
    EIGHT(ADAM_STEP)
}

// A moving average, in place: average += rate (value - average).
#define FOLLOW_ARRAYS(i) Out a##i, In v##i, INDEX n##i,
#define FOLLOW_STEP(i) \
    if (at >= 0 && at < n##i) a##i[at] += rate * (v##i[at] - a##i[at]); \
    at -= n##i;
extern "C" __global__ void follow(EIGHT(FOLLOW_ARRAYS) REAL rate)
{
    INDEX at = this_thread();
    EIGHT(FOLLOW_STEP)
}
