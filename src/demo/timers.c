#include "demo/timers.h"

#include "base/clock.h"
#include "base/grow.h"

#include <stdlib.h>

void timers_release(struct timers *t)
{
    free(t->heap);
    *t = (struct timers){ 0 };
}

enum result timers_add(struct timers *t, uint64_t due_us, void *owner)
{
    struct timer *heap = grow_by_one(t->heap, t->count, &t->cap, sizeof *heap);
    size_t at;

    if (!heap) {
        return RESULT_NOMEM;
    }
    t->heap = heap;
    at = t->count++;
    while (at && t->heap[(at - 1) / 2].due_us > due_us) {
        t->heap[at] = t->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    t->heap[at] = (struct timer){ due_us, owner };
    return RESULT_OK;
}

uint64_t timers_next_us(const struct timers *t)
{
    return t->count ? t->heap[0].due_us : TIME_NEVER;
}

void *timers_pop(struct timers *t, uint64_t until_us)
{
    struct timer last;
    void *owner;
    size_t at = 0;

    if (!t->count || t->heap[0].due_us > until_us) {
        return NULL;
    }
    owner = t->heap[0].owner;
    last = t->heap[--t->count];
    for (;;) { /* the hole sinks until `last` fits in */
        size_t child = 2 * at + 1;

        if (child + 1 < t->count && t->heap[child + 1].due_us < t->heap[child].due_us) {
            child++;
        }
        if (child >= t->count || t->heap[child].due_us >= last.due_us) {
            break;
        }
        t->heap[at] = t->heap[child];
        at = child;
    }
    t->heap[at] = last;
    return owner;
}
