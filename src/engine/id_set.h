/**
 * A set of ids, each in hand or settled: which found requests of a fleet this worker has had.
 *
 * Sixteen bytes an id at most, eight at least. An id is not 0 and has not its highest bit set.
 *
 * Ownership  id_set_release frees all but the struct; zeroed it is empty.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_ENGINE_ID_SET_H
#define SCRAPETOP_ENGINE_ID_SET_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_set {
    uint64_t *slots; /* 0: free; the highest bit: settled */
    size_t count, room;
};

enum id_state { ID_UNKNOWN, ID_IN_HAND, ID_SETTLED };

enum id_state id_set_look(const struct id_set *set, uint64_t id);

/** From now on it is that, but ID_UNKNOWN. RESULT_NOMEM: it is as it was. */
MUST_CHECK enum result id_set_put(struct id_set *set, uint64_t id, enum id_state state);

void id_set_release(struct id_set *set);

#endif
