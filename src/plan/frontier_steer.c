#include "plan/frontier_state.h"

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

void frontier_urge(struct frontier *f, struct request *request)
{
    request_queue_append(&f->urgent, request);
    f->urgent_count++;
}

/* One look at each, however many there are. */
static size_t urge_parked(struct frontier *f, struct host *host, struct lane *lane,
                          frontier_wanted *wanted, void *context)
{
    struct request_queue all = lane->tried;
    struct request *request;
    size_t urged = 0;

    lane->tried = (struct request_queue){ .first = NULL };
    while ((request = request_queue_pop(&all))) {
        if (!request->attempt || !wanted(context, request)) {
            request_queue_append(&lane->tried, request);
            continue;
        }
        lane->ready_count--;
        host->ready_count--;
        frontier_note_unparked(f, host, request);
        frontier_urge(f, request);
        urged++;
    }
    return urged;
}

size_t frontier_urge_all(struct frontier *f, frontier_wanted *wanted, void *context)
{
    struct request_queue waited = { .first = NULL };
    struct request *request;
    size_t urged = 0;

    frontier_heap_split(f, wanted, context, &waited);
    while ((request = request_queue_pop(&waited))) {
        frontier_urge(f, request);
        urged++;
    }
    for (uint32_t i = 0; f->parked_tried && i < f->hosts->count; i++) {
        struct host *host = host_at(f->hosts, i);

        for (uint16_t lane = 0; lane < host->lane_count; lane++) {
            urged += urge_parked(f, host, &host->lanes[lane], wanted, context);
        }
    }
    return urged;
}

struct request *frontier_take_urgent(struct frontier *f)
{
    struct request *request = request_queue_pop(&f->urgent);

    f->urgent_count -= request != NULL;
    return request;
}
