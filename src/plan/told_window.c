#include "plan/told_window.h"

#include "base/clock.h"

#define SAME 0.9         /* two that differ by no more let in the same */
#define PARTLY 0.67      /* of the next: the first one had begun without us */
#define QUOTA_LEAST 5    /* a window that lets in fewer is better told by its rate */
#define TRIAL_PART 1.125 /* of its quota accepted: it is no window's, when that was sure ... */
#define TRIAL_ALL 2      /* ... and when it was not */

/* What did the one before let in? */
static bool is_window(struct told_window *w, uint64_t now_us)
{
    double count = w->accepted;
    bool is_first = w->quota < PARTLY * count; /* or the first is told anew */
    bool is_same = count > SAME * w->quota && w->quota > SAME * count;

    if (count <= 0) {
        return true; /* still the one before */
    }
    w->rate = count / ((double)(now_us - w->opened_us + 1) / (double)US_PER_S);
    w->burst = w->quota < count && w->quota > 0 ? w->quota : count;
    w->quota = count;
    w->is_sure |= is_same && count >= QUOTA_LEAST;
    return is_first || w->is_sure;
}

static enum told_step open(struct told_window *w, uint64_t now_us)
{
    bool is_one = is_window(w, now_us);

    w->state = is_one ? TOLD_ASKS : TOLD_NEVER;
    w->opened_us = now_us;
    w->started = 1;
    w->accepted = 0;
    return is_one ? TOLD_STEP_ASK : TOLD_STEP_NO_WINDOW;
}

static enum told_step spend(struct told_window *w)
{
    if (w->quota <= 0 || w->started < w->quota) {
        return TOLD_STEP_STAY;
    }
    w->state = TOLD_TRIAL;
    return w->is_sure ? TOLD_STEP_TRY_AT : TOLD_STEP_TRY;
}

enum told_step told_window_started(struct told_window *w, uint64_t deadline_us, uint64_t now_us)
{
    if (w->state == TOLD_SHUT) {
        return now_us >= deadline_us ? open(w, now_us) : TOLD_STEP_STAY;
    }
    if (!w->opened_us) {
        w->opened_us = now_us;
    }
    w->started++;
    return w->state == TOLD_OPEN ? spend(w) : TOLD_STEP_STAY;
}

enum told_step told_window_accepted(struct told_window *w, uint64_t started_us)
{
    enum told_step step;

    if (started_us < w->opened_us) {
        return TOLD_STEP_STAY;
    }
    w->accepted++;
    if (w->state == TOLD_ASKS) {
        w->state = TOLD_OPEN;
        step = spend(w);
        return step == TOLD_STEP_STAY ? TOLD_STEP_FREE : step;
    }
    if (w->state == TOLD_TRIAL && !w->is_sure && w->accepted > TRIAL_ALL * w->quota) {
        w->state = TOLD_NONE;
        w->quota = 0;
        return TOLD_STEP_FREE;
    }
    return TOLD_STEP_STAY;
}

bool told_window_refused(struct told_window *w, uint64_t told_us, bool is_free)
{
    bool is_known = w->quota > 0, is_one = false;

    switch (w->state) {
    case TOLD_NONE:
        is_one = is_free && told_us >= TOLD_WINDOW_LEAST_US;
        break;
    case TOLD_SHUT:
    case TOLD_ASKS:
    case TOLD_OPEN:
        is_one = told_us >= TOLD_WINDOW_LEAST_US || (told_us && is_known);
        break;
    case TOLD_TRIAL:
        is_one = told_us && (!w->is_sure || w->accepted < TRIAL_PART * w->quota + 1);
        break;
    case TOLD_NEVER:
        break;
    }
    if (is_one) {
        w->state = TOLD_SHUT;
    } else if (told_us) {
        w->state = TOLD_NEVER;
    } else {
        told_window_end(w);
    }
    return is_one;
}

void told_window_end(struct told_window *w)
{
    if (w->state != TOLD_NEVER) {
        w->state = TOLD_NONE;
        w->quota = 0;
        w->is_sure = false;
    }
}
