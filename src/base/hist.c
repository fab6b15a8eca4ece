#include "base/hist.h"

#include <string.h>

#define SUB_COUNT (UINT64_C(1) << HIST_SUB_BITS)

void hist_reset(struct hist *h)
{
    memset(h, 0, sizeof *h);
}

/* Values below SUB_COUNT have a bucket each; above, the top HIST_SUB_BITS+1 bits pick it. */
static unsigned bucket_of(uint64_t us)
{
    unsigned shift;

    if (us < SUB_COUNT) {
        return (unsigned)us;
    }
    if (us > UINT32_MAX) {
        us = UINT32_MAX;
    }
    shift = 63U - (unsigned)__builtin_clzll(us) - HIST_SUB_BITS;
    return ((shift + 1) << HIST_SUB_BITS) + (unsigned)((us >> shift) - SUB_COUNT);
}

static uint64_t bucket_low(unsigned bucket)
{
    unsigned shift = bucket >> HIST_SUB_BITS;
    uint64_t sub = bucket & (SUB_COUNT - 1);

    return shift == 0 ? sub : (SUB_COUNT + sub) << (shift - 1);
}

static uint64_t bucket_mid(unsigned bucket)
{
    return (bucket_low(bucket) + bucket_low(bucket + 1)) / 2;
}

void hist_record(struct hist *h, uint64_t us)
{
    if (h->count == 0 || us < h->min_us) {
        h->min_us = us;
    }
    if (us > h->max_us) {
        h->max_us = us;
    }
    h->count++;
    h->sum_us += us;
    h->buckets[bucket_of(us)]++;
}

void hist_add(struct hist *to, const struct hist *from)
{
    if (from->count == 0) {
        return;
    }
    if (to->count == 0 || from->min_us < to->min_us) {
        to->min_us = from->min_us;
    }
    if (from->max_us > to->max_us) {
        to->max_us = from->max_us;
    }
    to->count += from->count;
    to->sum_us += from->sum_us;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        to->buckets[i] += from->buckets[i];
    }
}

uint64_t hist_percentile_us(const struct hist *h, double percent)
{
    double want = (double)h->count * percent / 100;
    uint64_t seen = 0, value;

    if (h->count == 0) {
        return 0;
    }
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->buckets[i];
        if (h->buckets[i] && (double)seen >= want) {
            value = bucket_mid(i);
            return value < h->min_us ? h->min_us : value > h->max_us ? h->max_us : value;
        }
    }
    return h->max_us;
}

double hist_mean_us(const struct hist *h)
{
    return h->count ? (double)h->sum_us / (double)h->count : 0;
}

uint64_t hist_count_between(const struct hist *h, uint64_t low_us, uint64_t high_us)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        uint64_t low = bucket_low(i);

        if (low >= low_us && low < high_us) {
            count += h->buckets[i];
        }
    }
    return count;
}
