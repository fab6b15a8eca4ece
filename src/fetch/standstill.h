/**
 * Standstill: whether the process has stood still while it should have run.
 *
 * It was stopped (SIGSTOP, a debugger, a paused container), or the machine slept. What counts is the time
 * between going to sleep in the loop's poll and the first callback after it, beyond what the loop meant to
 * sleep, and of the time until it sleeps again what no CPU time was spent in: so a loop that is merely busy
 * never looks like that. Somebody must have a timer on the loop, or it may sleep for as long as it likes.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_STANDSTILL_H
#define SCRAPETOP_FETCH_STANDSTILL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define STANDSTILL_LEAST_US UINT64_C(1000000)

struct standstill_time {
    uint64_t awake_us; /* that passed by CLOCK_MONOTONIC, and so libcurl's timers and libuv's */
    uint64_t all_us;   /* with the time that the machine slept */
};

struct standstill {
    uv_prepare_t prepare;
    /* by either clock: it went to sleep, or the first look after that */
    struct standstill_time from;
    struct standstill_time owed; /* lost while it was awake, and not told yet */
    uint64_t means_us;           /* to sleep */
    uint64_t cpu_us;             /* of this thread when it went to sleep */
    enum {
        STANDSTILL_AWAKE,
        STANDSTILL_SLEEPS,
        STANDSTILL_SLEEPS_ON
    } state; /* the last: for as long as it likes */
};

void standstill_watch(struct standstill *standstill, uv_loop_t *loop);

/** True once after each standstill. Cheap: to be asked in every callback that minds. */
bool standstill_look(struct standstill *standstill, struct standstill_time *lost);

/** Nothing that has passed so far counts. */
void standstill_forgive(struct standstill *standstill);

/** `closed` gets the handle, whose data is `data`. */
void standstill_close(struct standstill *standstill, uv_close_cb closed, void *data);

#endif
