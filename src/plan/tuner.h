/**
 * Tuner: the controller behind `auto`. It turns the cap.
 *
 * What it knows is what came back: how long answers took, and how many were in flight when each
 * began. It goes in rounds, long enough for every slot to have been used several times
 * since the last change, and makes one change a round:
 *
 *   RISE     doubles the cap while that raises the rate in proportion
 *   REFINE   between the last cap that paid and the first that did not
 *   HOLD     stays, and asks now and then whether one step up pays, or one step down costs nothing;
 *            goes back to RISE or REFINE when latency says that the server is another one now
 *
 * Refusals are not its business: what they teach of a rate, or of a number at once, is kept by the
 * host's bucket (plan/learned_limit.h), and keeps requests back before the cap does.
 *
 * Nothing grows while something else keeps requests back: then a larger cap would prove nothing.
 *
 * Every decision is one sentence in `reason`.
 *
 * Sources  AIMD and the app-limited guard as in Netflix's concurrency-limits; "one change a round
 *          trip" as in Vector's adaptive concurrency.
 * Pure: told the time. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_TUNER_H
#define SCRAPETOP_PLAN_TUNER_H

#include <stdbool.h>
#include <stdint.h>

#define TUNER_REASON_MAX 160
#define TUNER_STEP_US (UINT64_C(30) * 1000000) /* between steps while it holds */
#define TUNER_DOWN_MAX_US (UINT64_C(480) * 1000000)

enum tuner_end {
    TUNER_WELL,   /* any answer that is no refusal and no failure */
    TUNER_FAILED, /* a timeout: a loss when there are many */
};

struct tuner_sample {
    enum tuner_end end;
    uint64_t started_us, latency_us;
    unsigned crowd; /* in flight when it began, itself included */
};

enum tuner_phase { TUNER_RISE, TUNER_REFINE, TUNER_HOLD, TUNER_STEP_UP, TUNER_STEP_DOWN };

/** What one cap gave. */
struct tuner_point {
    unsigned cap;
    double rate; /* a second, by Little's law; 0: not measured */
    double latency_us;
};

struct tuner {
    unsigned cap, cap_max;
    char reason[TUNER_REASON_MAX];

    enum tuner_phase phase;
    struct tuner_point before; /* to compare with */
    uint64_t next_step_us;
    uint64_t next_down_us, down_every_us; /* less often, the more often less was slower */

    struct tuner_round {
        uint64_t began_us;
        unsigned well, failed;
        double latency_sum_us, crowd_sum;
    } round;
};

void tuner_init(struct tuner *tuner, unsigned cap, unsigned cap_max, uint64_t now_us);

/** The user has set another cap, or another upper end: goes on from there. */
void tuner_set(struct tuner *tuner, unsigned cap, unsigned cap_max, uint64_t now_us);

/** One attempt has ended. */
void tuner_note(struct tuner *tuner, const struct tuner_sample *sample);

/** Decides, when it is time to. `kept_back`: since the last call something other than its
 *  cap kept requests from starting. True when the cap has changed, for `reason`. */
bool tuner_step(struct tuner *tuner, bool kept_back, uint64_t now_us);

#endif
