/**
 * A way to a fleet's Redis, and what its job looks like as a snapshot of a run.
 *
 * Ownership  fleet_talk_open's is closed by fleet_talk_close, whatever the result.
 * Errors     E-FLEET1: the URL, or this build has no fleet.
 * Threads    any, one at a time.
 */
#ifndef SCRAPETOP_SESSION_FLEET_TALK_H
#define SCRAPETOP_SESSION_FLEET_TALK_H

#include "engine/control.h"
#include "engine/snapshot.h"
#include "fleet/fleet_ask.h"

struct fleet_talk {
    struct fleet_place place;
    struct fleet_client *client;
};

/** `needs_job`: the URL has to name one. Nothing is waited for yet. */
MUST_CHECK enum result fleet_talk_open(struct fleet_talk *talk, const char *url, bool needs_job,
                                       struct err *err);
void fleet_talk_close(struct fleet_talk *talk);

/** What a user may tell a fleet: a set as engine_verbs has it. */
uint32_t fleet_talk_verbs(void);

enum worker_state fleet_talk_worker_state(const struct fleet_worker *worker);

/** The sums of all workers, and these; what else stands in the snapshot stays. */
void fleet_talk_fill(const struct fleet_overview *overview, struct snapshot *s);

/** How it stood when he said so. */
struct fleet_seen {
    unsigned cap;
    bool is_paused;
};

/** Tells all workers; `reply` is for the user. */
MUST_CHECK enum result fleet_talk_obey(struct fleet_talk *talk, const struct control *control,
                                       const struct fleet_seen *seen, char reply[CONTROL_REPLY_MAX],
                                       struct err *err);

#endif
