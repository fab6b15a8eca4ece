#include "engine/failed_recent.h"

struct failed_one *failed_recent_add(struct failed_recent *recent, uint64_t id, struct failure why,
                                     uint64_t at_us)
{
    struct failed_one *one = &recent->ones[recent->next];

    one->id = id;
    one->at_us = at_us;
    one->why = why;
    one->request[0] = one->said[0] = '\0';
    recent->next = (recent->next + 1) % FAILED_RECENT_MAX;
    recent->count += recent->count < FAILED_RECENT_MAX;
    return one;
}

struct failed_one *failed_recent_at(struct failed_recent *recent, size_t index)
{
    return index < recent->count
               ? &recent->ones[(recent->next + FAILED_RECENT_MAX - 1 - index) % FAILED_RECENT_MAX]
               : NULL;
}

void failed_recent_keep(struct failed_recent *recent, bool (*has)(void *context, uint64_t id),
                        void *context)
{
    size_t first = (recent->next + FAILED_RECENT_MAX - recent->count) % FAILED_RECENT_MAX;
    size_t kept = 0;

    for (size_t i = 0; i < recent->count; i++) {
        const struct failed_one *one = &recent->ones[(first + i) % FAILED_RECENT_MAX];

        if (has(context, one->id)) {
            recent->ones[(first + kept++) % FAILED_RECENT_MAX] = *one;
        }
    }
    recent->count = kept;
    recent->next = (first + kept) % FAILED_RECENT_MAX;
}
