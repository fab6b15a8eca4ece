/**
 * What is asked of a fleet, and told to it, from outside: by `status`, `ctl`, `attach` and `scrapetop fleet`.
 *
 * Ownership  an overview owns its workers until fleet_overview_release.
 * Bounds     FLEET_WORKERS_MAX workers are listed, those heard last.
 * Errors     E-FLEET5: Redis does not answer, or with what is none of ours. E-FLEET7: there is no such job, or no such worker
 *            (RESULT_NOT_FOUND), or workers are at it (RESULT_INVALID). Else those of fleet/client.h.
 * Threads    any, one at a time; it waits for Redis up to FLEET_CALL_MS.
 */
#ifndef SCRAPETOP_FLEET_FLEET_ASK_H
#define SCRAPETOP_FLEET_FLEET_ASK_H

#include "fleet/client.h"
#include "fleet/turn.h"

#define FLEET_WORKERS_MAX 500 /* that look.lua lists */
#define FLEET_WHO_MAX 512

struct fleet_worker {
    char name[FLEET_NAME_MAX];
    char who[FLEET_WHO_MAX]; /* HOST:/PATH of its directory; or empty */
    bool is_live;            /* heard within a lease */
    bool has_left;           /* it ended by itself */
    uint64_t heard_ms;       /* since then */
    uint64_t in_flight, leases, outbox;
    struct fleet_said said;
};

struct fleet_overview {
    uint64_t total, done; /* requests of the plan */
    uint64_t found;       /* published, and nobody has taken them yet */
    uint64_t age_ms;      /* since the job was made in this Redis */
    bool is_open;         /* not recounted */
    bool is_over;
    struct fleet_settings settings;
    char waits_for[FLEET_NAME_MAX]; /* a worker that is gone, and alone knows of work; or empty */
    unsigned live, count;           /* workers; all that ever were */
    struct fleet_worker *workers;   /* heard last first */
    size_t worker_count;
};

/** Of `place->job`, the client's. On failure there is nothing to release. */
MUST_CHECK enum result fleet_look(struct fleet_client *client, const struct fleet_place *place,
                                  struct fleet_overview *overview, struct err *err);
void fleet_overview_release(struct fleet_overview *overview);

/** Which requests of the job's plan are done at some worker, a bit each, the first in the highest: to free; and how many
 *  there are in all. */
MUST_CHECK enum result fleet_done(struct fleet_client *client, const struct fleet_place *place,
                                  uint8_t **bits, uint64_t *total, struct err *err);

/** The names of the jobs in this Redis, as fleet_client_jobs has them. */
MUST_CHECK enum result fleet_jobs(struct fleet_client *client, const struct fleet_place *place,
                                  struct buf *names, struct err *err);

/** Of a reply of look.lua. */
MUST_CHECK enum result fleet_overview_read(struct str reply, struct fleet_overview *overview,
                                           struct err *err);

/** One thing that all are told. */
struct fleet_steer {
    enum { FLEET_STEER_CAP, FLEET_STEER_RATE, FLEET_STEER_PAUSE, FLEET_STEER_DRAIN } what;
    unsigned cap;
    struct rate rate;
    bool is_paused;
};

MUST_CHECK enum result fleet_steer(struct fleet_client *client, const struct fleet_place *place,
                                   const struct fleet_steer *steer, struct err *err);

/** A worker that never returns: what it alone had is asked again. Without `is_sure` it only says whether it may be done. */
MUST_CHECK enum result fleet_forget(struct fleet_client *client, const struct fleet_place *place,
                                    const char *worker, bool is_sure, struct err *err);

/** All that Redis has of the job. `is_sure` as above. */
MUST_CHECK enum result fleet_remove(struct fleet_client *client, const struct fleet_place *place,
                                    bool is_sure, struct err *err);

#endif
