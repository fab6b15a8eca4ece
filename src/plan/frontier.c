#include "plan/frontier_state.h"

#include "base/clock.h"
#include "plan/twin.h"
#include "plan/host_hold.h"

#include <stdlib.h>

enum result frontier_new(struct frontier **frontier, const struct frontier_options *options,
                         struct err *err)
{
    struct frontier *f = calloc(1, sizeof *f);
    enum result result;

    if (!f) {
        return err_nomem(err, "preparing the plan");
    }
    f->hosts = options->hosts;
    f->cursor = 1;
    f->shard = options->job->shard;
    f->endpoint_count = (uint32_t)options->job->endpoint_count;
    f->found = calloc(f->endpoint_count + 1, sizeof *f->found);
    result = f->found ? seeds_new(&f->seeds, options->job, options->list_fds, err)
                      : err_nomem(err, "preparing the plan");
    if (result != RESULT_OK) {
        frontier_free(f);
        return result;
    }
    f->is_listed = options->is_listed;
    f->total = f->is_listed ? 0 : seeds_total(f->seeds);
    f->own = job_shard_size(&f->shard, f->total);
    *frontier = f;
    return RESULT_OK;
}

void frontier_free(struct frontier *f)
{
    struct request *urgent;

    if (!f) {
        return;
    }
    for (size_t i = 0; i < f->heap_count; i++) {
        frontier_forget(f, f->heap[i]);
    }
    while ((urgent = frontier_take_urgent(f)) || (urgent = frontier_take_offered(f))) {
        frontier_forget(f, urgent);
    }
    for (uint32_t i = 0; i < f->hosts->count; i++) {
        struct request *request;

        while ((request = host_pop(host_at(f->hosts, i)))) {
            frontier_forget(f, request);
        }
    }
    seeds_free(f->seeds);
    free(f->found);
    free(f->leased);
    free(f->gaps);
    free(f->aside);
    free(f->heap);
    free(f);
}

uint64_t frontier_total(const struct frontier *f)
{
    return f->own + f->discovered_count;
}

uint64_t frontier_last_id(const struct frontier *f)
{
    return f->total + f->discovered_count;
}

uint64_t frontier_own(const struct frontier *f)
{
    return f->own;
}

uint64_t frontier_seeds(const struct frontier *f)
{
    return f->total;
}

const struct expansion *frontier_expansion(const struct frontier *f, uint32_t endpoint)
{
    return seeds_expansion(f->seeds, endpoint);
}

uint64_t frontier_plan_size(const struct frontier *f)
{
    return seeds_total(f->seeds);
}

uint64_t frontier_planned(const struct frontier *f, uint32_t endpoint)
{
    uint64_t own = f->leased      ? f->leased[endpoint]
                   : f->is_listed ? 0
                                  : seeds_planned(f->seeds, endpoint);

    return own + f->found[endpoint];
}

static struct request *start(struct frontier *f, struct request *request)
{
    host_started(f->hosts, host_at(f->hosts, request->host), request);
    return request;
}

/* Which is told when several hosts are kept back by several things: the one that ends soonest of
 * itself tells least of what to do about it, a full host that it wants a larger cap. */
static enum frontier_answer answer_of(enum host_answer kept_back, enum frontier_answer before)
{
    static const enum frontier_answer answers[] = {
        [HOST_HELD] = FRONTIER_HELD,       [HOST_FULL] = FRONTIER_HOST_FULL,
        [HOST_QUOTA] = FRONTIER_QUOTA,     [HOST_PACED] = FRONTIER_PACED,
        [HOST_LOGIN] = FRONTIER_LOGIN,     [HOST_LEARNED] = FRONTIER_LEARNED,
        [HOST_TROUBLE] = FRONTIER_TROUBLE,
    };
    static const int weights[] = {
        [FRONTIER_HELD] = 1,    [FRONTIER_TROUBLE] = 2, [FRONTIER_PACED] = 3,
        [FRONTIER_LEARNED] = 4, [FRONTIER_QUOTA] = 5,   [FRONTIER_HOST_FULL] = 6,
        [FRONTIER_LOGIN] = 7,   [FRONTIER_ERROR] = 0,
    };
    enum frontier_answer answer = answers[kept_back];

    return weights[answer] > weights[before] ? answer : before;
}

/* A parked request whose host may be asked. `*answer` says what keeps the others back. */
static struct request *take_parked(struct frontier *f, uint64_t now_us,
                                   enum frontier_answer *answer)
{
    struct host *host = f->ring, *first = host;

    if (!host) {
        return NULL;
    }
    do {
        struct host *next = host->ring_next;
        enum host_answer why;
        struct request *request = twins_next(f->hosts, host, now_us, &why);

        if (request) {
            f->ring = next; /* the others' turn */
            frontier_note_unparked(f, host, request);
            return start(f, request);
        }
        *answer = answer_of(why, *answer);
        host = next;
    } while (host != first);
    return NULL;
}

/* A new request whose host may be asked; others that come before it are parked. */
static struct request *take_new(struct frontier *f, uint64_t now_us, enum frontier_answer *answer,
                                struct err *err)
{
    if (f->parked >= FRONTIER_PARKED_MAX) {
        frontier_set_aside(f, now_us);
    }
    while (f->parked < FRONTIER_PARKED_MAX && f->heap_count < FRONTIER_WAITING_MAX) {
        struct request *request = frontier_take_offered(f);
        enum host_answer may;

        if (!request && frontier_make_next(f, &request, err) != RESULT_OK) {
            *answer = FRONTIER_ERROR;
            return NULL;
        }
        if (!request) {
            return NULL;
        }
        may = twin_choose(f->hosts, request, now_us);
        if (may == HOST_MAY) {
            return start(f, request);
        }
        frontier_park(f, request, LANE_PLACE_FRESH);
        *answer = answer_of(may, *answer);
    }
    return NULL;
}

enum frontier_answer frontier_next(struct frontier *f, uint64_t now_us, struct request **request,
                                   struct err *err)
{
    enum frontier_answer answer = FRONTIER_EMPTY;
    bool prefers_new;

    f->hosts->now_us = now_us;
    while (f->heap_count && f->heap[0]->due_us <= now_us) {
        frontier_park(f, frontier_heap_take(f, 0), LANE_PLACE_TRIED);
    }
    *request = frontier_take_urgent(f);
    if (*request) {
        twin_choose_any(f->hosts, *request, now_us);
        start(f, *request);
        return FRONTIER_REQUEST;
    }
    prefers_new = f->ring && host_wants_fresh(f->ring) && f->parked < FRONTIER_PARKED_MAX / 2;
    *request = prefers_new ? take_new(f, now_us, &answer, err) : NULL;
    if (!*request && answer != FRONTIER_ERROR) {
        *request = take_parked(f, now_us, &answer);
    }
    if (!*request && !prefers_new) {
        *request = take_new(f, now_us, &answer, err);
    }
    if (*request) {
        return FRONTIER_REQUEST;
    }
    if (answer == FRONTIER_EMPTY && f->heap_count) {
        return FRONTIER_WAITING;
    }
    return answer;
}

static struct host_wake first_due(const struct frontier *f, uint64_t now_us)
{
    const struct request *first = f->heap_count ? f->heap[0] : NULL;
    struct host_hold hold;

    if (!first) {
        return (struct host_wake){ TIME_NEVER, false };
    }
    hold = host_hold_of(host_at(f->hosts, first->host), first, now_us);
    return (struct host_wake){ first->due_us,
                               due_is_named(first->due.by) ||
                                   (hold.is_named && hold.until_us >= first->due_us) };
}

static struct host_wake find_wake(const struct frontier *f, uint64_t now_us)
{
    struct host_wake wake = first_due(f, now_us);
    struct host *host = f->ring;

    if (host) {
        do {
            struct host_wake one = twins_wake(f->hosts, host, now_us);

            if (one.at_us > now_us && one.at_us < wake.at_us) {
                wake = one;
            }
            host = host->ring_next;
        } while (host != f->ring);
    }
    return wake;
}

uint64_t frontier_wake_us(const struct frontier *f, uint64_t now_us)
{
    return find_wake(f, now_us).at_us;
}

bool frontier_wake_is_named(const struct frontier *f, uint64_t now_us)
{
    return find_wake(f, now_us).is_named;
}

size_t frontier_waiting(const struct frontier *f)
{
    return f->heap_count + f->parked_tried + f->urgent_count;
}

size_t frontier_parked(const struct frontier *f)
{
    return f->parked;
}
