/* product = matrix x for a sparse matrix and k vectors: the columns of x, which is stored by rows.
 *
 * Compiled once for each type that replaces NUMBER. The sums of up to 16 columns stay in registers,
 * as vectors of 16 bytes, which every processor with SSE2 or NEON has. */

typedef NUMBER vector_NUMBER
    __attribute__((vector_size(16), aligned(sizeof(NUMBER)), may_alias));
enum { LANES_NUMBER = 16 / sizeof(NUMBER) };

static inline __attribute__((always_inline)) void
columns_NUMBER(const int vectors, int rows, long k, const int *starts, const int *columns,
               const NUMBER *entries, const NUMBER *x, NUMBER *product)
{
    for (int row = 0; row < rows; row++, product += k) {
        vector_NUMBER sums[16] = {0};
        for (int e = starts[row]; e < starts[row + 1]; e++) {
            const vector_NUMBER *from = (const vector_NUMBER *)(x + k * columns[e]);
            for (int v = 0; v < vectors; v++)
                sums[v] += entries[e] * from[v];
        }
        for (int v = 0; v < vectors; v++)
            ((vector_NUMBER *)product)[v] = sums[v];
    }
}

static void column_NUMBER(int rows, long k, const int *starts, const int *columns,
                          const NUMBER *entries, const NUMBER *x, NUMBER *product)
{
    for (int row = 0; row < rows; row++, product += k) {
        NUMBER sum = 0;
        for (int e = starts[row]; e < starts[row + 1]; e++)
            sum += entries[e] * x[k * columns[e]];
        *product = sum;
    }
}

void multiply_NUMBER(int rows, long k, const int *starts, const int *columns,
                     const NUMBER *entries, const NUMBER *x, NUMBER *product)
{
    long j = 0;
    for (; j + 16 <= k; j += 16)
        columns_NUMBER(16 / LANES_NUMBER, rows, k, starts, columns, entries, x + j, product + j);
    for (; j + 8 <= k; j += 8)
        columns_NUMBER(8 / LANES_NUMBER, rows, k, starts, columns, entries, x + j, product + j);
    for (; j + 4 <= k; j += 4)
        columns_NUMBER(4 / LANES_NUMBER, rows, k, starts, columns, entries, x + j, product + j);
    for (; j < k; j++)
        column_NUMBER(rows, k, starts, columns, entries, x + j, product + j);
}
