/**
 * The exchanges that an earlier session has left (plan/exchange.h), while its requests are restored.
 *
 * Ownership  exchanges_release frees all.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_ENGINE_EXCHANGES_H
#define SCRAPETOP_ENGINE_EXCHANGES_H

#include "plan/exchange.h"
#include "store/committer.h"

struct kept_exchange {
    uint64_t id; /* of its request */
    struct exchange exchange;
};

struct exchanges {
    struct kept_exchange *list; /* in order of id */
    size_t count;
};

/** Before the store is started. Nothing of it need be released when this fails. */
MUST_CHECK enum result exchanges_read(struct exchanges *exchanges, struct committer *committer,
                                      struct err *err);
void exchanges_release(struct exchanges *exchanges);

/** Of one request; NULL: it is none. */
const struct exchange *exchanges_find(const struct exchanges *exchanges, uint64_t id);

#endif
