/**
 * Whether what a fleet's job has as done is in the runs of its workers: `verify --fleet URL RUN...`.
 *
 * Requests of the plan's own; of those that are found Redis keeps no more than that they were published.
 *
 * Ownership  fleet_verify_release frees all but the struct.
 * Bounds     three bits for each request of the plan.
 * Errors     as fleet/fleet_ask.h and store/ledger.h say.
 * Threads    any; it waits for Redis.
 */
#ifndef SCRAPETOP_SESSION_FLEET_VERIFY_H
#define SCRAPETOP_SESSION_FLEET_VERIFY_H

#include "fleet/place.h"
#include "store/run_reader.h"

#include <stdbool.h>

struct fleet_verify {
    char job[FLEET_NAME_MAX];
    uint64_t total;
    uint8_t *done, *once, *twice; /* the first in the highest bit */
};

/** Asks Redis what is done. On failure there is nothing to release. */
MUST_CHECK enum result fleet_verify_open(struct fleet_verify *v, const char *url, struct err *err);

/** What has ended in this run. */
MUST_CHECK enum result fleet_verify_add(struct fleet_verify *v, struct run_reader *reader,
                                        struct err *err);

/** To stdout; `json`: one object. `*is_missing`: something that is done is in none of the runs. */
MUST_CHECK enum result fleet_verify_print(const struct fleet_verify *v, bool json, bool *is_missing,
                                          struct err *err);
void fleet_verify_release(struct fleet_verify *v);

#endif
