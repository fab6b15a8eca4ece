#include "demo/asked.h"

#include <stdlib.h>

struct asked {
    uint32_t tick;
    struct asked_slot sets[ASKED_SETS][ASKED_WAYS];
};

struct asked *asked_new(void)
{
    return calloc(1, sizeof(struct asked));
}

void asked_free(struct asked *asked)
{
    free(asked);
}

/* Lower goes first: free, then settled by age, then owed by age. */
static uint64_t worth(const struct asked *asked, const struct asked_slot *slot)
{
    uint32_t age = asked->tick - slot->used_at; /* right over a wrap, too */

    return slot->key ? ((uint64_t)slot->owed << 32 | (UINT32_MAX - age)) + 1 : 0;
}

struct asked_slot *asked_slot(struct asked *asked, uint64_t key)
{
    struct asked_slot *set = asked->sets[key % ASKED_SETS];
    struct asked_slot *found = NULL;

    key = key ? key : 1;
    asked->tick++;
    for (int i = 0; i < ASKED_WAYS && !found; i++) {
        found = set[i].key == key ? &set[i] : NULL;
    }
    if (!found) {
        found = &set[0];
        for (int i = 1; i < ASKED_WAYS; i++) {
            if (worth(asked, &set[i]) < worth(asked, found)) {
                found = &set[i];
            }
        }
        *found = (struct asked_slot){ .key = key };
    }
    found->used_at = asked->tick;
    return found;
}
