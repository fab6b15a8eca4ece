/**
 * Tuner: the controller behind `auto`. It turns the cap, and the rate when that is what a server limits.
 *
 * What it knows is what came back: how long answers took, which were refused, and how many were in
 * flight when each began. It goes in rounds, long enough for every slot to have been used several times
 * since the last change, and makes one change a round:
 *
 *   RISE     doubles the cap while that raises the rate in proportion
 *   REFINE   between the last cap that paid and the first that did not
 *   HOLD     stays, and asks now and then whether one step up pays, or one step down costs nothing;
 *            goes back to RISE or REFINE when latency says that the server is another one now
 *
 * A refusal (429, 503) is a loss. When nothing was accepted with as many in flight, the server counts
 * what runs at once: the cap goes just below, and that ceiling is tried again only after minutes.
 * Otherwise it counts requests in a time: the rate becomes what was accepted, and creeps back to a
 * little below where the refusals began. A wrong guess shows in refusals that go on, and is changed.
 *
 * Nothing grows while something else keeps requests back: then a larger cap would prove nothing.
 *
 * Every decision is one sentence in `reason`.
 *
 * Sources  AIMD and the app-limited guard as in Netflix's concurrency-limits; "one change a round
 *          trip" as in Vector's adaptive concurrency; the creep to the last rate as in CUBIC (RFC 9438).
 * Pure: told the time. Units: microseconds (monotonic).
 */
#ifndef SCRAPETOP_PLAN_TUNER_H
#define SCRAPETOP_PLAN_TUNER_H

#include <stdbool.h>
#include <stdint.h>

#define TUNER_REASON_MAX 160
#define TUNER_PROBE_MIN_US (UINT64_C(60) * 1000000)  /* before a ceiling is tried again ... */
#define TUNER_PROBE_MAX_US (UINT64_C(240) * 1000000) /* ... and again, when it stood */
#define TUNER_GUESS_US (UINT64_C(10) * 1000000)      /* ... or a first rate, which is a guess */
#define TUNER_STEP_US (UINT64_C(30) * 1000000)       /* between steps that cost nobody a refusal */
#define TUNER_DOWN_MAX_US (UINT64_C(480) * 1000000)
#define TUNER_WINDOW_S 10 /* over which the accepted rate is measured */

enum tuner_end {
    TUNER_WELL,    /* any answer that is no refusal and no failure */
    TUNER_REFUSED, /* 429 */
    TUNER_FAILED,  /* 503, timeout: a loss when there are many */
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
    double rate; /* starts a second at most; 0: no limit */
    char reason[TUNER_REASON_MAX];

    enum tuner_phase phase;
    struct tuner_point before; /* to compare with */
    unsigned upper;            /* REFINE: the cap that did not pay */
    uint64_t next_step_us;
    uint64_t next_down_us, down_every_us; /* less often, the more often less was slower */

    unsigned ceiling; /* refused from here on; 0: not met */
    double rate_lost; /* the rate at which refusals began; 0: not met */
    uint64_t probe_us, probe_every_us;
    uint64_t rate_step_us;
    bool probing, rate_was_probed;

    struct tuner_round {
        uint64_t began_us;
        unsigned well, failed;
        double latency_sum_us, crowd_sum;
    } round;
    struct tuner_loss {
        uint64_t ignore_before_us; /* refusals of requests begun before were answered already */
        unsigned count, crowd_min;
        unsigned in_row; /* losses that followed a change at once */
        uint64_t last_us;
        bool last_was_rate;
    } loss;
    struct {
        uint64_t second;                             /* which one `accepted[0]` counts */
        unsigned accepted[TUNER_WINDOW_S + 1];       /* by second, latest first */
        unsigned crowd_accepted[TUNER_WINDOW_S + 1]; /* the largest crowd that was accepted */
        uint64_t since_us;
    } window;
};

void tuner_init(struct tuner *tuner, unsigned cap, unsigned cap_max, uint64_t now_us);

/** The user has set another cap, or another upper end: goes on from there. */
void tuner_set(struct tuner *tuner, unsigned cap, unsigned cap_max, uint64_t now_us);

/** One attempt has ended. */
void tuner_note(struct tuner *tuner, const struct tuner_sample *sample, uint64_t now_us);

/** Decides, when it is time to. `kept_back`: since the last call something other than cap and rate of
 *  the tuner's kept requests from starting. True when cap or rate has changed, for `reason`. */
bool tuner_step(struct tuner *tuner, bool kept_back, uint64_t now_us);

#endif
