#include "plan/bare_window.h"

#include "base/clock.h"

#define SAME 0.7       /* two that differ by no more are alike */
#define SPARE_LEAST 40 /* fewer are not worth the refusals that looking for its end costs */
#define SPARE_PART 0.2 /* of them refused: it has failed, ... */
#define FAILED_MOST 1  /* ... and more often than this, for good */
#define MORE 1.25      /* times as many: it was no window */
#define END_PART 40    /* of a window: how well its end is known */
#define WAIT_MAX_US (15 * US_PER_S)

void bare_window_started(struct bare_window *w, uint64_t now_us)
{
    if (!w->opened_us) {
        w->opened_us = now_us;
    }
    w->spare -= w->spare > 0;
}

bool bare_window_accepted(struct bare_window *w)
{
    w->accepted++;
    if (w->is_sure || w->quota <= 0 || w->accepted <= MORE * w->quota) {
        return false;
    }
    w->quota = 0;
    return true;
}

bool bare_window_refused(struct bare_window *w, uint64_t started_us)
{
    bool is_early = w->spare > SPARE_PART * (w->spare + w->accepted);

    w->asked_us = started_us;
    w->spare = 0;
    if (is_early) {
        w->failed++;
        w->period_us = 0;
    }
    return !is_early;
}

/* It opened between the last that was refused and the first that was accepted: when it was expected, if it was,
 * or a little sooner, so that a period that is too long does not stay so. */
static uint64_t opening_us(const struct bare_window *w, uint64_t accepted_us)
{
    uint64_t early_us = w->opened_us + w->period_us - w->period_us / END_PART;

    if (!w->period_us) {
        return (w->asked_us + accepted_us) / 2;
    }
    return early_us <= w->asked_us ? w->asked_us : early_us < accepted_us ? early_us : accepted_us;
}

bool bare_window_opens(struct bare_window *w, uint64_t started_us)
{
    uint64_t opens_us = opening_us(w, started_us);
    uint64_t took_us = opens_us > w->opened_us ? opens_us - w->opened_us : 1;
    double rate = w->accepted / ((double)took_us / (double)US_PER_S);
    bool is_first = w->accepted <= 0;

    if (!is_first) {
        w->is_sure = rate > SAME * w->rate && w->rate > SAME * rate;
        w->rate = rate;
        w->quota = w->accepted;
        w->spare = w->accepted >= SPARE_LEAST && w->failed <= FAILED_MOST ? w->accepted : 0;
        w->period_us = w->is_sure && w->spare > 0 ? took_us : 0;
    }
    w->opened_us = opens_us;
    w->accepted = 0;
    return !is_first;
}

uint64_t bare_window_wait_us(const struct bare_window *w, uint64_t now_us)
{
    uint64_t opens_us = w->opened_us + w->period_us, wait_us = w->period_us / END_PART;

    if (!w->period_us) {
        return 0;
    }
    wait_us += opens_us > now_us ? opens_us - now_us : 0;
    return wait_us < WAIT_MAX_US ? wait_us : WAIT_MAX_US;
}
