/**
 * The report of a run: the one line at its end, and the JSON object of --json.
 *
 * It outlives the engine, of which it holds nothing.
 *
 * Ownership  report_release frees the endpoints.
 */
#ifndef SCRAPETOP_ENGINE_REPORT_H
#define SCRAPETOP_ENGINE_REPORT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/exit_code.h"
#include "engine/metrics.h"
#include "engine/since.h"
#include "engine/snapshot.h"
#include "plan/answer_usual.h"
#include "plan/failure.h"
#include "plan/rulebook.h"
#include "store/page_account.h"

#include <stdbool.h>
#include <stdint.h>

#define REPORT_FAILURES_MAX 16
#define REPORT_TABLES_MAX 8
#define REPORT_RETRIES_MAX 12
#define REPORT_LATENCY_EDGES 13

/** 5 ms to 60 s: what latencies are counted by for other programs. */
extern const uint64_t report_latency_edges_us[REPORT_LATENCY_EDGES];

struct report_table {
    const char *format; /* "csv": a constant */
    char path[512];
};

struct report_failure {
    struct failure why;
    uint64_t count;
    char example[160];
    char said[SNAPSHOT_SAID_TEXT]; /* by the server with the example, in a line; may be empty */
};

/** Further tries of this session, by what the try before came to. */
struct report_retry {
    struct failure why;
    uint64_t count;
};

/** Answers that a rule has met in this session. */
struct report_rule {
    char name[RULEBOOK_NAME_MAX];
    char *text; /* as it was given; owned */
    enum answer_do action;
    uint64_t count;
};

/** A rule by event in this session. */
struct report_on {
    unsigned number;
    uint64_t fired;
    char rule[200]; /* "429 > 2% for 60s: cap /2" */
};

struct report_endpoint {
    char name[64];
    uint64_t requests, ok, failed; /* all sessions */
    uint64_t rows;                 /* of its last table */
    bool is_kept;                  /* its bodies have no rows, and there is no table of it */
    bool is_paged;
    struct page_account pages; /* zeroed unless it is, save for the notes */
    bool has_since;
    struct since_count since; /* in this session */
};

struct report {
    enum exit_code exit;
    uint64_t total, ok, failed, pending; /* requests of the plan, all sessions */
    uint64_t unchanged;              /* of the ok ones: the last body again, when it is polled */
    bool has_earlier;                /* rounds were before this one, whose figures these are: */
    uint64_t all_ok, all_unchanged;  /* of all rounds */
    uint64_t rounds, rounds_skipped; /* of polls; 0: it asks once */
    uint64_t session_ok, session_failed; /* of this session */
    uint64_t session_attempts, session_retried, session_resent, session_bytes;
    uint64_t session_refused_streams;
    uint64_t session_split; /* too much for the server, and asked for in parts */
    /* this session's, the most frequent first; count 0: no more */
    struct report_retry retries[REPORT_RETRIES_MAX];
    uint64_t retried, attempts, reused,
        bytes;       /* all sessions, as are those down to `status` but for times */
    uint64_t resent; /* at once, as a kept connection had broken: no further try */
    uint64_t rows;
    uint64_t logins; /* calls that brought a token */
    double wall_s, cpu_s, io_ratio, requests_per_s;
    double ideal_s; /* had each cap that it had always been full: Little's law */
    /* of wall_s, 100 at most; both 0 when unknown, with few requests, or when something else
     * bound */
    double ideal_percent;
    uint64_t p50_us, p95_us, p99_us, mean_us;
    uint64_t latency_within[REPORT_LATENCY_EDGES]; /* answers not slower than each edge */
    uint64_t latency_count, latency_sum_us;
    uint64_t status[METRICS_STATUS_MAX];
    uint64_t session_429;
    unsigned cap, cap_max, max_in_flight;
    /* sent before a deadline that a server had named: by the user's word only */
    uint64_t early_requests;
    uint64_t holds, hosts_held; /* hosts_held: how many different ones */
    double asked_s,
        backed_off_s; /* held because servers said until when; because they only refused */
    double limited_s[LIMIT_COUNT];
    double silent_s;     /* of LIMIT_HOLD and LIMIT_ALL_WAITING: for hosts that do not answer */
    unsigned peak_per_s; /* most requests started within a second */
    double loop_cpu_s, loop_cpu_percent, loop_lag_p99_ms;
    unsigned threads;  /* that fetch; 1: the loop's own */
    double table_part; /* [0, 1] of the time so far */
    size_t rung_count;
    struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX];
    char verdict[160]; /* what bounded the run, in words */
    size_t failure_count;
    struct report_failure failures[REPORT_FAILURES_MAX];
    size_t endpoint_count;             /* 0 when there was no memory for them */
    struct report_endpoint *endpoints; /* owned */
    bool pages_are_missing;            /* of some endpoint */
    char run_dir[256];
    struct report_table tables[REPORT_TABLES_MAX]; /* one of each format that was written */
    size_t table_count;
    /* of the ok ones, those that the table has; of another session's it is not known */
    uint64_t made_of;
    char stopped_by[160];            /* why it ended before its end, or empty */
    char stopped_code[ERR_CODE_MAX]; /* the error code of that, or empty */
    bool stopped_in_error;           /* by what answers said, though it can be resumed */
    bool stopped_as_wanted;          /* by who watched it, or a sweep that knew enough */
    bool list_is_cut;                /* the run ended before the list that came in did */
    uint64_t found_here;             /* in a fleet: found, and not published by now */
    bool store_is_gone;              /* somebody took it away: there is nothing to resume */
    size_t rule_count;               /* 0 when there was no memory for them */
    struct report_rule *rules;       /* owned; those that met no answer, too */
    size_t on_count;
    struct report_on on[SNAPSHOT_ON_MAX];
    uint64_t meant[ANSWER_USUAL_COUNT]; /* answers that no rule speaks of, by what they mean */
};

void report_release(struct report *report);

/** Of the first file of that format that was written, or "". */
const char *report_table_path(const struct report *report, const char *format);

/** The store failed after the report was made (engine_close): the run ends with that. */
void report_fail(struct report *report, const struct err *trouble);

/** "998/1000 ok, 2 failed, 13 retried in 7.0s (142 req/s, 94 % of the ideal for cap 50)". */
MUST_CHECK enum result report_line(const struct report *report, struct buf *out);

/** A line that tells what was asked again, and after what: "tried again: 37 after a lost connection". Empty when
 *  nothing was. */
MUST_CHECK enum result report_retries(const struct report *report, struct buf *out);

/** A line for every endpoint whose pages do not add up: "products: 97 of 100 pages: missing page=3". May
 *  hold bytes from outside. */
MUST_CHECK enum result report_pages(const struct report *report, struct buf *out);

/** A line for every rule that has met answers: "12 answers met rule 1: status=404 do=empty"; one for those that
 *  have met none; and for what answers meant without one. May hold bytes from outside. */
MUST_CHECK enum result report_rules(const struct report *report, struct buf *out);

/** A line for every rule by event that has fired: "on-rule 1 fired 2 times: 429 > 2%: cap /2". */
MUST_CHECK enum result report_on(const struct report *report, struct buf *out);

/** "at most 24 in flight, 41/s at peak; 3 429s, 0 requests before a named deadline, ...". */
MUST_CHECK enum result report_politeness(const struct report *report, struct buf *out);

/** The object of --json, with a line feed. */
MUST_CHECK enum result report_json(const struct report *report, struct buf *out);

#endif
