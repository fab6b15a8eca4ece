/**
 * Told window: what a limiter lets in between the deadlines that its refusals name.
 *
 * A refusal until a moment some seconds away is most often that of a window, whose quota is spent. There is
 * no need to slow down for it: after the deadline the next window is spent at full speed, and then it is
 * time to wait again. Ten threads learn of that by ten refusals; here one is enough:
 *
 *   NONE --refused until T--> SHUT --T--> ASKS --accepted--> OPEN --as many begun as before--> TRIAL
 *                              ^            |                  |                                 |
 *                              `--refused---+------------------+---------------------------------'
 *
 * ASKS   few are sent, until one is accepted: the deadline may have been too early.
 * TRIAL  first, one window tells nothing: there may have been an outage. So it grows quickly from a few, and
 *        when twice as many are accepted there is no window. Once two windows have let in the same, it
 *        begins at their rate, slowly.
 *
 * Two that differ, and a trial that goes well for long, are no window's: NEVER. A bucket gives a little more in
 * the time that a trial takes; when it is much more, the first window had begun without us, and is
 * forgotten. Then the deadline is the same
 * each time, or that of the next token, and there is a rate to be learned (plan/learned_limit.h).
 *
 * Pure: told the time. Units: microseconds (monotonic), requests per second.
 */
#ifndef SCRAPETOP_PLAN_TOLD_WINDOW_H
#define SCRAPETOP_PLAN_TOLD_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define TOLD_WINDOW_LEAST_US UINT64_C(2000000) /* a shorter wait may be anything */

enum told_state { TOLD_NONE, TOLD_SHUT, TOLD_ASKS, TOLD_OPEN, TOLD_TRIAL, TOLD_NEVER };

/** Zeroed at first. */
struct told_window {
    enum told_state state;
    bool is_sure;             /* two have let in the same */
    double quota;             /* what the last one let in; 0: none has ended */
    double burst;             /* the lesser of the last two */
    double rate;              /* that, a second, by the time from its opening to the next */
    uint64_t opened_us;       /* 0: nothing has begun yet */
    double started, accepted; /* since then */
};

/** What to do from now on. */
enum told_step {
    TOLD_STEP_STAY,
    TOLD_STEP_ASK,       /* few */
    TOLD_STEP_FREE,      /* as many as there are */
    TOLD_STEP_TRY,       /* from a few on quickly more */
    TOLD_STEP_TRY_AT,    /* from `rate` on slowly more */
    TOLD_STEP_NO_WINDOW, /* learn a rate, from `rate` on */
};

/** A request begins. `deadline_us`: when it is open again, if it is shut. */
enum told_step told_window_started(struct told_window *window, uint64_t deadline_us,
                                   uint64_t now_us);

/** An answer came that was no refusal, to what began at `started_us`. */
enum told_step told_window_accepted(struct told_window *window, uint64_t started_us);

/** A refusal that told to wait so long; 0: it did not. `is_free`: no rate was learned so far. True when it is a
 *  window's; else there is something else that limits. */
bool told_window_refused(struct told_window *window, uint64_t told_us, bool is_free);

/** Something else limits. */
void told_window_end(struct told_window *window);

#endif
