#include "engine/latency_bars.h"

#include <stddef.h>

#define EDGES (SNAPSHOT_LATENCY_BARS - 1) /* between the bars */
#define LEAST_US UINT64_C(100)            /* nobody asks for a finer step */
#define MOST_US UINT64_C(10000000000)     /* nor for a longer time: a histogram ends before */
#define EXACT (1 << HIST_SUB_BITS)        /* parts of a time that a histogram tells apart */
#define NARROW 3 /* the slow ones take at most so many times what the fast ones take */

/** A decade, cut at these. */
static const struct ladder {
    size_t count;
    uint64_t heads[6]; /* tenths of the decade's beginning */
} ladders[] = {
    { 6, { 10, 15, 20, 30, 50, 70 } },
    { 3, { 10, 20, 50 } },
    { 2, { 10, 30 } },
    { 1, { 10 } },
};

/* The edges of a ladder from the last that is not above `from_us` on; how many reach `to_us`, or EDGES + 1. */
static size_t climb(const struct ladder *l, uint64_t from_us, uint64_t to_us, uint64_t edges[EDGES])
{
    size_t count = 0;

    for (uint64_t decade_us = LEAST_US / 10; decade_us < MOST_US; decade_us *= 10) {
        for (size_t i = 0; i < l->count; i++) {
            uint64_t edge_us = decade_us * l->heads[i] / 10;

            if (count == 1 && edge_us <= from_us) {
                count = 0; /* it begins later */
            }
            if (count == EDGES) {
                return EDGES + 1;
            }
            edges[count++] = edge_us;
            if (edge_us >= to_us) {
                return count;
            }
        }
    }
    return count;
}

/* The smallest step of 1, 2, 5, 10, ... of which EDGES reach from one end to the other, and that a histogram can tell. */
static uint64_t even_step_us(uint64_t from_us, uint64_t to_us)
{
    static const uint64_t heads[] = { 1, 2, 5 };

    for (uint64_t power = LEAST_US; power < MOST_US; power *= 10) {
        for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
            uint64_t step_us = heads[i] * power;

            if (step_us * EXACT >= to_us &&
                from_us / step_us * step_us + (EDGES - 1) * step_us >= to_us) {
                return step_us;
            }
        }
    }
    return MOST_US;
}

static size_t even_edges(uint64_t from_us, uint64_t to_us, uint64_t edges[EDGES])
{
    uint64_t step_us = even_step_us(from_us, to_us);
    uint64_t edge_us = from_us / step_us * step_us;
    size_t count = 0;

    edge_us = edge_us ? edge_us : step_us; /* the first bar begins at 0 already */
    while (count < EDGES) {
        edges[count++] = edge_us;
        if (edge_us >= to_us) {
            break;
        }
        edge_us += step_us;
    }
    return count;
}

static size_t choose_edges(const struct hist *h, uint64_t edges[EDGES])
{
    uint64_t from_us = hist_percentile_us(h, 1), to_us = hist_percentile_us(h, 99);
    size_t count = EDGES + 1;

    from_us = from_us > LEAST_US ? from_us : LEAST_US;
    to_us = to_us > from_us ? to_us : from_us + 1;
    if (to_us <= NARROW * from_us) {
        return even_edges(from_us, to_us, edges);
    }
    for (size_t i = 0; i < sizeof ladders / sizeof ladders[0] && count > EDGES; i++) {
        count = climb(&ladders[i], from_us, to_us, edges);
    }
    return count > EDGES ? EDGES : count;
}

void latency_bars_fill(const struct hist *h, uint64_t low_us[SNAPSHOT_LATENCY_BARS],
                       uint64_t count[SNAPSHOT_LATENCY_BARS])
{
    uint64_t edges[EDGES];
    size_t edge_count = choose_edges(h, edges);

    low_us[0] = 0;
    for (size_t i = 0; i < EDGES;
         i++) { /* beyond the slow ones, twice as far each: empty, most often */
        low_us[i + 1] = i < edge_count ? edges[i] : low_us[i] * 2;
    }
    for (size_t i = 0; i < SNAPSHOT_LATENCY_BARS; i++) {
        count[i] = hist_count_between(h, low_us[i],
                                      i + 1 < SNAPSHOT_LATENCY_BARS ? low_us[i + 1] : UINT64_MAX);
    }
}
