/**
 * Named wait: the time that an answer's headers ask to wait, by Retry-After and its kin.
 *
 * A server that sends several means the longest.
 *
 * Ownership  the texts are views into the response's headers.
 * Units      microseconds.
 * Threads    no state.
 */
#ifndef SCRAPETOP_ENGINE_NAMED_WAIT_H
#define SCRAPETOP_ENGINE_NAMED_WAIT_H

#include "fetch/response.h"

/** Added to a wait that a server named: the server may count from a moment after we have read its answer. */
#define NAMED_WAIT_SLACK_US UINT64_C(10000)

struct named_wait {
    bool is_named;
    uint64_t us;
    uint64_t unit_us;   /* of a bare number: a second, or a millisecond */
    struct str value;   /* that said so; bytes from outside */
    struct str ignored; /* the first that could not be read, or STR_NONE */
};

/** Moments count from the answer's Date, else from `wall_us`. */
struct named_wait named_wait_read(const struct response *response, int64_t wall_us);

/** A named wait as it is kept: with the slack; none stays none. */
uint64_t named_wait_kept_us(uint64_t us);

#endif
