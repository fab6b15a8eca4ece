/*
 * Limit: what keeps the run from going faster, as values (engine/limit_words.h).
 */
#include "base/clock.h"
#include "base/units.h"
#include "engine/engine_state.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define SPARE_FILES 64 /* for the store, tables and lists */

unsigned limit_open_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > UINT32_MAX) {
        return UINT32_MAX;
    }
    return (unsigned)limit.rlim_cur;
}

unsigned limit_files_in_use(void)
{
    /* The kernel gives the lowest free number: a new one tells about how many are in use. */
    int fd = dup(STDERR_FILENO);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0 ? (unsigned)fd : 0;
}

unsigned limit_connections(void)
{
    unsigned all = limit_open_files(), kept = limit_files_in_use() + SPARE_FILES;

    return all > 2 * kept ? all - kept : all / 2;
}

enum run_limit limit_now(const struct engine *e)
{
    if (!engine_is_active(e)) {
        return LIMIT_NONE;
    }
    return e->limit == LIMIT_NONE ? LIMIT_LOOP_CPU : e->limit;
}

const struct due *limit_due_of(const struct request *r, const struct host *host, uint64_t now_us,
                               uint64_t *due_us)
{
    static const struct due by_user = { .by = DUE_USER };
    struct host_hold hold = host_hold_of(host, r, now_us);
    bool is_held = hold.due && hold.until_us > r->due_us;

    if (host->hold_is_user) {
        *due_us = TIME_NEVER;
        return &by_user;
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

/* The host that is kept back so, with the most work; of held ones that whose hold ends first. */
static struct host *find_host(const struct engine *e, enum host_answer why, uint64_t now_us)
{
    struct host *host = NULL;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *one = e->hosts.hosts[i];

        if (!one->origin[0] || !one->ready_count || host_why(&e->hosts, one, now_us) != why) {
            continue;
        }
        if (!host ||
            (why == HOST_HELD ? host_hold(one, now_us).until_us < host_hold(host, now_us).until_us
                              : one->ready_count > host->ready_count)) {
            host = one;
        }
    }
    return host;
}

static uint64_t until(uint64_t at_us, uint64_t now_us)
{
    return at_us == TIME_NEVER ? LIMIT_NEVER : at_us > now_us ? at_us - now_us : 0;
}

static void fill_cap(const struct engine *e, struct snapshot_limit *l)
{
    l->cap = same_answer_is_slow(&e->same_answer) ? 1 : e->cap;
    l->by = same_answer_is_slow(&e->same_answer) ? LIMIT_BY_SAME_ANSWER
            : pace_is_sweeping(e)                ? LIMIT_BY_SWEEP
            : e->auto_on                         ? LIMIT_BY_AUTO
                                                 : LIMIT_BY_USER;
}

static void fill_rate(const struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct host *host = find_host(e, HOST_PACED, now_us);

    if (e->pacer.rate.per_us) {
        l->by = LIMIT_BY_USER;
        l->rate = e->pacer.rate;
    } else if (host && host->pacer.rate.per_us) {
        l->by = LIMIT_BY_PER_HOST;
        l->rate = host->pacer.rate;
        name_host(e, host, l);
    }
}

static void fill_learned(const struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct host *host = find_host(e, HOST_LEARNED, now_us);
    const struct bucket *bucket = host ? host_busiest_bucket(host) : NULL;

    if (bucket) {
        name_host(e, host, l);
        l->rate = (struct rate){ bucket->learned.rate, US_PER_S };
        l->refused_at = bucket->learned.refused_at;
        l->due.status = bucket->refused_status;
    }
}

static void fill_trouble(const struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct host *host = find_host(e, HOST_TROUBLE, now_us);

    if (host) {
        name_host(e, host, l);
    }
}

static void fill_quota(const struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct host *host = find_host(e, HOST_QUOTA, now_us);
    const struct allowance *quota;

    if (!host) {
        return;
    }
    name_host(e, host, l);
    quota = &host_busiest_bucket(host)->allowance;
    if (allowance_is_of_now(quota, now_us)) {
        l->quota_known = true;
        l->quota_left = quota->left;
        l->quota_limit = quota->limit;
        l->in_us = until(quota->reset_at_us, now_us);
    }
}

static void fill_host_cap(const struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct host *host = find_host(e, HOST_FULL, now_us);
    unsigned cap = host ? host_cap(&e->hosts, host, now_us) : 0;
    struct bucket *bucket;

    if (!cap) {
        l->by = LIMIT_BY_FIRST_CONTACT;
        return;
    }
    name_host(e, host, l);
    l->cap = cap;
    bucket = host_busiest_bucket(host);
    l->by = cap == bucket->learned.at_once        ? LIMIT_BY_REFUSALS
            : cap == bucket->allowance.concurrent ? LIMIT_BY_SERVER
            : cap == e->job->pace.cap_per_host    ? LIMIT_BY_PER_HOST
                                                  : LIMIT_BY_SLOW_START;
}

/* The first of those that wait: whose deadline all wait for, and why it failed. */
static const struct request *first_wait(const struct engine *e)
{
    const struct request *first;

    return frontier_waits(e->frontier, &first, 1) ? first : NULL;
}

static void fill_hold(struct engine *e, uint64_t now_us, struct snapshot_limit *l)
{
    const struct host *host = find_host(e, HOST_HELD, now_us);
    uint64_t wake_us = frontier_wake_us(e->frontier, now_us);
    struct host_hold hold;

    if (!host) {
        l->by = wake_us == TIME_NEVER ? LIMIT_BY_USER : LIMIT_BY_NONE;
        l->in_us = until(wake_us, now_us);
        return;
    }
    name_host(e, host, l);
    hold = host_hold(host, now_us);
    l->in_us = until(hold.until_us, now_us);
    l->by = host->hold_is_user ? LIMIT_BY_USER : LIMIT_BY_NONE;
    l->due = hold.due ? *hold.due : (struct due){ .by = DUE_NONE };
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

static void fill_loop(const struct engine *e, struct snapshot_limit *l)
{
    l->cpu_percent = e->cpu.thread_percent;
    l->by = e->checking_bytes >= ENGINE_CHECKING_BYTES_MAX ? LIMIT_BY_BODIES
            : e->limit == LIMIT_NONE                       ? LIMIT_BY_STARTS
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
    case LIMIT_DESCRIPTORS:
        l->cap = limit_open_files();
        break;
    case LIMIT_LOOP_CPU:
        fill_loop(e, l);
        break;
    case LIMIT_DISK:
        l->by = e->storage == RESULT_FULL   ? LIMIT_BY_FULL
                : e->storage == RESULT_BUSY ? LIMIT_BY_OTHER
                                            : LIMIT_BY_SLOW;
        break;
    case LIMIT_PAUSED:
        l->by = e->paused ? LIMIT_BY_USER : LIMIT_BY_CAP_0;
        break;
    case LIMIT_ALL_WAITING:
        fill_waiting(e, now_us, l);
        break;
    case LIMIT_NONE:
    case LIMIT_AUTH:
    case LIMIT_QUEUE_EMPTY:
    case LIMIT_PAGINATION:
    case LIMIT_DRAINING:
    case LIMIT_COUNT:
        break;
    }
}
