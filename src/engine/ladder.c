#include "engine/ladder.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define THROTTLED_MUCH 0.01
#define GAIN_LITTLE 0.05
#define LATENCY_MUCH 2.0

static struct ladder_rung *rung_of(struct ladder *l, unsigned cap)
{
    struct ladder_rung *least = NULL;

    for (size_t i = 0; i < l->count; i++) {
        if (l->rungs[i].cap == cap) {
            return &l->rungs[i];
        }
        if (!least || l->rungs[i].time_us < least->time_us) {
            least = &l->rungs[i];
        }
    }
    if (l->count < SNAPSHOT_RUNGS_MAX) {
        least = &l->rungs[l->count++];
    }
    memset(least, 0, sizeof *least);
    least->cap = cap;
    return least;
}

void ladder_init(struct ladder *l, unsigned cap, uint64_t now_us)
{
    memset(l, 0, sizeof *l);
    ladder_enter(l, cap, now_us);
}

void ladder_enter(struct ladder *l, unsigned cap, uint64_t now_us)
{
    l->cap = cap;
    l->entered_us = l->seen_us = now_us;
}

void ladder_tick(struct ladder *l, bool counts, uint64_t now_us)
{
    if (counts && l->cap && now_us > l->seen_us) {
        rung_of(l, l->cap)->time_us += now_us - l->seen_us;
    }
    l->seen_us = now_us;
}

void ladder_answer(struct ladder *l, const struct answer *a)
{
    struct ladder_rung *rung;

    if (a->started_us < l->entered_us || !l->cap) {
        return; /* of the cap before */
    }
    rung = rung_of(l, l->cap);
    rung->requests++;
    rung->throttled += a->throttled;
    if (a->latency_us && !a->throttled) {
        hist_record(&rung->latency, a->latency_us);
    }
}

static void fill(const struct ladder_rung *from, struct snapshot_rung *to)
{
    double mean_us = hist_mean_us(&from->latency);

    *to = (struct snapshot_rung){
        .cap = from->cap,
        .time_us = from->time_us,
        .requests = from->requests,
        .requests_per_s = from->time_us ? (double)(from->requests - from->throttled) /
                                              ((double)from->time_us / (double)US_PER_S)
                                        : 0,
        .ideal_per_s = mean_us > 0 ? from->cap / mean_us * (double)US_PER_S : 0,
        .p50_us = hist_percentile_us(&from->latency, 50),
        .p95_us = hist_percentile_us(&from->latency, 95),
        .throttled_part = from->requests ? (double)from->throttled / (double)from->requests : 0,
    };
}

/* Against the rung below, which is what a step down would give. */
static void remark(const struct snapshot_rung *below, struct snapshot_rung *rung)
{
    double more = below->requests_per_s > 0 ? rung->requests_per_s / below->requests_per_s - 1 : 0;

    if (rung->throttled_part > THROTTLED_MUCH) {
        snprintf(rung->note, sizeof rung->note, "%+.0f %% rate, %.1f %% 429s", 100 * more,
                 100 * rung->throttled_part);
    } else if (more < GAIN_LITTLE) {
        snprintf(rung->note, sizeof rung->note, "no faster than %u", below->cap);
    } else if (below->p95_us && (double)rung->p95_us > LATENCY_MUCH * (double)below->p95_us) {
        snprintf(rung->note, sizeof rung->note, "%+.0f %% rate, p95 %.1f times", 100 * more,
                 (double)rung->p95_us / (double)below->p95_us);
    } else {
        snprintf(rung->note, sizeof rung->note, "%+.0f %% rate", 100 * more);
    }
}

size_t ladder_list(const struct ladder *l, struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < l->count; i++) {
        struct snapshot_rung one;
        size_t at = count++;

        fill(&l->rungs[i], &one);
        while (at > 0 && rungs[at - 1].cap > one.cap) {
            rungs[at] = rungs[at - 1];
            at--;
        }
        rungs[at] = one;
    }
    for (size_t i = 1; i < count; i++) {
        if (rungs[i].requests && rungs[i - 1].requests) {
            remark(&rungs[i - 1], &rungs[i]);
        }
    }
    return count;
}
