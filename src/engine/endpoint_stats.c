#include "engine/endpoint_stats.h"

#include "base/clock.h"

#include <stdlib.h>

#define SMOOTHING 0.1   /* a second's part in the rate */
#define SECONDS_MAX 100 /* after so many nothing is left of an older rate */

enum result endpoint_stats_init(struct endpoint_stats *a, size_t endpoint_count, uint64_t now_us,
                                struct err *err)
{
    *a = (struct endpoint_stats){ .second_began_us = now_us };
    a->list = calloc(endpoint_count, sizeof *a->list);
    if (endpoint_count && !a->list) {
        return err_nomem(err, "setting up the run");
    }
    a->count = endpoint_count;
    return RESULT_OK;
}

void endpoint_stats_release(struct endpoint_stats *a)
{
    free(a->list);
    *a = (struct endpoint_stats){ .list = NULL };
}

void endpoint_stats_answer(struct endpoint_stats *stats, const struct answer *a)
{
    struct endpoint_stat *account = &stats->list[a->endpoint];

    if (a->status > 0) {
        account->answers++;
        account->throttled += a->throttled;
        account->server_errors += a->status >= 500;
        hist_record(&account->latency, a->latency_us);
    }
}

void endpoint_stats_restored(struct endpoint_stats *a, uint32_t endpoint, bool ok)
{
    struct endpoint_stat *account = &a->list[endpoint];

    account->done += ok;
    account->failed += !ok;
}

void endpoint_stats_earlier(struct endpoint_stats *a, uint32_t endpoint)
{
    a->list[endpoint].earlier++;
}

void endpoint_stats_settled(struct endpoint_stats *a, uint32_t endpoint, bool ok)
{
    endpoint_stats_restored(a, endpoint, ok);
    a->list[endpoint].this_second++;
}

void endpoint_stats_revived(struct endpoint_stats *a, uint32_t endpoint)
{
    struct endpoint_stat *account = &a->list[endpoint];

    account->failed -= account->failed > 0;
}

static void close_second(struct endpoint_stats *a)
{
    for (size_t i = 0; i < a->count; i++) {
        struct endpoint_stat *account = &a->list[i];

        account->settled_per_s +=
            SMOOTHING * ((double)account->this_second - account->settled_per_s);
        account->this_second = 0;
    }
}

void endpoint_stats_tick(struct endpoint_stats *a, uint64_t now_us)
{
    if (now_us > a->second_began_us + SECONDS_MAX * US_PER_S) {
        a->second_began_us = now_us - SECONDS_MAX * US_PER_S; /* the machine slept */
    }
    while (now_us >= a->second_began_us + US_PER_S) {
        close_second(a);
        a->second_began_us += US_PER_S;
    }
}

static double part_of(uint64_t part, uint64_t all)
{
    return all ? (double)part / (double)all : 0;
}

void endpoint_stats_list(const struct endpoint_stats *a, struct snapshot_endpoint *out)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct endpoint_stat *account = &a->list[i];

        out[i].done = account->done;
        out[i].failed = account->failed;
        out[i].requests_per_s = account->settled_per_s;
        out[i].p50_us = hist_percentile_us(&account->latency, 50);
        out[i].p95_us = hist_percentile_us(&account->latency, 95);
        out[i].throttled_part = part_of(account->throttled, account->answers);
        out[i].server_error_part = part_of(account->server_errors, account->answers);
    }
}
