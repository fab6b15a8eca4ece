/**
 * Signing: requests carry a signature of their own (job/auth/sign.h), and a clock that is off is told of.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_SIGNING_H
#define SCRAPETOP_ENGINE_SIGNING_H

#include "base/buf.h"
#include "job/auth/sign.h"

struct engine;
struct fetch_extra;
struct request;
struct response;

struct signing {
    struct buf lines[SIGN_HEADERS_MAX]; /* of the request that starts now */
    bool is_clock_told, is_stopped;
};

/** Adds the signature of what is about to be sent. RESULT_NOMEM: it may not be sent. */
MUST_CHECK enum result signing_carry(struct engine *engine, const struct request *request,
                                     struct fetch_extra *extra);

/** A refused answer's Date may say that our clock is the reason: told once. True when nothing has gone well yet: the
 *  run stops with E-AUTH2, and the request is left pending. */
bool signing_stops(struct engine *engine, const struct response *response);

void signing_release(struct engine *engine);

#endif
