#include "engine/limit.h"

#include "base/clock.h"
#include "base/units.h"
#include "engine/core.h"
#include "engine/descriptors.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/fleet_link.h"
#include "engine/limit_words.h"
#include "engine/pace_sweep.h"
#include "engine/poll.h"

#include "plan/twin.h"
#include "plan/host_hold.h"

#include <stdio.h>

#define FLIGHT_LONG_US (5 * US_PER_S) /* so old, a request in flight is worth its name */

/* Of an active run always one: what has none of its own is what the loop can do. */
static enum run_limit limit_now(const struct engine *e)
{
    if (!engine_is_active(e)) {
        return LIMIT_NONE;
    }
    return e->limits.now == LIMIT_NONE ? LIMIT_LOOP_CPU : e->limits.now;
}

const struct due *limit_due_of(const struct request *r, const struct host *host, uint64_t now_us,
                               uint64_t *due_us)
{
    static const struct due by_user = { .by = DUE_USER }, by_us = { .by = DUE_SAME_ANSWER };
    struct host_hold hold = host_hold_of(host, r, now_us);
    bool is_held = hold.due && hold.until_us > r->due_us;

    if (host->hold_is_user) {
        *due_us = TIME_NEVER;
        return host->is_stopped ? &by_us : &by_user;
    }
    *due_us = is_held ? hold.until_us : r->due_us;
    return is_held ? hold.due : &r->due;
}

static void name_host(const struct engine *e, const struct host *host, struct snapshot_limit *l)
{
    size_t others = 0;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *one = e->hosts.hosts[i];

        others += one->origin[0] && one != host && (one->refs || one->requests);
    }
    l->is_only_host = !others;
    snprintf(l->host, sizeof l->host, "%.*s", STR_ARG(host->label));
}

static struct host_hold hold_of_ready(const struct engine *e, struct host *host, uint64_t now_us)
{
    const struct bucket *bucket = host_bucket_why(&e->hosts, host, HOST_HELD, now_us);

    return bucket ? (struct host_hold){ bucket->hold_until_us, due_is_named(bucket->hold_due.by),
                                        &bucket->hold_due }
                  : host_hold(host, now_us);
}

/* 2: all that is ready there is kept back so, 1: some of it is, 0: none. */
static int keeps_back(const struct engine *e, struct host *host, enum host_answer why,
                      uint64_t now_us)
{
    return twins_why(&e->hosts, host, now_us) == why               ? 2
           : host_bucket_why(&e->hosts, host, why, now_us) != NULL ? 1
                                                                   : 0;
}

/* The host that is kept back so, with the most work; of held ones that whose hold ends first. */
static struct host *find_host(const struct engine *e, enum host_answer why, uint64_t now_us)
{
    struct host *host = NULL;
    int best = 0;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *one = e->hosts.hosts[i];
        int how = one->origin[0] && one->ready_count ? keeps_back(e, one, why, now_us) : 0;

        if (!how || how < best) {
            continue;
        }
        if (how > best || (why == HOST_HELD ? hold_of_ready(e, one, now_us).until_us <
                                                  hold_of_ready(e, host, now_us).until_us
                                            : one->ready_count > host->ready_count)) {
            host = one;
            best = how;
        }
    }
    return host;
}

/* What keeps one back that is ready. */
enum run_limit limit_of_ready(const struct engine *e, const struct request *r, uint64_t now_us)
{
    static const enum run_limit limits[] = {
        [HOST_MAY] = LIMIT_NONE,        [HOST_HELD] = LIMIT_HOLD,    [HOST_LOGIN] = LIMIT_AUTH,
        [HOST_FULL] = LIMIT_HOST_CAP,   [HOST_QUOTA] = LIMIT_BUDGET, [HOST_LEARNED] = LIMIT_LEARNED,
        [HOST_TROUBLE] = LIMIT_TROUBLE, [HOST_PACED] = LIMIT_RATE,
    };
    struct host *host = e->hosts.hosts[r->host];
    enum run_limit limit = r->lane < host->lane_count
                               ? limits[host_may_start(&e->hosts, host, r->lane, now_us)]
                               : LIMIT_NONE;

    return limit == LIMIT_NONE ? limit_now(e) : limit;
}

struct oldest {
    const struct engine *engine;
    const struct host *host; /* NULL: of any */
    const struct request *request;
};

/* The first that is visited is the oldest. */
static bool is_oldest(void *context, const struct fetch_row *row)
{
    struct oldest *oldest = context;

    if (!oldest->host || host_at(&oldest->engine->hosts, row->request->host) == oldest->host) {
        oldest->request = row->request;
    }
    return !oldest->request;
}

/* The request that it all waits for, when it has been in flight for long. */
static void name_flight(struct engine *e, const struct host *host, uint64_t now_us,
                        struct snapshot_limit *l)
{
    struct oldest oldest = { .engine = e, .host = host };
    char text[SNAPSHOT_REQUEST_TEXT];

    fetch_each(e->fetch, is_oldest, &oldest);
    if (oldest.request && now_us >= oldest.request->since_us + FLIGHT_LONG_US) {
        engine_request_text(e, oldest.request, text);
        l->flight_us = now_us - oldest.request->since_us;
        snprintf(l->flight, sizeof l->flight, "%.*s", (int)sizeof l->flight - 1, text);
    }
}

static uint64_t until(uint64_t at_us, uint64_t now_us)
{
    return at_us == TIME_NEVER ? LIMIT_NEVER : at_us > now_us ? at_us - now_us : 0;
}

static void fill_cap(const struct engine *e, struct snapshot_limit *l)
{
    l->cap = same_answer_is_slow(&e->judging.same_answer) ? 1 : e->pace.cap;
    l->by = same_answer_is_slow(&e->judging.same_answer) ? LIMIT_BY_SAME_ANSWER
            : pace_is_sweeping(e)                        ? LIMIT_BY_SWEEP
            : e->pace.auto_on                            ? LIMIT_BY_AUTO
                                                         : LIMIT_BY_USER;
}

static void fill_rate(const struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct host *host = find_host(e, HOST_PACED, now_us);

    if (host && host_origin(host)->pacer.rate.per_us && !pacer_wait_us(&e->pace.pacer, now_us)) {
        l->by = LIMIT_BY_PER_HOST;
        l->rate = host_origin(host)->pacer.rate;
        name_host(e, host, l);
    } else if (e->pace.pacer.rate.per_us) {
        l->by = LIMIT_BY_USER;
        l->rate = e->pace.pacer.rate;
    }
}

static void fill_learned(const struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    struct host *host = find_host(e, HOST_LEARNED, now_us);
    const struct bucket *bucket =
        host ? host_bucket_why(&e->hosts, host, HOST_LEARNED, now_us) : NULL;

    if (bucket) {
        name_host(e, host, l);
        l->rate = (struct rate){ bucket_learned_rate(bucket), US_PER_S };
        l->refused_at = bucket->learned.refused_at;
        l->due.status = bucket->refused_status;
    }
}

static void fill_trouble(struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct host *host = find_host(e, HOST_TROUBLE, now_us);

    if (host) {
        name_host(e, host, l);
        name_flight(e, host, now_us, l);
    }
}

static void fill_quota(const struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    struct host *host = find_host(e, HOST_QUOTA, now_us);
    const struct bucket *bucket =
        host ? host_bucket_why(&e->hosts, host, HOST_QUOTA, now_us) : NULL;

    if (!bucket) {
        return;
    }
    name_host(e, host, l);
    if (allowance_is_of_now(&bucket->allowance, now_us)) {
        l->quota_known = true;
        l->quota_left = bucket->allowance.left;
        l->quota_limit = bucket->allowance.limit;
        l->in_us = until(bucket->allowance.reset_at_us, now_us);
    }
}

static void fill_host_cap(struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    struct host *host = find_host(e, HOST_FULL, now_us);
    unsigned own = host ? host_own_cap(&e->hosts, host, now_us) : 0;
    struct bucket *bucket = host ? host_bucket_why(&e->hosts, host, HOST_FULL, now_us) : NULL;

    if (bucket) {
        l->cap = bucket_cap(bucket, now_us);
        l->by = l->cap == bucket->allowance.concurrent ? LIMIT_BY_SERVER : LIMIT_BY_REFUSALS;
    } else if (own && (host->in_flight >= own || host_origin(host)->origin_in_flight >= own)) {
        l->cap = own;
        l->by = own == e->job->pace.cap_per_host ? LIMIT_BY_PER_HOST : LIMIT_BY_SLOW_START;
    } else {
        l->by = LIMIT_BY_FIRST_CONTACT;
        name_flight(e, NULL, now_us, l);
        return;
    }
    name_host(e, host, l);
    name_flight(e, host, now_us, l);
}

/* The first of those that wait: whose deadline all wait for, and why it failed. */
static const struct request *first_wait(const struct engine *e)
{
    const struct request *first;

    return frontier_waits(e->frontier, &first, 1) ? first : NULL;
}

static void fill_hold(struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    struct host *host = find_host(e, HOST_HELD, now_us);
    uint64_t wake_us = frontier_wake_us(e->frontier, now_us);
    struct host_hold hold;

    if (!host) {
        l->by = wake_us == TIME_NEVER ? LIMIT_BY_USER : LIMIT_BY_NONE;
        l->in_us = until(wake_us, now_us);
        return;
    }
    name_host(e, host, l);
    hold = hold_of_ready(e, host, now_us);
    l->in_us = until(hold.until_us, now_us);
    l->by = host->is_stopped     ? LIMIT_BY_SAME_ANSWER
            : host->hold_is_user ? LIMIT_BY_USER
                                 : LIMIT_BY_NONE;
    l->due = host->is_stopped ? (struct due){ .by = DUE_SAME_ANSWER }
             : hold.due       ? *hold.due
                              : (struct due){ .by = DUE_NONE };
    if (l->due.by == DUE_BREAKER) {
        engine_reason_text(e, first_wait(e), l->reason, sizeof l->reason);
    }
}

static void fill_waiting(struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct request *first = first_wait(e);
    uint64_t due_us;

    l->in_us = until(frontier_wake_us(e->frontier, now_us), now_us);
    if (first) {
        const struct host *host = host_at(&e->hosts, first->host);

        name_host(e, host, l);
        l->due = *limit_due_of(first, host, now_us, &due_us);
        engine_reason_text(e, first, l->reason, sizeof l->reason);
    }
}

/* With one more, when it is fetching that fills a thread, and a core is idle. */
static unsigned threads_that_help(const struct engine *e)
{
    unsigned now = (unsigned)fetch_threads_of(e->fetch), next = now ? now + 1 : 2;
    bool is_fetching = !now || e->cpu.fetch_percent > e->cpu.thread_percent;

    return is_fetching && next <= JOB_THREADS_MAX && cpu_idle_cores(&e->cpu) ? next : 0;
}

static void fill_loop(const struct engine *e, struct snapshot_limit *l)
{
    l->cpu_percent = cpu_busiest_percent(&e->cpu);
    l->threads = threads_that_help(e);
    l->by = e->judging.bytes >= ENGINE_CHECKING_BYTES_MAX ? LIMIT_BY_BODIES
            : e->limits.now == LIMIT_NONE                 ? LIMIT_BY_STARTS
                                                          : LIMIT_BY_LOAD;
}

void limit_fill(struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    *l = (struct snapshot_limit){ .kind = limit_now(e),
                                  .have_waiting = frontier_waiting(e->frontier) > 0 };
    switch (l->kind) {
    case LIMIT_CAP:
        fill_cap(e, l);
        break;
    case LIMIT_HOST_CAP:
        fill_host_cap(e, now_us, l);
        break;
    case LIMIT_RATE:
        fill_rate(e, now_us, l);
        break;
    case LIMIT_LEARNED:
        fill_learned(e, now_us, l);
        break;
    case LIMIT_TROUBLE:
        fill_trouble(e, now_us, l);
        break;
    case LIMIT_BUDGET:
        fill_quota(e, now_us, l);
        break;
    case LIMIT_HOLD:
        fill_hold(e, now_us, l);
        break;
    case LIMIT_ROUND:
        l->in_us = until(poll_wake_us(e, now_us), now_us);
        l->every_us = e->job->poll.every_us;
        break;
    case LIMIT_FLEET:
        fleet_link_words(e, now_us, l->reason, sizeof l->reason);
        break;
    case LIMIT_DESCRIPTORS:
        l->cap = descriptors_max();
        l->by = e->pace.no_memory_since_us ? LIMIT_BY_MEMORY : LIMIT_BY_NONE;
        break;
    case LIMIT_LOOP_CPU:
        fill_loop(e, l);
        break;
    case LIMIT_DISK:
        l->by = e->storage.state == RESULT_FULL   ? LIMIT_BY_FULL
                : e->storage.state == RESULT_BUSY ? LIMIT_BY_OTHER
                                                  : LIMIT_BY_SLOW;
        break;
    case LIMIT_PAUSED:
        l->by = e->pace.is_paused ? LIMIT_BY_USER : LIMIT_BY_CAP_0;
        break;
    case LIMIT_ALL_WAITING:
        fill_waiting(e, now_us, l);
        break;
    case LIMIT_QUEUE_EMPTY:
    case LIMIT_INPUT:
    case LIMIT_PAGINATION:
    case LIMIT_DRAINING:
        name_flight(e, NULL, now_us, l);
        break;
    case LIMIT_NONE:
    case LIMIT_AUTH:
    case LIMIT_COUNT:
        break;
    }
}

/* Written down once it has stood for a second: a run changes its limit with every answer. */
void limit_tell(struct engine *e, uint64_t now_us)
{
    char fields[128], words[LIMIT_TEXT_MAX];
    struct snapshot_limit limited;

    limit_fill(e, now_us, &limited);
    if (e->limits.ticked_us) {
        e->limits.us[limited.kind] += now_us - e->limits.ticked_us;
        if ((limited.kind == LIMIT_HOLD || limited.kind == LIMIT_ALL_WAITING) &&
            limited.due.by == DUE_BREAKER) {
            e->limits.silent_us += now_us - e->limits.ticked_us;
        }
    }
    e->limits.ticked_us = now_us;
    if (limit_is_same(&limited, &e->limits.told)) {
        e->limits.since_us = now_us;
        return;
    }
    if (now_us - e->limits.since_us < US_PER_S) {
        return;
    }
    e->limits.told = limited;
    e->limits.since_us = now_us;
    limit_words(&limited, NULL, words);
    snprintf(fields, sizeof fields, ",\"limit\":\"%s\",\"by\":\"%s\"", run_limit_word(limited.kind),
             limited.due.by ? due_by_word(limited.due.by) : limit_by_word(limited.by));
    events_note(&e->events, "limit", fields, words);
}
