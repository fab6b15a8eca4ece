/**
 * Host hold: what keeps back all of a host, or of a bucket of it, until a moment or until the user says so.
 *
 * Pure: told the time. Units: microseconds (monotonic).
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_PLAN_HOST_HOLD_H
#define SCRAPETOP_PLAN_HOST_HOLD_H

#include "plan/host.h"

/** By the user: until released. */
void host_hold_user(struct host *host, bool hold, uint64_t now_us);

/** It refuses all, and is asked nothing more unless the user releases it. */
void host_stop(struct host *host);

/** The server holds a request's bucket until then: after a restart, or by a rule. */
void host_hold_named(struct host *host, const struct request *request, uint64_t until_us,
                     uint64_t now_us, const struct due *due);

/** All of its buckets are held until then: another worker was told so. */
void host_hold_whole(struct host *host, uint64_t until_us, uint64_t now_us, const struct due *due);

/** What holds it at this moment, the latest of several. */
struct host_hold {
    uint64_t until_us;     /* 0: nothing; TIME_NEVER: until the user releases it */
    bool is_named;         /* by the server, so never cut short by us */
    const struct due *due; /* NULL: nothing, or the user */
};

struct host_hold host_hold(const struct host *host, uint64_t now_us);

/** The hold that concerns the request. */
struct host_hold host_hold_of(const struct host *host, const struct request *request,
                              uint64_t now_us);

#endif
