/**
 * Exchange: a request that takes more than one question. It was put in, is asked about until it is ready,
 * and its result may lie elsewhere.
 *
 *   planned URL --not ready--> asked again, where it was or where the answer says --ready--> the result
 *                                   ^ |
 *                                   `-´ not ready
 *
 * The waits between grow as a backoff does, without chance, unless the server says how long. They are added
 * up, with the time that the answers took: neither a restart nor a clock that is set takes any of it back.
 *
 * Ownership  exchange_release frees the URL.
 * Units      microseconds.
 * Threads    pure; any.
 */
#ifndef SCRAPETOP_PLAN_EXCHANGE_H
#define SCRAPETOP_PLAN_EXCHANGE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/** Zeroed: a request as planned. */
struct exchange {
    char *url;          /* where to ask now, terminated; NULL: where it was planned. Owned */
    uint32_t asked;     /* answers that it was not ready */
    uint64_t waited_us; /* since the first of them */
    bool is_foreign; /* `url` is of another origin than the planned one: no credential goes there */
    bool from_public; /* and was named by a public address: it must not be a private one */
    bool with_get;    /* `url` is asked with GET, without a body */
    bool is_secret;   /* `url` holds a credential: it is written down nowhere */
};

void exchange_release(struct exchange *exchange);

/** `to` must be zeroed. RESULT_NOMEM. */
MUST_CHECK enum result exchange_copy(struct exchange *to, const struct exchange *from);

/** How long to wait before it is asked again, when nobody says: base, twice that, up to the ceiling. At
 *  least EXCHANGE_WAIT_MIN_US, also when somebody says less. */
#define EXCHANGE_WAIT_MIN_US UINT64_C(50000)
uint64_t exchange_wait_us(const struct exchange *exchange, uint64_t base_us, uint64_t ceiling_us);

#endif
