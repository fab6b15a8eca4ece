/**
 * Refusal: what an answer that says "not now" asks of us, and what that means for its host.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_REFUSAL_H
#define SCRAPETOP_ENGINE_REFUSAL_H

#include "plan/due.h"
#include "plan/quota.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct host;
struct request;
struct response;

/** When to ask again, by the server's word. */
struct deadline {
    bool named;
    bool holds_host; /* the whole host, not only this request */
    uint64_t wait_us;
    enum due_by by;          /* who named it */
    char said[DUE_SAID_MAX]; /* in what words; bytes from outside */
};

/** Holds of hosts, as the report counts them. */
struct held {
    uint64_t holds, hosts;  /* hosts: how many different ones */
    uint64_t asked_us;      /* holds that servers named, as if all were waited for ... */
    uint64_t backed_off_us; /* ... and our own after refusals without a deadline */
    /* requests before a deadline that a server had named: by the user's word only */
    uint64_t early;
};

/** The answer says "not now": a 429 or its like, or a 503 that a limiter sends. To be asked once for each
 *  answer: it learns from it. */
bool refusal_is(struct engine *engine, struct host *host, const struct response *response);

/** The allowance that the answer names, in its headers or its body. */
struct quota refusal_read_quota(const struct engine *engine, const struct response *response);

struct deadline refusal_deadline(struct engine *engine, struct host *host,
                                 const struct response *response);
void refusal_hold(struct engine *engine, struct host *host, const struct response *response,
                  const struct deadline *deadline);

/** A refusal that has been heeded is the limit's and no try of this URL: since the one before, others were
 *  refused, too, and others were accepted. So often, and no more: afterwards it is the URL's own. */
bool refusal_is_limits(const struct host *host, struct request *request);

/** The words of application/problem+json (plan/quota.h); false when there are none. One of them is not
 *  for us to decide upon: it stops the run, or the host until the user releases it. */
bool refusal_by_problem(struct engine *engine, struct host *host, const struct response *response);

#endif
