#include "plan/frontier_state.h"

uint64_t frontier_planned(const struct frontier *f, uint32_t endpoint)
{
    return seeds_planned(f->seeds, endpoint) + f->found[endpoint];
}

/* Where the request stands in the heap, or the heap's count. */
static size_t find_in_heap(const struct frontier *f, uint64_t id)
{
    size_t at = 0;

    while (at < f->heap_count && f->heap[at]->id != id) {
        at++;
    }
    return at;
}

struct request *frontier_take(struct frontier *f, uint64_t id)
{
    size_t at = find_in_heap(f, id);
    struct host *host = f->ring;

    if (at < f->heap_count) {
        return frontier_heap_take(f, at);
    }
    if (!host) {
        return NULL;
    }
    do {
        struct request *request = host_take(host, id);

        if (request) {
            frontier_note_unparked(f, host, request);
            return request;
        }
        host = host->ring_next;
    } while (host != f->ring);
    return NULL;
}

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

void frontier_urge(struct frontier *f, struct request *request)
{
    request->next = NULL;
    if (f->urgent.last) {
        f->urgent.last->next = request;
    } else {
        f->urgent.first = request;
    }
    f->urgent.last = request;
    f->urgent_count++;
}

struct request *frontier_take_urgent(struct frontier *f)
{
    struct request *request = f->urgent.first;

    if (request) {
        f->urgent.first = request->next;
        if (!request->next) {
            f->urgent.last = NULL;
        }
        request->next = NULL;
        f->urgent_count--;
    }
    return request;
}

void frontier_close(struct frontier *f, bool gaps)
{
    f->closed = true;
    if (gaps) {
        f->gap_at = f->gap_count;
    }
}

enum result frontier_again(struct frontier *f, uint64_t id)
{
    if (id == 0 || id >= f->cursor) {
        return RESULT_NOT_FOUND;
    }
    if (f->gap_at == f->gap_count) {
        f->gap_at = f->gap_count = 0; /* all of them are over: their room is free again */
    }
    if (f->gap_count > f->gap_at && f->gaps[f->gap_count - 1].last + 1 == id) {
        f->gaps[f->gap_count - 1].last++;
        return RESULT_OK;
    }
    return frontier_add_gap(f, id, id);
}
