#include "plan/frontier_state.h"

#include "base/clock.h"
#include "base/url.h"

#include <stdio.h>
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
    f->endpoint_count = (uint32_t)options->job->endpoint_count;
    f->found = calloc(f->endpoint_count + 1, sizeof *f->found);
    result = f->found ? seeds_new(&f->seeds, options->job, options->list_fds, err)
                      : err_nomem(err, "preparing the plan");
    if (result != RESULT_OK) {
        frontier_free(f);
        return result;
    }
    f->total = seeds_total(f->seeds);
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
    free(f->gaps);
    free(f->aside);
    free(f->heap);
    free(f);
}

uint64_t frontier_total(const struct frontier *f)
{
    return f->total + f->found_count;
}

void frontier_extend(struct frontier *f, uint64_t count)
{
    seeds_extend(f->seeds, count);
    f->total = seeds_total(f->seeds);
}

uint64_t frontier_seeds(const struct frontier *f)
{
    return f->total;
}

enum result frontier_assign(struct frontier *f, struct request *request, const struct url *url,
                            struct err *err)
{
    enum result result = host_find(f->hosts, url, &request->host, err);

    if (result == RESULT_OK && host_lane(host_at(f->hosts, request->host), request->endpoint, url,
                                         &request->lane) != RESULT_OK) {
        result = err_nomem(err, "adding a host");
    }
    if (result == RESULT_OK) {
        host_ref(f->hosts, request->host);
    }
    return result;
}

static enum result make(struct frontier *f, enum seeds_reader reader, uint64_t id,
                        struct request **request, struct err *err)
{
    struct seed seed;
    enum result result = seeds_read(f->seeds, reader, id, &seed, err);

    if (result != RESULT_OK) {
        return result;
    }
    *request =
        request_make(id, seed.endpoint,
                     &(struct request_texts){
                         .key = seed.key, .url = seed.url, .body = seed.body, .vars = seed.vars });
    if (!*request) {
        return err_nomem(err, "making a request");
    }
    result = frontier_assign(f, *request, &seed.parts, err);
    if (result != RESULT_OK) {
        request_free(*request);
        *request = NULL;
    }
    return result;
}

enum result frontier_make(struct frontier *f, uint64_t id, struct request **request,
                          struct err *err)
{
    if (id == 0 || id > f->total) {
        return err_set(err, RESULT_NOT_FOUND, "E-PLAN1", "no request %llu in this plan",
                       (unsigned long long)id);
    }
    return make(f, SEEDS_LOOK, id, request, err);
}

/* --- the waiting heap ---------------------------------------------------------------------- */

/* Next due first; among equals in the plan's order, so that runs are alike. */
static bool before(const struct request *a, const struct request *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->id < b->id;
}

static void heap_up(struct frontier *f, size_t at)
{
    struct request *moved = f->heap[at];

    while (at > 0 && before(moved, f->heap[(at - 1) / 2])) {
        f->heap[at] = f->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    f->heap[at] = moved;
}

static void heap_down(struct frontier *f, size_t at)
{
    struct request *moved = f->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= f->heap_count) {
            break;
        }
        if (child + 1 < f->heap_count && before(f->heap[child + 1], f->heap[child])) {
            child++;
        }
        if (!before(f->heap[child], moved)) {
            break;
        }
        f->heap[at] = f->heap[child];
        at = child;
    }
    f->heap[at] = moved;
}

struct request *frontier_heap_take(struct frontier *f, size_t at)
{
    struct request *taken = f->heap[at];
    struct request *last = f->heap[--f->heap_count];

    if (at < f->heap_count) {
        f->heap[at] = last;
        heap_up(f, at);
        heap_down(f, at);
    }
    return taken;
}

/* --- the ring of hosts with ready requests --------------------------------------------------- */

static void ring_add(struct frontier *f, struct host *host)
{
    if (!f->ring) {
        host->ring_next = host->ring_prev = host;
        f->ring = host;
        return;
    }
    host->ring_next = f->ring;
    host->ring_prev = f->ring->ring_prev;
    host->ring_prev->ring_next = host;
    f->ring->ring_prev = host;
}

static void ring_remove(struct frontier *f, struct host *host)
{
    if (host->ring_next == host) {
        f->ring = NULL;
    } else {
        host->ring_prev->ring_next = host->ring_next;
        host->ring_next->ring_prev = host->ring_prev;
        if (f->ring == host) {
            f->ring = host->ring_next;
        }
    }
    host->ring_next = host->ring_prev = NULL;
}

static void park(struct frontier *f, struct request *request, enum lane_place place)
{
    struct host *host = host_at(f->hosts, request->host);

    if (!host->ready_count) {
        ring_add(f, host);
    }
    host_push(host, request, place);
    f->parked++;
    f->parked_tried += request->attempt > 0;
}

void frontier_hasten(struct frontier *f, uint32_t host)
{
    size_t count = f->heap_count;

    f->heap_count = 0;
    for (size_t i = 0; i < count; i++) { /* a heap of the others grows where they all were */
        struct request *request = f->heap[i];

        if (request->host == host) {
            park(f, request, LANE_PLACE_TRIED);
        } else {
            f->heap[f->heap_count++] = request;
            heap_up(f, f->heap_count - 1);
        }
    }
}

void frontier_note_unparked(struct frontier *f, struct host *host, const struct request *request)
{
    f->parked--;
    f->parked_tried -= request->attempt > 0;
    if (!host->ready_count) {
        ring_remove(f, host);
    }
}

/* --- what happens to it ---------------------------------------------------------------------- */

enum result frontier_add_gap(struct frontier *f, uint64_t first, uint64_t last)
{
    if (f->gap_count == f->gap_allocated) {
        size_t allocated = f->gap_allocated ? f->gap_allocated * 2 : 64;
        struct gap *gaps = realloc(f->gaps, allocated * sizeof *gaps);

        if (!gaps) {
            return RESULT_NOMEM;
        }
        f->gaps = gaps;
        f->gap_allocated = allocated;
    }
    f->gaps[f->gap_count++] = (struct gap){ first, last };
    return RESULT_OK;
}

enum result frontier_rehost(struct frontier *f, struct request *request, struct err *err)
{
    struct url url;
    uint32_t before = request->host;
    enum result result = url_split(request_url(request), &url, err);

    if (result == RESULT_OK) {
        result = frontier_assign(f, request, &url, err);
    }
    if (result == RESULT_OK) {
        host_unref(f->hosts, before);
    } else {
        request->host = before;
    }
    return result;
}

enum result frontier_wait(struct frontier *f, struct request *request, uint64_t due_us)
{
    if (f->heap_count == f->heap_allocated) {
        size_t allocated = f->heap_allocated ? f->heap_allocated * 2 : 64;
        struct request **heap = realloc(f->heap, allocated * sizeof(struct request *));

        if (!heap) {
            return RESULT_NOMEM;
        }
        f->heap = heap;
        f->heap_allocated = allocated;
    }
    if (frontier_rehost(f, request, NULL) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    request->due_us = due_us;
    f->heap[f->heap_count++] = request;
    heap_up(f, f->heap_count - 1);
    return RESULT_OK;
}

enum result frontier_restore_wait(struct frontier *f, struct request *request,
                                  uint64_t waits_until_us, uint64_t now_us)
{
    if (waits_until_us > now_us && due_is_named(request->due.by)) {
        host_hold_named(host_at(f->hosts, request->host), request, waits_until_us, now_us,
                        &request->due);
    }
    return frontier_wait(f, request, waits_until_us);
}

enum result frontier_restore(struct frontier *f, const struct frontier_row *row, uint64_t now_us,
                             struct err *err)
{
    struct request *request;
    uint64_t id = row->id;
    enum result result;

    if (id < f->cursor || id > f->total) {
        return err_set(err, RESULT_CORRUPT, "E-LEDG3",
                       "the ledger has request %llu, the job has %llu", (unsigned long long)id,
                       (unsigned long long)f->total);
    }
    if (id > f->cursor && frontier_add_gap(f, f->cursor, id - 1) != RESULT_OK) {
        return err_nomem(err, "reading the ledger");
    }
    f->cursor = id + 1;
    if (!row->waits_until_us) {
        return RESULT_OK;
    }
    result = make(f, SEEDS_RESTORE, id, &request, err);
    if (result != RESULT_OK) {
        return result;
    }
    request->attempt = row->attempt;
    request->last = row->last;
    request->due = row->due;
    snprintf(request->reason, sizeof request->reason, "%.*s", STR_ARG(row->reason));
    if ((row->exchange && request_resume(request, row->exchange) != RESULT_OK) ||
        frontier_restore_wait(f, request, row->waits_until_us, now_us) != RESULT_OK) {
        frontier_forget(f, request);
        return err_nomem(err, "reading the ledger");
    }
    return RESULT_OK;
}

enum result frontier_put_back(struct frontier *f, struct request *request, struct err *err)
{
    enum result result = frontier_rehost(f, request, err);

    if (result == RESULT_OK) {
        park(f, request, LANE_PLACE_NEXT);
    }
    return result;
}

void frontier_forget(struct frontier *f, struct request *request)
{
    host_unref(f->hosts, request->host);
    request_free(request);
}

bool frontier_has_unmade(const struct frontier *f)
{
    return f->gap_at < f->gap_count || (f->cursor <= f->total && !f->closed);
}

/* The next id of the plan that no row has, 0 at the end. Does not move. */
static uint64_t next_id(const struct frontier *f)
{
    if (!frontier_has_unmade(f)) {
        return f->aside_at < f->aside_count ? f->aside[f->aside_at].first : 0;
    }
    return f->gap_at < f->gap_count ? f->gaps[f->gap_at].first : f->cursor;
}

static void move_within(struct gap *gaps, size_t *at)
{
    if (gaps[*at].first++ == gaps[*at].last) {
        ++*at;
    }
}

static void move_past(struct frontier *f)
{
    if (!frontier_has_unmade(f)) {
        move_within(f->aside, &f->aside_at);
    } else if (f->gap_at < f->gap_count) {
        move_within(f->gaps, &f->gap_at);
    } else {
        f->cursor++;
    }
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
        struct request *request = host_next(f->hosts, host, now_us, &why);

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

/* The plan's next one; NULL at its end. */
static enum result make_next(struct frontier *f, struct request **request, struct err *err)
{
    uint64_t id = next_id(f);
    enum result result = id ? make(f, SEEDS_PLAN, id, request, err) : RESULT_OK;

    if (id && result == RESULT_OK) {
        move_past(f);
    }
    return result;
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

        if (!request && make_next(f, &request, err) != RESULT_OK) {
            *answer = FRONTIER_ERROR;
            return NULL;
        }
        if (!request) {
            return NULL;
        }
        may = host_may_start(f->hosts, host_at(f->hosts, request->host), request->lane, now_us);
        if (may == HOST_MAY) {
            return start(f, request);
        }
        park(f, request, LANE_PLACE_FRESH);
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
        park(f, frontier_heap_take(f, 0), LANE_PLACE_TRIED);
    }
    *request = frontier_take_urgent(f);
    if (*request) {
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
            struct host_wake one = host_wake(f->hosts, host, now_us);

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

struct sorted {
    const struct request **list;
    size_t count, max;
};

/* Insertion into a short sorted list: what is later than a full list's last is out at once. */
static void keep_earliest(void *context, const struct request *request)
{
    struct sorted *s = context;
    size_t at = s->count;

    if (s->count == s->max) {
        if (!before(request, s->list[s->max - 1])) {
            return;
        }
        at--;
    } else {
        s->count++;
    }
    while (at > 0 && before(request, s->list[at - 1])) {
        s->list[at] = s->list[at - 1];
        at--;
    }
    s->list[at] = request;
}

size_t frontier_waits(const struct frontier *f, const struct request **list, size_t max)
{
    struct sorted sorted = { list, 0, max };

    if (max) {
        frontier_each_wait(f, keep_earliest, &sorted);
    }
    return sorted.count;
}
