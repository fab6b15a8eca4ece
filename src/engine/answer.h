/**
 * An answer as a value, for all who keep account of answers (engine/listeners.h): each is told the same.
 *
 * Ownership  plain data; the response is borrowed, while it is told.
 * Units      microseconds (monotonic), bytes. The latency counts from the transfer's start, without the wait for a
 *            free slot.
 */
#ifndef SCRAPETOP_ENGINE_ANSWER_H
#define SCRAPETOP_ENGINE_ANSWER_H

#include "fetch/response.h"

#include <stdbool.h>
#include <stdint.h>

struct answer {
    uint32_t endpoint, host; /* index of the host */
    uint64_t started_us, ended_us;
    uint64_t latency_us; /* 0: no answer came */
    int status;          /* 0: likewise */
    enum outcome outcome;
    bool throttled; /* a 429 */
    bool is_asleep; /* it failed because this process was stopped: it says nothing of the host */
    bool is_reused;
    unsigned sends, challenges, refusals; /* see struct response */
    uint64_t wire_bytes;
    uint32_t crowd; /* in flight everywhere when it began, itself included */
    const struct response *response;
};

/** Of a response with its request in it. */
struct answer answer_of(const struct response *response, uint64_t now_us, bool is_asleep);

/** A request that the ledger has as done or as failed for good. */
struct settled {
    const struct request *request;
    bool is_ok;
    bool is_unchanged;     /* the last body again, when it is polled */
    const char *said_line; /* of a failure, what the server said; without secrets */
};

#endif
