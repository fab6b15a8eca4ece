/**
 * Sweep, as a run goes through one: the caps it tries, what is told of them, and what comes after. The
 * command's ends the run, one by a key gives the run the cap that it recommends.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_PACE_SWEEP_H
#define SCRAPETOP_ENGINE_PACE_SWEEP_H

#include "base/str.h"
#include "engine/control.h"
#include "engine/sweep.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct sweep;

struct pace_sweep {
    struct sweep *now; /* under way: the options' or `own`; NULL: none */
    struct sweep own;  /* by a key: the run goes on after it */
    size_t rows_told;
    unsigned cap_before;
    bool auto_before;
};

/** The first cap of `sweep` from now on; the controller rests meanwhile. */
void pace_sweep_start(struct engine *engine, struct sweep *sweep);
void pace_sweep_by_user(struct engine *engine, struct str caps, char reply[CONTROL_REPLY_MAX]);
void pace_sweep(struct engine *engine, uint64_t now_us); /* with every tick */
void pace_sweep_end(struct engine *engine);              /* nothing more will be fetched */

/** Somebody else turns the cap from now on: one by a key is over. */
void pace_sweep_leave(struct engine *engine, const char *why);
bool pace_is_sweeping(const struct engine *engine);

#endif
