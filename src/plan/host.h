/**
 * Hosts: what is known of each origin that is asked, and whether it may be asked now.
 *
 * The state belongs to the queue, not to a request: a 429 stops the whole host, because its
 * neighbours would only collect more of them. A hold ends at a deadline that the server named or,
 * when it named none, after a time that grows with each further 429 and is forgiven after a quiet
 * while. After a hold the host is let in slowly: half of what was in flight when the server had named
 * the time, one request when it had not, then one more for each that went well.
 *
 *   open --429, 503 + Retry-After--> held --deadline--> slow start --successes--> open
 *     `----failures in a row---------^  ^-- the one probe failed ---´
 *
 * Failures in a row (no connection, timeouts, 5xx) are what a breaker is for: the host is held for a
 * while, then asked once, and let in slowly when that went well. As many as were in flight together
 * fail together, so a row is longer than HOST_BREAKER_FAILURES when more than that were.
 *
 * A host may also be open and yet not to be asked at once: its rate, the quota that its answers tell
 * (plan/allowance.h) and the budget of retries (plan/retry_budget.h) space the starts.
 *
 * Pure: told the time and given the random bits. Entries without requests, hold or memory of one are
 * reused once HOST_TABLE_IDLE_MAX are idle, so that a list of a million hosts stays small.
 *
 * Ownership  the table owns its hosts; an index is valid while a request refers to it (host_ref).
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_PLAN_HOST_H
#define SCRAPETOP_PLAN_HOST_H

#include "base/err.h"
#include "base/url.h"
#include "plan/allowance.h"
#include "plan/pacer.h"
#include "plan/request.h"
#include "plan/retry_budget.h"

#include <stdbool.h>

#define HOST_TABLE_IDLE_MAX 1024
#define HOST_HOLD_GROWTH_MAX_US (UINT64_C(60) * 1000000) /* ceiling of a hold without a deadline */
#define HOST_HOLD_GROWTH_MIN_US UINT64_C(100000)         /* a backoff of 0 is no leave to hammer */
#define HOST_FORGIVE_US (UINT64_C(60) * 1000000)         /* a quiet while */
#define HOST_BREAKER_FAILURES 5
#define HOST_BREAKER_US (UINT64_C(30) * 1000000)
#define HOST_FORGIVE_SUCCESSES 5
#define HOST_FIRST_CONTACTS_MAX 32 /* unknown hosts asked at once: each costs a resolver thread */

struct request_queue {
    struct request *first, *last;
};

struct host {
    char origin[URL_ORIGIN_MAX]; /* url_origin_key's; empty: a free entry */
    struct str label;            /* "host:port" or "host" within origin, for people */
    uint32_t refs;               /* requests that name this index */
    uint32_t next_free;          /* of a free entry: index + 1 of another, 0 is the last */
    bool contacted;              /* has answered once, so its name resolves */

    unsigned in_flight;
    unsigned window;         /* slow start: in flight at most; 0: open */
    uint64_t hold_until_us;  /* 0: not held */
    bool hold_is_named;      /* by the server, so never cut short by us */
    bool hold_is_user;       /* until released */
    bool awaits_login;       /* nothing is asked of it before there is a token (engine/auth.h) */
    bool was_held;           /* by what it answered, once or more */
    bool told_bad_deadline;  /* that it names deadlines which nobody can read */
    struct due hold_due;     /* who holds it, and by what answer */
    unsigned throttle_level; /* of growing holds */
    uint64_t last_throttle_us;
    unsigned failures_in_row;
    uint64_t failing_since_us; /* the first of the row */
    unsigned openings;         /* of the breaker, in a row */
    bool has_succeeded;
    uint32_t successes; /* since the last hold began */
    bool was_reached;   /* somebody answered at its address once, if only to refuse */
    unsigned unreached_in_row;

    struct pacer pacer;         /* its own rate */
    struct allowance allowance; /* what it says of its quota */
    struct retry_budget budget;
    uint64_t starts; /* requests started so far */

    struct request_queue tried, fresh;  /* may start as soon as the host may be asked */
    uint64_t ready_count;               /* in both */
    struct host *ring_next, *ring_prev; /* the frontier's ring of hosts with ready requests */

    uint64_t requests, throttled; /* answers, and 429s among them */
};

struct host_table {
    struct host **hosts;
    uint32_t count, allocated;
    uint32_t idle;       /* entries in use that no request names */
    uint32_t forget_at;  /* so many idle ones, and those without a memory are emptied */
    uint32_t first_free; /* index + 1, 0 is none */
    uint64_t now_us;     /* the latest time it was told */
    uint32_t *slots;     /* open addressing: index + 1, 0 is empty */
    uint32_t slot_count;
    unsigned cap_per_host; /* 0: none */
    struct rate rate_per_host;
    uint64_t work_left; /* requests that are not settled: a quota above it need not be spread */
    uint32_t first_contacts; /* hosts not yet contacted with a request in flight */
};

void host_table_init(struct host_table *table, unsigned cap_per_host, struct rate rate_per_host);

/** Frees the hosts; the requests in their queues must have been taken out. */
void host_table_release(struct host_table *table);

/** The entry of a URL's origin, made when there is none. */
MUST_CHECK enum result host_find(struct host_table *table, const struct url *url, uint32_t *index,
                                 struct err *err);
struct host *host_at(const struct host_table *table, uint32_t index);

/** A request begins or ends to name the entry. */
void host_ref(struct host_table *table, uint32_t index);
void host_unref(struct host_table *table, uint32_t index);

enum host_answer {
    HOST_MAY,
    HOST_HELD,
    HOST_LOGIN, /* not before there is a token */
    HOST_FULL,
    HOST_QUOTA, /* not yet, so that its quota lasts */
    HOST_PACED, /* not yet, for its rate or the budget of retries */
};

/** May one more request to it start now? */
enum host_answer host_may_start(const struct host_table *table, const struct host *host,
                                uint64_t now_us);

/** When time alone will make it HOST_MAY, if it is not that now; TIME_NEVER when time will not. */
uint64_t host_wake_us(const struct host_table *table, const struct host *host, uint64_t now_us);

/** That is the server's word, not ours. */
bool host_wake_is_named(const struct host_table *table, const struct host *host, uint64_t now_us);

/** In flight at most, by the job, the host's own word and the slow start; 0: no limit. */
unsigned host_cap(const struct host_table *table, const struct host *host);

/** Notes in the request which of the host's starts it is. */
void host_started(struct host_table *table, struct host *host, struct request *request);

/** An attempt ended. `success`: an answer that was no refusal. */
void host_ended(struct host_table *table, struct host *host, bool success, uint64_t now_us);

/** Whether anybody answered at its address, this time. */
void host_note_reached(struct host *host, bool reached);

/** Holds until `until_us`, which the server named; `due` tells how. A longer hold that stands already stays. Returns
 *  true when this is news. */
bool host_hold_named(struct host *host, uint64_t until_us, uint64_t now_us, const struct due *due);

/** A 429 without a deadline: holds for a growing time, base_us at first. Those that were in flight
 *  when the hold began do not make it grow. Returns true when this is news. */
bool host_hold_growing(struct host *host, uint64_t base_us, uint64_t random, uint64_t now_us,
                       const struct due *due);

/** Somebody slows down by what the refusals tell: as long as the host accepts something between two of
 *  them, holds need not grow on top of that. */
void host_forgive(struct host *host);

/** An attempt failed in a way that may mean that the host is down: opens the breaker for `length_us`
 *  when that was one too many. Returns true when it did. */
bool host_note_failure(struct host *host, uint64_t length_us, uint64_t now_us);

/** The breaker's probe has failed too, and either nothing ever went well here or it has been so for
 *  `patience_us`: nobody need wait for it. */
bool host_is_given_up(const struct host *host, uint64_t patience_us, uint64_t now_us);

/** All hosts are let in slowly, as after a hold: the run was paused, and goes on. */
void host_table_ease(struct host_table *table);

/** By the user: until released. */
void host_hold_user(struct host *host, bool hold, uint64_t now_us);

/** TIME_NEVER for a user's hold, 0 when open. */
uint64_t host_hold_deadline(const struct host *host);

enum host_place {
    HOST_PLACE_NEXT,  /* before all others */
    HOST_PLACE_TRIED, /* behind those that were tried before, ahead of new ones */
    HOST_PLACE_LAST,
};

/** The queue of ready requests. */
void host_push(struct host *host, struct request *request, enum host_place place);

/** What was tried before comes first, unless the budget of retries keeps it back. NULL when empty. */
struct request *host_pop(struct host *host, uint64_t now_us);
struct request *host_take(struct host *host, uint64_t id); /* NULL when it is not there */

#endif
