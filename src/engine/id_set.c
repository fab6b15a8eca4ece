#include "engine/id_set.h"

#include <stdlib.h>

#define ROOM_LEAST 1024 /* a power of two, as all */
#define SETTLED (UINT64_C(1) << 63)

/* Where it is, or the free slot where it would be. Ids may be neighbours, so they are mixed. */
static size_t slot_of(const struct id_set *set, uint64_t id)
{
    size_t at = (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (set->room - 1);

    while (set->slots[at] && (set->slots[at] & ~SETTLED) != id) {
        at = (at + 1) & (set->room - 1);
    }
    return at;
}

enum id_state id_set_look(const struct id_set *set, uint64_t id)
{
    uint64_t slot = set->room ? set->slots[slot_of(set, id)] : 0;

    return !slot ? ID_UNKNOWN : slot & SETTLED ? ID_SETTLED : ID_IN_HAND;
}

static enum result grow(struct id_set *set)
{
    struct id_set larger = { .room = set->room ? 2 * set->room : ROOM_LEAST };

    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (!larger.slots) {
        return RESULT_NOMEM;
    }
    for (size_t i = 0; i < set->room; i++) {
        if (set->slots[i]) {
            larger.slots[slot_of(&larger, set->slots[i] & ~SETTLED)] = set->slots[i];
        }
    }
    larger.count = set->count;
    free(set->slots);
    *set = larger;
    return RESULT_OK;
}

enum result id_set_put(struct id_set *set, uint64_t id, enum id_state state)
{
    size_t at;

    if (set->count >= set->room - set->room / 4 && grow(set) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    at = slot_of(set, id);
    set->count += set->slots[at] == 0;
    set->slots[at] = state == ID_SETTLED ? id | SETTLED : id;
    return RESULT_OK;
}

void id_set_release(struct id_set *set)
{
    free(set->slots);
    *set = (struct id_set){ .slots = NULL };
}
