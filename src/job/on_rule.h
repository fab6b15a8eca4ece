/**
 * Rules by event: what a run does by itself when a figure of it passes a limit.
 *
 *   "on": [ { "when": "429 > 2% for 60s", "do": "cap /2" },
 *           { "when": "failed > 5%",      "do": "pause" } ]
 *
 * WHEN is MEASURE [in TIME] COMPARISON LIMIT [for TIME]. What a measure counts, and in which unit its limit is given,
 * stands in ON_MEASURES. Those that count what came in count it over the last minute, or over the time of `in`; those
 * whose name ends in `_total` count the whole run; the others are what is true at the moment. With `for` the comparison
 * must have held that long without a break. DO is one of ON_VERBS with its argument.
 *
 * On a command line and in `ctl` a rule is one text, "WHEN: DO".
 *
 * When a rule fires is a matter of plan/on_state.h, what follows of engine/on_watch.h.
 *
 * Ownership  plain data; on_rules_release frees a list.
 * Units      of `limit`: see enum on_unit. Times are microseconds.
 * Errors     E-ON1: no such rule; the sentence names the nearest word that there is.
 * Threads    read-only after loading, so any.
 */
#ifndef SCRAPETOP_JOB_ON_RULE_H
#define SCRAPETOP_JOB_ON_RULE_H

#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ON_RULES_MAX 32
#define ON_TEXT_MAX 96 /* of WHEN, and of DO */
#define ON_OVER_US (UINT64_C(60) * 1000000)
#define ON_OVER_LEAST_US (UINT64_C(1) * 1000000)
#define ON_OVER_MOST_US (UINT64_C(86400) * 1000000)

/** What a limit is given in, and what its value counts. */
enum on_unit {
    ON_UNIT_PART,  /* "2%": of all [0, 1]; "20": how many */
    ON_UNIT_COUNT, /* "100", "10k" in steps of 1000 */
    ON_UNIT_RATE,  /* "5/s", "600/m": a second */
    ON_UNIT_TIME,  /* "800ms": microseconds */
    ON_UNIT_SIZE,  /* "2G": bytes */
};

/** What a measure is taken of. */
enum on_kind {
    ON_KIND_ANSWERS, /* counted as they come, over a time */
    ON_KIND_ENDED,   /* requests, likewise, as they end */
    ON_KIND_LATENCY, /* of answers over a time */
    ON_KIND_NOW,     /* of the moment */
};

/* clang-format off */
/**
 * What can be watched, one row each: ROW(NAME, word, kind, unit, help).
 *
 * A new one is a row here, and what it is in engine/on_measure.c.
 */
#define ON_MEASURES(ROW)                                                                                    \
    ROW(STATUS, "429", ANSWERS, PART, "answers with that status; 4xx and 5xx are a class of them")          \
    ROW(REFUSED, "refused", ANSWERS, PART, "answers that say not now: 403, 429 and 503")                    \
    ROW(NETWORK, "network", ANSWERS, PART, "tries that brought no answer: timeouts, lost connections, DNS") \
    ROW(RETRIED, "retried", ANSWERS, PART, "tries beyond a request's first")                                \
    ROW(FAILED, "failed", ENDED, PART, "requests that failed for good, of those that ended")                \
    ROW(RATE, "rate", ENDED, RATE, "requests that ended, a second")                                         \
    ROW(P50, "p50", LATENCY, TIME, "latency that half of the answers do not pass")                          \
    ROW(P95, "p95", LATENCY, TIME, "latency that 95 of 100 answers do not pass")                            \
    ROW(P99, "p99", LATENCY, TIME, "latency that 99 of 100 answers do not pass")                            \
    ROW(IN_FLIGHT, "in_flight", NOW, COUNT, "requests in flight")                                           \
    ROW(QUEUE, "queue", NOW, COUNT, "requests known and not begun")                                         \
    ROW(WAITING, "waiting", NOW, COUNT, "requests that wait for another try")                               \
    ROW(HELD, "held", NOW, COUNT, "hosts that are held")                                                    \
    ROW(CAP, "cap", NOW, COUNT, "the cap")                                                                  \
    ROW(DISK_FREE, "disk_free", NOW, SIZE, "free bytes where the run is kept")                              \
    ROW(RSS, "rss", NOW, SIZE, "memory of the process")                                                     \
    ROW(LOOP_LAG, "loop_lag", NOW, TIME, "99 of 100 turns of the loop come no later")                       \
    ROW(ETA, "eta", NOW, TIME, "time left, the later guess; not known at first")                            \
    ROW(IDLE, "idle", NOW, TIME, "time since the last answer, without pauses by hand")                      \
    ROW(PAUSED, "paused", NOW, TIME, "time since it was paused")                                            \
    ROW(ELAPSED, "elapsed", NOW, TIME, "time since this session began")                                     \
    ROW(DONE_TOTAL, "done_total", NOW, COUNT, "requests that went well, all sessions")                      \
    ROW(FAILED_TOTAL, "failed_total", NOW, COUNT, "requests that failed for good, all sessions")            \
    ROW(BYTES_TOTAL, "bytes_total", NOW, SIZE, "bytes received, this session")

/**
 * What can be done, one row each: ROW(NAME, name, word, what follows it, help).
 *
 * A new one is a row here, and a function act_NAME in engine/on_act.c.
 */
#define ON_VERBS(ROW)                                                                                       \
    ROW(CAP, cap, "cap", CAP, "set the cap, add to it, take from it, divide or multiply it; never below 1") \
    ROW(RATE, rate, "rate", RATE, "the most requests that may start: 10/s, 600/m, off")                     \
    ROW(AUTO, auto, "auto", NONE, "let the controller set the cap")                                         \
    ROW(PAUSE, pause, "pause", NONE, "start nothing more until somebody, or a rule, resumes")               \
    ROW(RESUME, resume, "resume", NONE, "go on after pause")                                                \
    ROW(DRAIN, drain, "drain", NONE, "start nothing more, let all in flight end; the run can be resumed")   \
    ROW(STOP, stop, "stop", NONE, "the same, as an error: exit status 4")                                   \
    ROW(NORMALISE, normalise, "normalise", NONE, "make the table of what there is")                         \
    ROW(RETRY, retry, "retry-failed", NONE, "ask again all that failed")                                    \
    ROW(SAY, say, "say", TEXT, "a line for the events, and a mark on the time axis")
/* clang-format on */

enum on_measure {
#define ON_MEASURE(NAME, ...) ON_##NAME,
    ON_MEASURES(ON_MEASURE)
#undef ON_MEASURE
        ON_MEASURE_COUNT,
};

enum on_verb {
#define ON_VERB(NAME, ...) ON_DO_##NAME,
    ON_VERBS(ON_VERB)
#undef ON_VERB
        ON_VERB_COUNT,
};

/** What follows a verb. */
enum on_argument {
    ON_TAKES_NONE,
    ON_TAKES_CAP,  /* "20", "+5", "-5", "/2", "*2" */
    ON_TAKES_RATE, /* "10/s", "off" */
    ON_TAKES_TEXT,
};

struct on_measure_row {
    const char *word, *help;
    enum on_kind kind;
    enum on_unit unit;
};

struct on_verb_row {
    const char *word, *help;
    enum on_argument argument;
};

extern const struct on_measure_row on_measures[ON_MEASURE_COUNT];
extern const struct on_verb_row on_verbs[ON_VERB_COUNT];

enum on_compare { ON_ABOVE, ON_AT_LEAST, ON_BELOW, ON_AT_MOST };

struct on_rule {
    char when[ON_TEXT_MAX], act[ON_TEXT_MAX]; /* as given, without blanks around */
    bool is_typed;                            /* by --on, whose rules a later --on replaces */

    enum on_measure measure;
    unsigned low, high; /* ON_STATUS: statuses */
    bool is_share;      /* ON_UNIT_PART: of all, not how many */
    enum on_compare compare;
    double limit;
    uint64_t over_us; /* what is counted: this long */
    uint64_t for_us;  /* 0: once is enough */

    enum on_verb verb;
    char operation; /* of the cap: '=', '+', '-', '/' or '*' */
    unsigned number;
    char argument[ON_TEXT_MAX]; /* of the other verbs, possibly empty */
};

struct on_rules {
    struct on_rule *list;
    size_t count;
};

/** Reads the two texts. `rule->is_typed` is false. */
MUST_CHECK enum result on_rule_parse(struct on_rule *rule, struct str when, struct str act,
                                     struct err *err);

/** Reads "WHEN: DO". */
MUST_CHECK enum result on_rule_parse_line(struct on_rule *rule, struct str line, struct err *err);

/** Both say the same, letter for letter. */
bool on_rule_is_same(const struct on_rule *a, const struct on_rule *b);

/** A value of the rule's measure, for people: "3.1 %", "12", "4.2/s", "1.2 s", "1.3 GB". */
void on_rule_format_value(const struct on_rule *rule, double value, char text[UNITS_TEXT_MAX]);

/** Adds a copy; one that is there is not added again. RESULT_LIMIT (E-ON2) when there are ON_RULES_MAX. */
MUST_CHECK enum result on_rules_add(struct on_rules *rules, const struct on_rule *rule,
                                    struct err *err);

/** Takes those out that --on gave. */
void on_rules_drop_typed(struct on_rules *rules);

void on_rules_release(struct on_rules *rules);

#endif
