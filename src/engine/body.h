/**
 * A body, read as JSON: as it is, or as what it says (read/body_read.h), with the bytes that were sent beside it.
 *
 * Errors   none: without memory a body counts as unreadable.
 * Threads  body_read_json anywhere, of one response at a time; body_tell on the loop thread.
 */
#ifndef SCRAPETOP_ENGINE_BODY_H
#define SCRAPETOP_ENGINE_BODY_H

#include "base/json_scan.h"
#include "fetch/response.h"

struct engine;

/** How a body is read. */
struct body_how {
    const struct body_reading *reading;
    uint64_t max_bytes;    /* unpacked; several times that as JSON, but no more than ... */
    uint64_t memory_bytes; /* ... that of all bodies; 0: any */
};

struct body_how body_how_of(const struct engine *engine, uint32_t endpoint);

/** It is likely not JSON but made into some, and then that many bytes at most beside itself. */
bool body_may_grow(const struct body_how *how, const struct response *response);
uint64_t body_json_max(const struct body_how *how, const struct response *response);

/* What came of it. */
struct body_verdict {
    bool is_json;
    bool is_kept;         /* the endpoint wants it as it is */
    enum outcome outcome; /* of a 2xx that is neither */
    char why[REQUEST_REASON_MAX];
};

struct body_verdict body_read_json(const struct body_how *how, struct response *response);

/** Says in the log what the body was, of each kind the first time in a run. */
void body_tell(struct engine *engine, const struct response *response);

#endif
