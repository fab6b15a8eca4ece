/**
 * Sending: what fetch is given with every request of an endpoint, and the headers that depend on its values.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SENDING_H
#define SCRAPETOP_ENGINE_SENDING_H

#include "base/buf.h"
#include "base/err.h"
#include "job/header_fill.h"

struct engine;
struct fetch_endpoint;
struct fetch_extra;
struct request;

struct sending {
    struct fetch_endpoint *endpoints; /* the last is the login call */
    const char **headers;             /* the job's first */
    const char **rule_headers;        /* names that rules read, endpoint by endpoint */
    struct header_fill **fills;       /* of each endpoint, or NULL */
    struct buf filled[HEADER_FILL_MAX];
};

/** Once the rules and the login are there. */
MUST_CHECK enum result sending_init(struct engine *engine, struct err *err);
void sending_release(struct engine *engine);

/** The headers that depend on the request's values. */
void sending_fill(struct engine *engine, const struct request *request, struct fetch_extra *extra);

#endif
