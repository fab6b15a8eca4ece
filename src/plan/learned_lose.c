#include "plan/learned_lose.h"

#include "plan/let_in.h"

#include <math.h>

#define NEAR 0.85            /* two targets that differ by no more are the same */
#define WHOLE_LEAST 0.7      /* of the refused rate: what a span tells at the least, ... */
#define WHOLE_LEAST_TOLD 0.5 /* ... where a refusal costs more than this */
#define DEAR_S 3.0
#define BACK_ONCE_MORE 0.92
#define BACK_AGAIN 0.8 /* refused again at once */
/* what is accepted within this at the beginning came from the bucket */
#define BURST_US (2 * US_PER_S)
#define FIRST_PART 0.7 /* of what was accepted lately: the first guess */
#define BESIDE_LEAST 4 /* accepted beside the first that was refused, ... */
#define BESIDE_TIMES 8 /* ... and so many times as many as refused: it was a stray one */

/* The first refusal. What was in flight with it is still to be counted: the guess is made when that has
 * come back. */
static void lose_free(struct learned_limit *l, uint64_t span_us, uint64_t now_us)
{
    l->refused_at = learned_recent_rate(l, now_us);
    l->burst = LEARNED_BURST_LEAST;
    l->first_accepted = l->span_accepted;
    lately_forget_crowd(&l->lately); /* they were not alone: what is refused counts only for us */
    l->first_until_us = now_us;
    l->beside_well = l->beside_refused = 0;
    l->first_span_us = span_us < BURST_US ? span_us : 0;
    l->phase = LEARNED_SEARCH;
    l->turn_s = LEARNED_TURN_S;
    l->is_guessing = true;
    learned_set_rate(l, LEARNED_FIRST_LEAST, now_us);
}

bool learned_was_stray(const struct learned_limit *l)
{
    return l->is_guessing && l->beside_well >= BESIDE_LEAST &&
           l->beside_well >= BESIDE_TIMES * l->beside_refused;
}

void learned_guess(struct learned_limit *l, uint64_t now_us)
{
    double lately;

    lately_pass(&l->lately, now_us);
    if (learned_was_stray(l)) {
        learned_forget(l);
        return;
    }
    lately = learned_recent_rate(l, now_us);
    lately =
        FIRST_PART * (lately > l->refused_at ? lately : l->refused_at); /* before a long hold */
    l->is_guessing = false;
    learned_set_rate(l, lately > LEARNED_FIRST_LEAST ? lately : LEARNED_FIRST_LEAST, now_us);
}

/* What the server let in a second since the last refusal, as far as it is known. */
static double whole_rate(const struct learned_limit *l, double accepted, uint64_t span_us)
{
    return let_in_rate(&(struct let_in_span){ .span_us = span_us,
                                              .held_us = l->span_held_us,
                                              .accepted = accepted,
                                              .burst = l->burst,
                                              .lately_s = learned_seconds(LATELY_US),
                                              .lately = lately_count(&l->lately) });
}

/* It was met before. */
static bool is_near(double rate, double target)
{
    return rate > NEAR * target && NEAR * rate < target;
}

/* The rate that was allowed, or what so few in flight can have made of it. */
static double sent_rate(const struct learned_limit *l)
{
    return l->sent_most > 0 ? fmin(l->rate, l->sent_most) : l->rate;
}

static void lose_search(struct learned_limit *l, double accepted, uint64_t span_us, uint64_t now_us)
{
    double whole = whole_rate(l, accepted, span_us), upper = l->rate, found;

    l->refused_at = sent_rate(l);
    if (accepted <= 0) {
        return; /* still the refusal before: the next accepted one tells how long it took */
    }
    if (span_us < LET_IN_SPAN_LEAST_US) {
        learned_set_rate(l, BACK_AGAIN * upper, now_us);
        return;
    }
    if (l->first_span_us) { /* how much more its bucket held than came in meanwhile */
        double more = fmax(0, l->first_accepted - 1); /* an even rate needs one */

        found = let_in_below(upper, more, learned_turn_s(l));
        l->held = fmax(0, more - found * learned_seconds(l->first_span_us));
        l->burst = fmax(l->burst, l->held + 1);
        l->first_span_us = 0;
    }
    found = let_in_below(upper, l->held, learned_turn_s(l));
    whole = fmin(whole, upper);
    found = l->recovery_us > LEARNED_WINDOW_US || whole > found ? whole : found;
    l->phase = LEARNED_NARROW;
    l->is_sure = is_near(found, l->target);
    l->target = found;
    learned_set_rate(l, LEARNED_BACK * found, now_us);
}

static void lose_narrow(struct learned_limit *l, double accepted, uint64_t span_us, uint64_t now_us)
{
    double whole = whole_rate(l, accepted, span_us), rate = l->rate, found = rate;

    l->refused_at = sent_rate(l);
    if (accepted <= 0) {
        return;
    }
    if (span_us < LET_IN_SPAN_LEAST_US) {
        found = (l->episodes_in_row < 3 ? BACK_ONCE_MORE : BACK_AGAIN) * rate;
    } else {
        double least = (l->told_s > DEAR_S ? WHOLE_LEAST_TOLD : WHOLE_LEAST) * rate;

        whole = fmin(fmax(whole, least), rate);
        found = l->is_sure || l->episodes_in_row > 1 || l->recovery_us > LEARNED_WINDOW_US
                    ? whole
                    : sqrt(whole * rate);
    }
    l->is_sure |= is_near(found, l->target);
    l->burst = fmax(l->burst, l->excess);
    l->target = found;
    learned_set_rate(l, (l->is_sure ? LEARNED_BACK_SURE : LEARNED_BACK) * found, now_us);
}

/* It opens again at the deadline. */
void learned_lose_window(struct learned_limit *l, uint64_t now_us)
{
    l->refused_at = learned_recent_rate(l, now_us);
    l->phase = LEARNED_FREE;
    l->rate = 0;
    shared_limit_forget(&l->shared);
}

void learned_lose(struct learned_limit *l, double accepted, uint64_t span_us, uint64_t now_us)
{
    switch (l->phase) {
    case LEARNED_FREE:
        lose_free(l, span_us, now_us);
        break;
    case LEARNED_SEARCH:
        lose_search(l, accepted, span_us, now_us);
        break;
    case LEARNED_NARROW:
        lose_narrow(l, accepted, span_us, now_us);
        break;
    }
}
