/* Products of a sparse matrix with k vectors, which are the columns of x, row by row in memory.
 *
 * Sums stay in registers: up to 16 columns at a time, as vectors of 16 bytes, which all processors
 * with SSE2 or NEON have. */

#define ALWAYS static inline __attribute__((always_inline))

#define DEFINE(NUMBER, BYTES)                                                                      \
    typedef NUMBER NUMBER##_vector __attribute__((vector_size(BYTES), aligned(sizeof(NUMBER))));   \
                                                                                                   \
    ALWAYS void NUMBER##_columns(const int n, int rows, int k, const int *starts,                  \
                                 const int *places, const NUMBER *entries, const NUMBER *x,        \
                                 NUMBER *product)                                                  \
    {                                                                                              \
        for (int row = 0; row < rows; row++) {                                                     \
            NUMBER##_vector sums[16] = {0};                                                        \
            for (int e = starts[row]; e < starts[row + 1]; e++) {                                  \
                const NUMBER##_vector *add = (const NUMBER##_vector *)(x + (long)places[e] * k);   \
                _Pragma("GCC unroll 16") for (int i = 0; i < n; i++) sums[i] += entries[e] * add[i]; \
            }                                                                                      \
            NUMBER##_vector *result = (NUMBER##_vector *)(product + (long)row * k);                \
            _Pragma("GCC unroll 16") for (int i = 0; i < n; i++) result[i] = sums[i];              \
        }                                                                                          \
    }
