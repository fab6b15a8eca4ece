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

struct request *frontier_take_urgent(struct frontier *f)
{
    struct request *request = request_queue_pop(&f->urgent);

    f->urgent_count -= request != NULL;
    return request;
}
