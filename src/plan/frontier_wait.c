/*
 * Where requests stand until they start: those that wait for a deadline in a heap, those whose host may not be asked
 * now at that host. The hosts with such requests form a ring.
 */
#include "plan/frontier_state.h"

#include "base/grow.h"
#include "base/url.h"
#include "plan/host_hold.h"
#include "plan/twin.h"

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

void frontier_park(struct frontier *f, struct request *request, enum lane_place place)
{
    struct host *host = host_at(f->hosts, request->host);

    if (!host->ready_count) {
        ring_add(f, host);
    }
    host_push(host, request, place);
    f->parked++;
    f->parked_tried += request->attempt > 0;
}

void frontier_note_unparked(struct frontier *f, struct host *host, const struct request *request)
{
    f->parked--;
    f->parked_tried -= request->attempt > 0;
    if (!host->ready_count) {
        ring_remove(f, host);
    }
}

/* --- what happens to one --------------------------------------------------------------------- */

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

static enum result rehost(struct frontier *f, struct request *request, struct err *err)
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

void frontier_forget(struct frontier *f, struct request *request)
{
    host_unref(f->hosts, request->host);
    request_free(request);
}

enum result frontier_wait(struct frontier *f, struct request *request, uint64_t due_us)
{
    struct request **heap =
        grow_by_one(f->heap, f->heap_count, &f->heap_allocated, sizeof(struct request *));

    if (!heap) {
        return RESULT_NOMEM;
    }
    f->heap = heap;
    if (rehost(f, request, NULL) != RESULT_OK) {
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
    if (waits_until_us > now_us && due_is_named(request->due.by) &&
        !(f->hosts->twins_are_told && host_at(f->hosts, request->host)->twin)) {
        host_hold_named(host_at(f->hosts, request->host), request, waits_until_us, now_us,
                        &request->due);
        twins_hold_named(f->hosts, request, waits_until_us, now_us, &request->due);
    }
    return frontier_wait(f, request, waits_until_us);
}

enum result frontier_put_back(struct frontier *f, struct request *request, struct err *err)
{
    enum result result = rehost(f, request, err);

    if (result == RESULT_OK) {
        frontier_park(f, request, LANE_PLACE_NEXT);
    }
    return result;
}

void frontier_hasten(struct frontier *f, uint32_t host)
{
    size_t count = f->heap_count;

    f->heap_count = 0;
    for (size_t i = 0; i < count; i++) { /* a heap of the others grows where they all were */
        struct request *request = f->heap[i];

        if (request->host == host) {
            frontier_park(f, request, LANE_PLACE_TRIED);
        } else {
            f->heap[f->heap_count++] = request;
            heap_up(f, f->heap_count - 1);
        }
    }
}

void frontier_heap_split(struct frontier *f, frontier_wanted *wanted, void *context,
                         struct request_queue *out)
{
    size_t count = f->heap_count;

    f->heap_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct request *request = f->heap[i];

        if (wanted(context, request)) {
            request_queue_append(out, request);
        } else {
            f->heap[f->heap_count++] = request;
            heap_up(f, f->heap_count - 1);
        }
    }
}

/* --- looking at those that wait -------------------------------------------------------------- */

void frontier_each_wait(const struct frontier *f,
                        void (*visit)(void *context, const struct request *request), void *context)
{
    const struct host *host = f->ring;

    for (size_t i = 0; i < f->heap_count; i++) {
        visit(context, f->heap[i]);
    }
    for (const struct request *r = f->urgent.first; r; r = r->next) {
        visit(context, r);
    }
    if (!host || !f->parked_tried) {
        return;
    }
    do {
        for (uint16_t i = 0; i < host->lane_count; i++) {
            for (const struct request *r = host->lanes[i].tried.first; r; r = r->next) {
                if (r->attempt) { /* one that only our own shortage kept back has not been tried */
                    visit(context, r);
                }
            }
        }
        host = host->ring_next;
    } while (host != f->ring);
}

struct finding {
    uint64_t id;
    const struct request *request;
};

static void look_at(void *context, const struct request *request)
{
    struct finding *finding = context;

    if (request->id == finding->id) {
        finding->request = request;
    }
}

const struct request *frontier_find_wait(const struct frontier *f, uint64_t id)
{
    struct finding finding = { id, NULL };

    frontier_each_wait(f, look_at, &finding);
    return finding.request;
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
