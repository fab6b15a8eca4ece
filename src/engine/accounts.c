#include "engine/accounts.h"

#include "base/clock.h"

#define SMOOTHING 0.1   /* a second's part in the rate */
#define SECONDS_MAX 100 /* after so many nothing is left of an older rate */

void accounts_init(struct accounts *a, size_t endpoint_count, uint64_t now_us)
{
    *a = (struct accounts){ .endpoint_count = endpoint_count, .second_began_us = now_us };
}

size_t accounts_count(const struct accounts *a)
{
    return a->endpoint_count < SNAPSHOT_ENDPOINTS_MAX ? a->endpoint_count : SNAPSHOT_ENDPOINTS_MAX;
}

size_t accounts_index(const struct accounts *a, uint32_t endpoint)
{
    size_t last = accounts_count(a) - 1;

    return endpoint < last ? endpoint : last;
}

static struct account *account_of(struct accounts *a, uint32_t endpoint)
{
    return &a->list[accounts_index(a, endpoint)];
}

void accounts_answered(struct accounts *a, uint32_t endpoint, const struct response *response)
{
    struct account *account = account_of(a, endpoint);

    if (response->status > 0) {
        account->answers++;
        account->throttled += response->status == 429;
        account->server_errors += response->status >= 500;
        hist_record(&account->latency, response->timing.total_us);
    }
}

void accounts_restored(struct accounts *a, uint32_t endpoint, bool ok)
{
    struct account *account = account_of(a, endpoint);

    account->done += ok;
    account->failed += !ok;
}

void accounts_settled(struct accounts *a, uint32_t endpoint, bool ok)
{
    accounts_restored(a, endpoint, ok);
    account_of(a, endpoint)->this_second++;
}

void accounts_revived(struct accounts *a, uint32_t endpoint)
{
    struct account *account = account_of(a, endpoint);

    account->failed -= account->failed > 0;
}

static void close_second(struct accounts *a)
{
    for (size_t i = 0; i < accounts_count(a); i++) {
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
    for (size_t i = 0; i < accounts_count(a); i++) {
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
