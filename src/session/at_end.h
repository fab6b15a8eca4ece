/**
 * What happens outside when a session begins and ends: a command that gets the report, and a ping for a dead man's
 * switch.
 *
 * --on-end CMD   /bin/sh -c CMD once the run is at rest, with the report as JSON on its stdin, SCRAPETOP_EXIT and
 *                SCRAPETOP_RUN in its environment. One that fails is run again, three times in all.
 * --ping URL     GET URL/start when the run is under way; at the end URL when all is well, else URL/EXIT with the exit
 *                code, as healthchecks.io and its relatives want it. Three tries. Nobody waits for the first while
 *                the run lives; the end of the run waits two seconds for it, and five for the last.
 *
 * The URL of a ping is a secret by nature: it is never shown.
 *
 * Errors   none that change the run: what could not be done is a warning, W-END1 or W-END2.
 * Threads  main thread; pings at the start use libuv's pool.
 */
#ifndef SCRAPETOP_SESSION_AT_END_H
#define SCRAPETOP_SESSION_AT_END_H

#include "base/str.h"

#include <uv.h>

/** Is called about once a second while something here waits: a service manager wants to hear that we live. */
struct at_end_pulse {
    void (*beat)(void *context);
    void *context;
};

/** Sends the ping of the start from the pool. `url` is copied; NULL: nothing is sent, and the answer is NULL. Freed by
 *  the loop once it is sent or has failed; `*start` is then NULL. */
struct at_end_start;
void at_end_ping_start(struct at_end_start **start, uv_loop_t *loop, const char *url);

/** The run ends: the ping of the start has two seconds left. `start` may be NULL. */
void at_end_ping_start_hurry(struct at_end_start *start);

/** Sends the ping of the end, and waits for it, five seconds at most. NULL: nothing is sent. */
void at_end_ping(const char *url, int exit, const struct at_end_pulse *pulse);

/** Runs the command, and waits for it, a minute each time at most. NULL: nothing is run. */
void at_end_command(const char *command, const char *run_dir, int exit, struct str report,
                    const struct at_end_pulse *pulse);

#endif
