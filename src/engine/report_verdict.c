#include "engine/report_verdict.h"

#include <math.h>
#include <stdio.h>

#define TABLE_PART 0.05 /* of the time; below, normalising is not worth a word */
#define RATE_PART 0.05  /* of the time; above, a cap is not what the run could have filled */
#define LOOP_PERCENT 90
/* fewer requests for each slot are a start and an end, with nothing between */
#define CAP_FILLED_TIMES 2
#define CORES_BUSY 0.8 /* of all of them: more would help */

enum bound {
    BOUND_NONE,
    BOUND_CAP,
    BOUND_HOST_CAP,
    BOUND_RATE,
    BOUND_LEARNED,
    BOUND_TROUBLE,
    BOUND_HOLD,
    BOUND_RETRIES,
    BOUND_SILENT, /* part of what would be holds or retries */
    BOUND_PAGES,
    BOUND_TAIL,
    BOUND_INPUT,
    BOUND_LOGIN,
    BOUND_DISK,
    BOUND_FILES,
    BOUND_LOOP,
    BOUND_USER,
    BOUND_FLEET,
    BOUND_COUNT,
};

static const enum bound bound_of[LIMIT_COUNT] = {
    [LIMIT_NONE] = BOUND_NONE,           [LIMIT_CAP] = BOUND_CAP,
    [LIMIT_HOST_CAP] = BOUND_HOST_CAP,   [LIMIT_RATE] = BOUND_RATE,
    [LIMIT_BUDGET] = BOUND_RATE,         [LIMIT_HOLD] = BOUND_HOLD,
    [LIMIT_QUEUE_EMPTY] = BOUND_TAIL,    [LIMIT_INPUT] = BOUND_INPUT,
    [LIMIT_PAGINATION] = BOUND_PAGES,    [LIMIT_DESCRIPTORS] = BOUND_FILES,
    [LIMIT_LOOP_CPU] = BOUND_LOOP,       [LIMIT_DISK] = BOUND_DISK,
    [LIMIT_PAUSED] = BOUND_USER,         [LIMIT_DRAINING] = BOUND_USER,
    [LIMIT_ALL_WAITING] = BOUND_RETRIES, [LIMIT_ROUND] = BOUND_NONE,
    [LIMIT_AUTH] = BOUND_LOGIN,          [LIMIT_LEARNED] = BOUND_LEARNED,
    [LIMIT_TROUBLE] = BOUND_TROUBLE,     [LIMIT_FLEET] = BOUND_FLEET,
};

/* The seconds of each, and of all together. */
static double sum_bounds(const struct report *r, double seconds[BOUND_COUNT])
{
    double all = 0;

    for (int i = 0; i < BOUND_COUNT; i++) {
        seconds[i] = 0;
    }
    for (int i = LIMIT_NONE + 1; i < LIMIT_COUNT; i++) {
        seconds[bound_of[i]] += r->limited_s[i];
        all += r->limited_s[i];
    }
    if (r->silent_s > 0) {
        double held_s = fmin(r->silent_s, seconds[BOUND_HOLD]);

        seconds[BOUND_HOLD] -= held_s;
        seconds[BOUND_RETRIES] -= fmin(r->silent_s - held_s, seconds[BOUND_RETRIES]);
        seconds[BOUND_SILENT] = r->silent_s;
    }
    return all;
}

static enum bound longest(const double seconds[BOUND_COUNT])
{
    enum bound longest = BOUND_NONE;

    for (int i = BOUND_NONE + 1; i < BOUND_COUNT; i++) {
        if (seconds[i] > seconds[longest] || (longest == BOUND_NONE && seconds[i] > 0)) {
            longest = (enum bound)i;
        }
    }
    return longest;
}

static void judge_cap(struct report *r, const struct verdict_facts *facts, double waiting)
{
    if (waiting > 80) {
        snprintf(r->verdict, sizeof r->verdict,
                 "network-bound: %.0f %% of wall time is waiting; %s", waiting,
                 facts->is_auto ? "auto found no faster cap"
                                : "raise the cap, or let --auto do it");
    } else {
        snprintf(r->verdict, sizeof r->verdict,
                 "%.0f %% of wall time is CPU: a larger cap gives little", 100 - waiting);
    }
}

/* What stands before and after the part of the time that it was, or how many seconds. */
struct sentence {
    const char *head, *tail;
    bool in_seconds;
};

static const struct sentence sentences[BOUND_COUNT] = {
    [BOUND_HOST_CAP] = { "host-bound: for ",
                         " of the time the hosts had all that they may have at once; a larger cap "
                         "gives "
                         "nothing",
                         false },
    [BOUND_RATE] = { "rate-bound: ", " of the time was waiting, as the limit wants it", false },
    [BOUND_LEARNED] = { "server-bound: ",
                        " of the time was waiting, at the rate that its refusals taught", false },
    [BOUND_TROUBLE] = { "server-bound: for ",
                        " of the time what was left failed at every URL, and was asked slowly",
                        false },
    [BOUND_HOLD] = { "server-bound: ", " were spent on holds", true },
    [BOUND_RETRIES] = { "server-bound: for ", " all that was left waited for another try", true },
    [BOUND_SILENT] = { "server-bound: for ", " only hosts were left that do not answer", true },
    [BOUND_PAGES] = { "listing-bound: for ",
                      " of the time only a next page could be asked, which the one before names; a "
                      "larger cap gives nothing",
                      false },
    [BOUND_TAIL] = { "network-bound: for ",
                     " of the time the last requests were in flight; a larger cap gives nothing",
                     false },
    [BOUND_INPUT] = { "input-bound: for ", " of the time the list had no more to ask for", false },
    [BOUND_LOGIN] = { "login-bound: for ", " of the time requests waited for a token", false },
    [BOUND_DISK] = { "disk-bound: for ", " of the time storing was slower than the network",
                     false },
    [BOUND_FILES] = { "bound by open files for ", " of the time (ulimit -n)", false },
    [BOUND_USER] = { "paused or draining for ", " of the time", false },
    [BOUND_FLEET] = { "fleet-bound: for ", " of the time it had no share or no work", false },
};

static void judge_bound(struct report *r, const struct verdict_facts *facts, enum bound bound,
                        double seconds, double percent)
{
    const struct sentence *s = &sentences[bound];
    double waiting = 100 * r->io_ratio;

    if (s->head) {
        snprintf(r->verdict, sizeof r->verdict, "%s%.0f %s%s%s", s->head,
                 s->in_seconds ? seconds : percent, s->in_seconds ? "s" : "%", s->tail,
                 bound == BOUND_HOLD && r->status[429] ? "; ask less at once" : "");
    } else if (bound == BOUND_CAP) {
        judge_cap(r, facts, waiting);
    } else if (waiting > 80) { /* too short for any limit to be seen, or the loop's own turns */
        snprintf(r->verdict, sizeof r->verdict, "network-bound: %.0f %% of wall time is waiting",
                 waiting);
    } else {
        snprintf(r->verdict, sizeof r->verdict, "%.0f %% of wall time is CPU", 100 - waiting);
    }
}

/* The threads that make tables were as busy as the machine allows. */
static bool are_cores_busy(const struct report *r, const struct verdict_facts *facts)
{
    double table_s = r->table_part * r->wall_s;

    return r->cpu_s - r->loop_cpu_s > CORES_BUSY * table_s * (double)facts->cores;
}

void report_judge(struct report *r, const struct verdict_facts *facts)
{
    double seconds[BOUND_COUNT], all = sum_bounds(r, seconds), part;
    enum bound bound = longest(seconds);

    r->verdict[0] = '\0';
    if (r->wall_s <= 0 || r->session_ok == 0 || r->stopped_in_error) {
        return; /* what brought nothing, or was stopped for what answers said, was not slow */
    }
    if (facts->is_polling) {
        snprintf(r->verdict, sizeof r->verdict,
                 "polling: rounds begin at their times, %.0f %% of wall time is waiting",
                 100 * r->io_ratio);
        return;
    }
    part = seconds[bound] / r->wall_s;
    if (r->loop_cpu_percent >= LOOP_PERCENT) {
        snprintf(r->verdict, sizeof r->verdict,
                 "loop thread %.0f %%: its core is full; %s uses others", r->loop_cpu_percent,
                 r->threads <= 1 && facts->cores > 1 ? "--threads 2" : "--shard or --fleet");
    } else if (r->table_part > TABLE_PART && r->table_part > part) {
        snprintf(r->verdict, sizeof r->verdict, "normalising is %.0f %% of the time%s",
                 100 * r->table_part, are_cores_busy(r, facts) ? ": more cores would help" : "");
    } else {
        judge_bound(r, facts, bound, seconds[bound], all > 0 ? 100 * seconds[bound] / all : 0);
    }
}

/* What others than the cap set: then what it could have given is nobody's aim. */
static double seconds_below_cap(const double seconds[BOUND_COUNT])
{
    return seconds[BOUND_RATE] + seconds[BOUND_LEARNED] + seconds[BOUND_HOST_CAP] +
           seconds[BOUND_TROUBLE] + seconds[BOUND_INPUT] + seconds[BOUND_HOLD] +
           seconds[BOUND_RETRIES] + seconds[BOUND_SILENT] + seconds[BOUND_LOGIN] +
           seconds[BOUND_USER];
}

void report_fill_ideal(struct report *r, const struct verdict_facts *facts)
{
    double seconds[BOUND_COUNT], ideal_s = 0;
    uint64_t requests = 0;

    r->ideal_s = r->ideal_percent = 0;
    if (r->session_attempts < (uint64_t)CAP_FILLED_TIMES * r->cap_max) {
        return; /* hardly begun when it ended: a share of the cap says nothing then */
    }
    sum_bounds(r, seconds);
    for (size_t i = 0; i < r->rung_count; i++) {
        const struct snapshot_rung *rung = &r->rungs[i];
        double cap = rung->cap;

        if (!rung->requests || rung->ideal_per_s <= 0 || cap <= 0) {
            continue;
        }
        /* A cap that was never filled is no ideal. */
        ideal_s += (double)rung->requests / rung->ideal_per_s *
                   (rung->requests < rung->cap ? cap / (double)rung->requests : 1);
        requests += rung->requests;
    }
    if (!requests || r->wall_s <= 0 || r->session_ok == 0 || r->stopped_in_error) {
        return; /* as in report_judge */
    }
    if (!facts->is_polling && seconds_below_cap(seconds) <= RATE_PART * r->wall_s) {
        r->ideal_s =
            ideal_s * (double)r->session_attempts / (double)requests; /* rungs may have given way */
        r->ideal_percent = fmin(100, 100 * r->ideal_s / r->wall_s);
    }
}
