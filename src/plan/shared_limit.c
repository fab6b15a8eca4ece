#include "plan/shared_limit.h"

#include "base/clock.h"

#define ROW_ACCEPTED 60 /* so many in between, and they are in no row */
#define ROW 3
#define PART 0.5 /* of what was accepted a second: slower by far */
#define TOLD_PART 0.5
#define AGAIN 5            /* deadlines that were over, and the first one was refused again */
#define FEW 12             /* accepted between two of them, on average */
#define TRIAL_REFUSED 3    /* what was known is known again sooner: so many, and ... */
#define TRIAL_PART 0.08    /* ... this part of all, or ... */
#define TRIAL_SANK 0.7     /* ... down to this part of the rate: who is alone gets all of it */
#define TRIAL_ACCEPTED 150 /* without that it is shared no more */
#define SLOWER 0.8 /* 63 in 100 runs are shorter than the mean of all: these two cancel out there */
#define FASTER 1.46
#define RUN_PART 0.5
#define ALONE 100 /* accepted in a run: others have gone */
#define TRY_US (5 * US_PER_S)
#define TRY_MAX_US (120 * US_PER_S)
#define PART_SHARE 0.03   /* of one answer in the part that is refused; more at first, ... */
#define PART_FIRST 0.4    /* ... when this is supposed, ... */
#define PART_ANSWERS 8    /* ... and counts as so many */
#define SCRIPT_TRIES 5    /* after the first, ... */
#define SCRIPT_WAIT_S 0.5 /* ... and the mean wait before the first of them, doubled with each */
#define SCRIPT_PART 1.1   /* times what it asks: what is spaced evenly is refused less often */
#define SHUT_ROW 40

void shared_limit_forget(struct shared_limit *s)
{
    s->vain = s->again = 0;
    s->rate = s->accepted = 0;
}

static bool begin(struct shared_limit *s, bool is_told, uint64_t now_us)
{
    bool is_known = s->is_trial && s->try_every_us;

    s->is_on = true;
    s->is_told = is_told;
    s->is_trial = false;
    s->try_every_us = !is_known                          ? TRY_US
                      : 2 * s->try_every_us < TRY_MAX_US ? 2 * s->try_every_us
                                                         : TRY_MAX_US;
    s->try_us = now_us + s->try_every_us;
    s->part = PART_FIRST;
    s->answers = PART_ANSWERS;
    s->refused_in_row = 0;
    return true;
}

static bool is_in_vain(const struct shared_limit *s, double rate, bool is_told)
{
    return s->again >= AGAIN || (s->vain >= ROW && (is_told || s->accepted < FEW * s->vain) &&
                                 rate < (is_told ? TOLD_PART : PART) * s->rate);
}

static bool fails_trial(struct shared_limit *s, double rate)
{
    s->trial_rate = s->trial_refused ? s->trial_rate : rate;
    s->trial_refused++;
    return s->trial_refused >= TRIAL_REFUSED &&
           (s->trial_refused > TRIAL_PART * (s->trial_accepted + s->trial_refused) ||
            rate < TRIAL_SANK * s->trial_rate);
}

bool shared_limit_refused(struct shared_limit *s, double rate, double accepted, double whole,
                          bool is_told, uint64_t now_us)
{
    if (s->is_trial && fails_trial(s, rate)) {
        return begin(s, is_told, now_us);
    }
    if (accepted >= ROW_ACCEPTED) {
        shared_limit_forget(s);
        return false;
    }
    if (accepted <= 0) {
        s->again += is_told && s->vain > 0;
    } else {
        s->vain++;
        s->accepted += accepted;
        s->rate = whole > s->rate ? whole : s->rate;
    }
    return is_in_vain(s, rate, is_told) && begin(s, is_told, now_us);
}

void shared_limit_crowd(struct shared_limit *s, unsigned crowd)
{
    crowd = crowd < SHARED_PLACES_MAX ? crowd : SHARED_PLACES_MAX;
    s->places = s->places > crowd ? s->places : crowd;
}

void shared_limit_answered(struct shared_limit *s, bool is_refused)
{
    double share = 1 / ++s->answers;

    share = share > PART_SHARE ? share : PART_SHARE;
    s->part += share * ((is_refused ? 1 : 0) - s->part);
    s->refused_in_row = is_refused ? s->refused_in_row + 1 : 0;
    if (!is_refused && s->is_trial && ++s->trial_accepted >= TRIAL_ACCEPTED) {
        shared_limit_end(s);
    }
}

double shared_limit_rate(const struct shared_limit *s, double latency_s)
{
    double tries = 1, waits_s = 0, part = 1, wait_s = SCRIPT_WAIT_S;

    for (int i = 0; i < SCRIPT_TRIES; i++, wait_s *= 2) {
        part *= s->part;
        tries += part;
        waits_s += part * wait_s;
    }
    return SCRIPT_PART * s->places * tries / (waits_s + latency_s);
}

bool shared_limit_is_shut(const struct shared_limit *s)
{
    return s->refused_in_row >= SHUT_ROW;
}

void shared_limit_end(struct shared_limit *s)
{
    shared_limit_forget(s);
    s->is_on = s->is_trial = false;
    s->try_every_us = 0;
}

bool shared_limit_tries(struct shared_limit *s, uint64_t now_us)
{
    if (!s->is_on || s->is_told || now_us < s->try_us) {
        return false;
    }
    s->is_on = false;
    s->is_trial = true;
    shared_limit_forget(s);
    s->trial_accepted = s->trial_refused = 0;
    return true;
}

bool shared_limit_is_over(const struct shared_limit *s, double run_accepted)
{
    return s->is_on && s->is_told && run_accepted >= ALONE;
}

double shared_limit_pace(double rate, double run_s, double held_s)
{
    return rate * (run_s < RUN_PART * held_s ? SLOWER : FASTER);
}
