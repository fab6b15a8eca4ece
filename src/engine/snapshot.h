/**
 * Everything a screen may show, copied out of the engine: plain values, no pointers.
 *
 * The ui reads a `const struct snapshot *` and nothing else of a run, so a snapshot can be saved,
 * compared and drawn in a test. The engine fills it at the rate of the frames, never at the rate of
 * the requests. Texts are bytes from outside, cut to their field and terminated: the ui escapes them.
 *
 * Units  microseconds, bytes. "ago" and "age" count back from `now_us`, "in" counts forward.
 */
#ifndef SCRAPETOP_ENGINE_SNAPSHOT_H
#define SCRAPETOP_ENGINE_SNAPSHOT_H

#include "engine/limit_words.h"
#include "plan/due.h"
#include "plan/failure.h"
#include "plan/page_end.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_FLIGHTS_MAX 200
#define SNAPSHOT_WAITS_MAX 200
#define SNAPSHOT_HOSTS_MAX 32
#define SNAPSHOT_FAILURES_MAX 32
#define SNAPSHOT_FAILED_MAX 200 /* requests, the latest */
#define SNAPSHOT_EVENTS_MAX 100
#define SNAPSHOT_CORES_MAX 256
#define SNAPSHOT_SECONDS 300 /* of history, one entry a second */
#define SNAPSHOT_LATENCY_BARS 12
#define SNAPSHOT_RUNGS_MAX 16
#define SNAPSHOT_RULES_MAX 64       /* those with answers before those without */
#define SNAPSHOT_ON_MAX 32          /* rules by event, all that there may be */
#define SNAPSHOT_ENDPOINTS_MAX 256  /* all that a job may have */
#define SNAPSHOT_WORKERS_MAX 64     /* of a fleet, those heard last */
#define SNAPSHOT_ATTEMPTS_MAX 6     /* of the request that is looked at */
#define SNAPSHOT_HEADERS_BYTES 1024 /* of its answer */
#define SNAPSHOT_BODY_BYTES 4096

#define SNAPSHOT_HOST_TEXT 64
#define SNAPSHOT_TOKEN_TEXT 33
#define SNAPSHOT_REQUEST_TEXT 160
#define SNAPSHOT_KEY_TEXT 64
#define SNAPSHOT_REASON_TEXT 160
#define SNAPSHOT_SAID_TEXT 160
#define SNAPSHOT_EVENT_TEXT 200

/** The state word of the header; what is most important to know when several hold. */
enum run_state {
    RUN_STARTING,
    RUN_RUNNING,
    RUN_SWEEP, /* running, a ladder of caps being tried */
    RUN_PAUSED,
    RUN_DRAINING,
    RUN_ALL_WAITING, /* nothing in flight, nothing may start before `next_due_in_us` */
    RUN_HELD,        /* every host with work left is held */
    RUN_AUTH,        /* nothing in flight but a login, whose token the requests wait for */
    RUN_RESTING,     /* all of a round of polls has ended, the next is due in `next_due_in_us` */
    RUN_DISK_FULL,
    RUN_NETWORK_DOWN, /* nobody can be reached, and all that is left waits for that */
    RUN_NORMALISING,  /* all is fetched, tables are being written */
    RUN_DONE,         /* all settled; `failed` of them may have failed */
    RUN_INCOMPLETE,   /* all settled, but pages or records of listings are missing */
    RUN_FAILED,       /* all settled, and more failed than came; or storage failed */
    RUN_STOPPED,      /* ended before all was settled: resumable */
    RUN_STATE_COUNT
};

enum flight_state {
    FLIGHT_DNS,
    FLIGHT_CONNECT,
    FLIGHT_TLS,
    FLIGHT_WAIT, /* sent, nothing back yet */
    FLIGHT_RECEIVE,
};

struct snapshot_flight {
    uint64_t id;
    enum flight_state state;
    uint32_t attempt, attempts_max;
    uint64_t age_us;
    uint64_t body_bytes;
    uint64_t first_byte_us; /* 0: none yet */
    int status;             /* 0: none yet */
    char host[SNAPSHOT_HOST_TEXT];
    char request[SNAPSHOT_REQUEST_TEXT]; /* "GET /posts/17", secrets masked */
    char key[SNAPSHOT_KEY_TEXT];         /* what varies in it: "17" */
};

struct snapshot_wait {
    uint64_t id;
    /* 0: due, waiting for a slot or its host; UINT64_MAX: its host is held by hand */
    uint64_t due_in_us;
    uint32_t attempt, attempts_max;
    struct failure why;                /* its last try came to that */
    struct due due;                    /* who set the deadline */
    char reason[SNAPSHOT_REASON_TEXT]; /* the same as `why`, in words: "connection refused" */
    char host[SNAPSHOT_HOST_TEXT];     /* who set the deadline, else whom it asks */
    char request[SNAPSHOT_REQUEST_TEXT];
    char key[SNAPSHOT_KEY_TEXT];
    enum run_limit kept_by; /* due: what keeps it back now; else LIMIT_NONE */
};

struct snapshot_host {
    char host[SNAPSHOT_HOST_TEXT];
    unsigned cap; /* 0: none of its own */
    unsigned in_flight;
    uint64_t queued;              /* ready, kept back by the host */
    uint64_t requests, throttled; /* answers so far; of these refusals: 429, 503 with a time, ... */
    double requests_per_s;
    uint64_t hold_in_us;            /* 0: not held; UINT64_MAX: until the user releases it */
    struct due due;                 /* who holds it, and by what answer */
    char proxy[SNAPSHOT_HOST_TEXT]; /* of a pool; empty: there is none */
    char token
        [SNAPSHOT_TOKEN_TEXT]; /* the name of the one of several that it is asked with; or empty */
    int64_t quota_left, quota_limit; /* -1: not told */
    uint64_t quota_reset_in_us;
};

struct snapshot_failure {
    struct failure why;
    uint64_t count;
    uint64_t last_ago_us;
    char example[SNAPSHOT_REQUEST_TEXT];
    char said[SNAPSHOT_SAID_TEXT]; /* with it, by the server, in a line; may be empty */
    uint64_t example_id;
};

enum event_level {
    EVENT_INFO,
    EVENT_NOTICE, /* the user's own acts: cap changes, pause */
    EVENT_WARNING,
    EVENT_ERROR,
};

/** One request that failed for good. */
struct snapshot_failed {
    uint64_t id;
    struct failure why;
    bool before;     /* in an earlier session */
    uint64_t ago_us; /* if not */
    char request[SNAPSHOT_REQUEST_TEXT];
    char said[SNAPSHOT_SAID_TEXT]; /* by the server, in a line; may be empty */
};

struct snapshot_event {
    uint64_t serial; /* grows by one per event: tells what is new */
    /* how many alike this one stands for, the latest of which it is; at least 1 */
    uint32_t repeats;
    int64_t wall_us;
    enum event_level level;
    bool is_failure; /* of one request for good: there may be very many */
    char text[SNAPSHOT_EVENT_TEXT];
};

/** One second of the past. */
struct snapshot_second {
    uint32_t done, failed, throttled;
    uint64_t bytes;
    uint32_t cap, in_flight;
    uint32_t p95_ms;
    bool cap_changed;
    bool marked; /* the user put a note here */
};

struct snapshot_status_mix {
    uint64_t ok, redirect, client_error, throttled, server_error, network; /* answers */
};

enum normalise_state {
    NORMALISE_IDLE,
    NORMALISE_COLUMNS, /* a pass that only learns */
    NORMALISE_ROWS,    /* the pass that writes */
    NORMALISE_CANCELLING,
    NORMALISE_FAILED,
};

struct snapshot_normalise {
    enum normalise_state state;
    uint64_t records_done, records_total; /* of both passes together, if there are two */
    uint64_t rows, columns, skipped;      /* of the running or the last table */
    uint64_t elapsed_us;                  /* of the running or the last table */
    uint64_t new_records;                 /* committed since the last table began */
    unsigned workers_busy, workers;
    bool have_table;   /* a table was written in this session */
    char output[160];  /* its path */
    char message[160]; /* why the last one failed, or what was odd */
};

/** What one cap gave in this run. */
struct snapshot_rung {
    unsigned cap;
    uint64_t time_us; /* spent at it */
    uint64_t requests;
    double requests_per_s;
    double ideal_per_s; /* cap / mean latency: Little's law */
    uint64_t p50_us, p95_us;
    double throttled_part; /* of the answers, [0, 1] */
    char note[48];
};

struct snapshot_core {
    float busy_percent; /* of the last half second */
};

/** What one endpoint of the job has given. */
struct snapshot_endpoint {
    char name[64];
    uint64_t planned; /* requests known so far: pages and details are found on the way */
    uint64_t done, failed, waiting;
    double requests_per_s;
    uint64_t p50_us, p95_us;
    double throttled_part, server_error_part; /* of the answers, [0, 1] */
    uint64_t rows;                            /* 0: not told */
    bool pages_known;                         /* it is paginated, and the accounts add up so far: */
    uint64_t pages_expected, pages_got, pages_missing;
    bool pages_cut;    /* a listing was left before its end: more are missing than can be counted */
    uint64_t listings; /* begun; 0: not told yet, as the three after it */
    enum page_end pages_end;           /* why the listing ended; of several, the worst reason */
    uint64_t records, records_missing; /* that came; of the totals told, those that did not */
    char note[64];                     /* which pages are missing, or what was odd; in words */
};

/** What a rule for answers has met in this session, or what answers meant that no rule speaks of. */
struct snapshot_rule {
    uint64_t count;
    char name[64];  /* "rule 2", "products rule 1", "--answer 1", "not ready" */
    char action[8]; /* "empty" */
    char text[128]; /* the rule as it was given, cut; empty: without one */
};

/** A rule by event in this session. */
struct snapshot_on {
    uint32_t number;
    uint64_t fired;
    bool holds;     /* its comparison, when it was looked at last */
    bool is_added;  /* for this session, by somebody who watched */
    char value[48]; /* of its measure then, for people; empty: not known */
    char rule[200]; /* "429 > 2% for 60s: cap /2" */
};

enum worker_state {
    WORKER_AT_WORK,
    WORKER_ENDED, /* by itself */
    WORKER_GONE,  /* silent for longer than its lease */
};

/** One of those that work on a job together (docs/fleet.md). */
struct snapshot_worker {
    char name[65];
    char host[SNAPSHOT_HOST_TEXT];
    char run[256]; /* its directory there */
    enum worker_state state;
    uint64_t pid; /* 0: not told */
    uint64_t in_flight, ok, failed;
    uint64_t found; /* that it alone knows of, and has not done */
    double requests_per_s;
    uint64_t heard_ago_us;
};

enum detail_place {
    DETAIL_NONE,    /* no request is looked at */
    DETAIL_UNKNOWN, /* settled so long ago that nothing of it is remembered here, or not yet begun */
    DETAIL_IN_FLIGHT,
    DETAIL_WAITING,
    DETAIL_DONE,
    DETAIL_FAILED,
};

struct snapshot_attempt {
    uint32_t attempt;
    int status; /* 0: none came */
    int64_t ended_wall_us;
    uint64_t dns_us, connect_us, tls_us, first_byte_us, total_us; /* since its start; 0: not told */
    uint64_t wire_bytes;
    bool reused;
    char why[SNAPSHOT_REASON_TEXT]; /* why it was not well; else empty */
};

/** One request, looked at closely: what CONTROL_DETAIL asked for. Secrets are masked everywhere. */
struct snapshot_detail {
    uint64_t id;
    enum detail_place place;
    char request[SNAPSHOT_REQUEST_TEXT];
    char key[SNAPSHOT_KEY_TEXT];
    char host[SNAPSHOT_HOST_TEXT];
    char endpoint[64];
    char method[16];
    char url[512];
    char sent[SNAPSHOT_HEADERS_BYTES]; /* "Name: value\n" lines of the request */
    uint32_t attempt, attempts_max;
    uint64_t age_us, due_in_us; /* in flight; waiting, as in snapshot_wait */
    struct due due;             /* waiting: who set that deadline */
    size_t attempt_count;
    struct snapshot_attempt attempts[SNAPSHOT_ATTEMPTS_MAX]; /* oldest first, those remembered */
    char headers[SNAPSHOT_HEADERS_BYTES];                    /* of the last answer, as above */
    uint64_t body_bytes;                                     /* of its body */
    size_t body_shown;
    char body[SNAPSHOT_BODY_BYTES]; /* its head */
};

/** The credential that requests carry (engine/auth.h), never itself. */
struct snapshot_login {
    bool is_used;   /* the job has one; all else is 0 when not */
    bool is_called; /* a login call brings it; else it is given from the start */
    bool is_asking; /* the login call is in flight */
    bool has_token; /* one that may have expired by now */
    bool is_lost;   /* there will be none: it was refused */
    bool expiry_known;
    uint64_t expires_in_us;
    char prompt[160]; /* what somebody is to do so that there is one: a URL and a code; or empty */
    uint64_t asked_in_us; /* the call failed, and is tried again then; 0: it is not */
};

struct snapshot {
    /* identity */
    char name[80];
    char run_dir[160];
    uint32_t pid;
    /* screens of other terminals that look at it now; who makes a screen knows */
    uint32_t attached;
    uint64_t now_us; /* monotonic, of this snapshot */
    int64_t wall_us;
    uint64_t started_ago_us;

    /* state */
    bool is_fleet; /* the sums of many workers: there are no requests, hosts, cores, tables in it */
    bool is_replay; /* of a run of the past: there are no requests, hosts, cores, tables in it */
    unsigned replay_speed; /* times real time; 0: nobody plays it */
    bool replay_is_stopped, replay_is_at_end;
    enum run_state state;
    uint64_t draining; /* transfers that a drain, a pause or a lower cap still waits for */
    struct snapshot_limit limit; /* what keeps it from going faster */
    bool storage_trouble;
    char trouble[160];

    struct snapshot_login login;

    /* progress: requests settled of requests known; retries never count twice */
    bool total_known;
    uint64_t total, ok, failed, retried, waiting, queued, in_flight;
    uint64_t unchanged;             /* of `ok`: the last body again, when it is polled */
    uint64_t rounds, rounds_wanted; /* of polls, begun so far; 0: none, until stopped */
    uint64_t rounds_skipped;
    uint64_t storing;        /* complete, not yet durable */
    uint64_t next_due_in_us; /* of the waiting ones; UINT64_MAX: none */
    bool eta_known;
    uint64_t eta_low_us, eta_high_us;

    /* pace */
    unsigned cap, cap_max, cap_before; /* cap_before != cap while draining down to it */
    char rate_limit[48];               /* "10/s" or "off" */
    bool auto_on;
    unsigned sweep_step, sweep_steps; /* 0: no sweep is under way */
    double requests_per_s, requests_per_s_average;
    double bytes_per_s;
    uint64_t bytes;
    uint64_t p50_us, p90_us, p95_us, p99_us;
    uint64_t latency_low_us[SNAPSHOT_LATENCY_BARS]; /* lower edge of each bar */
    uint64_t latency_count[SNAPSHOT_LATENCY_BARS];
    struct snapshot_status_mix mix;
    struct snapshot_second seconds[SNAPSHOT_SECONDS]; /* [0] is the latest whole second */
    size_t second_count;

    /* the machine */
    size_t core_count;
    struct snapshot_core cores[SNAPSHOT_CORES_MAX];
    double loop_cpu_percent;
    unsigned fetch_threads;   /* 0: the loop's fetches */
    double fetch_cpu_percent; /* of the busiest of them */
    double cpu_s;             /* process CPU time so far */
    double io_ratio;          /* 1 - cpu/wall, of the loop thread's share */
    uint64_t loop_lag_p99_us;
    uint64_t rss_bytes;
    unsigned descriptors, descriptors_max;
    uint64_t disk_free_bytes;
    double reuse_ratio; /* requests on kept connections */

    /* lists: the first `_count` of the `_total` there are */
    size_t flight_count;
    struct snapshot_flight flights[SNAPSHOT_FLIGHTS_MAX]; /* oldest first */
    size_t wait_count;
    struct snapshot_wait waits[SNAPSHOT_WAITS_MAX]; /* next due first */
    struct {
        uint32_t throttled, server, network, other;
    } wait_mix; /* of all waiting */
    size_t host_count;
    struct snapshot_host hosts[SNAPSHOT_HOSTS_MAX]; /* busiest first */
    size_t failure_count;
    struct snapshot_failure failures[SNAPSHOT_FAILURES_MAX]; /* most frequent first */
    size_t failed_one_count;
    struct snapshot_failed failed_ones[SNAPSHOT_FAILED_MAX]; /* latest first */
    size_t event_count;
    struct snapshot_event events[SNAPSHOT_EVENTS_MAX]; /* latest first */

    struct snapshot_normalise normalise;
    struct snapshot_detail detail;

    size_t rule_count; /* 0: there are none, and all answers mean what their status says */
    struct snapshot_rule rules[SNAPSHOT_RULES_MAX];

    size_t on_count;
    struct snapshot_on ons[SNAPSHOT_ON_MAX];

    size_t rung_count; /* 0: nobody keeps a ladder */
    struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX];
    size_t endpoint_count; /* 0: there is but one, without pages */
    struct snapshot_endpoint endpoints[SNAPSHOT_ENDPOINTS_MAX];
    size_t worker_count;
    struct snapshot_worker workers[SNAPSHOT_WORKERS_MAX]; /* heard last first */
};

/** "RUN", "PAUSED", ... as the header shows it. */
const char *run_state_word(enum run_state state);

/** Nothing more will be fetched unless somebody asks for it. */
bool run_state_has_ended(enum run_state state);

/** Of some endpoint, be they counted or not. */
bool snapshot_pages_are_missing(const struct snapshot *s);
const char *flight_state_word(enum flight_state state);
const char *worker_state_word(enum worker_state state);

/** "info", "warning", ... as files and the socket have it. */
const char *event_level_word(enum event_level level);

/** It waits for a deadline that is a server's word, not our own backoff. */
bool snapshot_wait_is_named(const struct snapshot_wait *wait);

/** Who keeps it waiting: "Retry-After: 30", "backoff 2.7 s of 0-4 s"; of one whose time has come the limit's
 *  word, "LEARNED RATE". */
void snapshot_wait_set_by(const struct snapshot_wait *wait, char text[DUE_TEXT_MAX]);

/** All that a filter of waiting requests looks at (base/text_filter.h). */
void snapshot_wait_text(const struct snapshot_wait *wait, char *text, size_t size);

#endif
