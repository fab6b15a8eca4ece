#include "engine/accounts.h"

#include "base/clock.h"

#include <stdlib.h>

#define SMOOTHING 0.1   /* a second's part in the rate */
#define SECONDS_MAX 100 /* after so many nothing is left of an older rate */

enum result accounts_init(struct accounts *a, size_t endpoint_count, uint64_t now_us,
                          struct err *err)
{
    *a = (struct accounts){ .second_began_us = now_us };
    a->list = calloc(endpoint_count, sizeof *a->list);
    if (endpoint_count && !a->list) {
        return err_nomem(err, "setting up the run");
    }
    a->count = endpoint_count;
    return RESULT_OK;
}

void accounts_release(struct accounts *a)
{
    free(a->list);
    *a = (struct accounts){ .list = NULL };
}

void accounts_answered(struct accounts *a, uint32_t endpoint, const struct response *response)
{
    struct account *account = &a->list[endpoint];

    if (response->status > 0) {
        account->answers++;
        account->throttled += response->status == 429;
        account->server_errors += response->status >= 500;
        hist_record(&account->latency, response->timing.total_us);
    }
}

void accounts_restored(struct accounts *a, uint32_t endpoint, bool ok)
{
    struct account *account = &a->list[endpoint];

    account->done += ok;
    account->failed += !ok;
}

void accounts_settled(struct accounts *a, uint32_t endpoint, bool ok)
{
    accounts_restored(a, endpoint, ok);
    a->list[endpoint].this_second++;
}

void accounts_revived(struct accounts *a, uint32_t endpoint)
{
    struct account *account = &a->list[endpoint];

    account->failed -= account->failed > 0;
}

static void close_second(struct accounts *a)
{
    for (size_t i = 0; i < a->count; i++) {
        struct account *account = &a->list[i];

        account->settled_per_s +=
            SMOOTHING * ((double)account->this_second - account->settled_per_s);
        account->this_second = 0;
    }
}

void accounts_tick(struct accounts *a, uint64_t now_us)
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

void accounts_list(const struct accounts *a, struct snapshot_endpoint *out)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct account *account = &a->list[i];

        out[i].done = account->done;
        out[i].failed = account->failed;
        out[i].requests_per_s = account->settled_per_s;
        out[i].p50_us = hist_percentile_us(&account->latency, 50);
        out[i].p95_us = hist_percentile_us(&account->latency, 95);
        out[i].throttled_part = part_of(account->throttled, account->answers);
        out[i].server_error_part = part_of(account->server_errors, account->answers);
    }
}
