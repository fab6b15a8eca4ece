/**
 * Hosts: what is known of each origin that is asked, and whether it may be asked now.
 *
 *   host    the origin: whether a server answers there at all, what the user says of it, its rate and cap. Of twins
 *           (plan/twin.h) the first has what is the origin's; each has what its token is told
 *   bucket  what one limiter of it counts: holds, quota, the rate that refusals taught (plan/bucket.h)
 *   lane    the requests of one endpoint to it, and whether they fare well (plan/lane.h)
 *
 * A host is down only when nobody answers: no connection, no name, no certificate that holds, no answer in
 * time. A status is an answer, and concerns a URL, a lane or a bucket.
 *
 *   up --nobody answers, in a row--> down: one probe at a time, ever further apart --an answer--> up, slowly
 *
 * As many as were in flight together fail together, so a row is longer than HOST_DOWN_FAILURES when more
 * than that were. A host of few requests is not spared: they use up their tries, each with its own wait.
 *
 * Pure: told the time and given the random bits. Entries without requests, hold or memory of one are
 * reused once HOST_TABLE_IDLE_MAX are idle, so that a list of a million hosts stays small.
 *
 * Ownership  the table owns its hosts; an index is valid while a request refers to it (host_ref), and so
 *            are the indices of its lanes.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_PLAN_HOST_H
#define SCRAPETOP_PLAN_HOST_H

#include "base/err.h"
#include "base/url.h"
#include "job/job_network.h"
#include "plan/ban.h"
#include "plan/bucket.h"
#include "plan/lane.h"
#include "plan/pacer.h"
#include "plan/request.h"
#include "plan/same_answer.h"

#include <stdbool.h>

#define HOST_TABLE_IDLE_MAX 1024
#define HOST_DOWN_FAILURES 5
#define HOST_DOWN_MIN_US UINT64_C(500000)              /* before the first probe */
#define HOST_DOWN_MAX_US (UINT64_C(30) * 1000000)      /* between two */
#define HOST_DOWN_PATIENCE_US (UINT64_C(30) * 1000000) /* with one that never answered */
#define HOST_LOST_PATIENCE_US (UINT64_C(60) * 1000000) /* with one that alone fell silent */
#define HOST_LOST_AFTER_US (UINT64_C(2) * 1000000)     /* others answered so long after that */
#define HOST_FIRST_CONTACTS_MAX 32 /* unknown hosts asked at once: each costs a resolver thread */
#define HOST_LANES_MAX 64
/* of them, told apart by their paths; what comes later shares its endpoint's */
#define HOST_SEGMENTS_MAX 24
#define HOST_BUCKETS_MAX 16
#define HOST_WHY_MAX 96
#define HOST_GENTLE_WINDOW 2            /* of a host that is asked for the first time ... */
#define HOST_GENTLE_US UINT64_C(100000) /* ... for so long, where that is wanted */

struct host {
    char origin[URL_ORIGIN_MAX]; /* url_origin_key's; empty: a free entry */
    struct str label;            /* "host:port" or "host" within origin, for people */
    uint32_t index;              /* of this entry, set for twins */
    uint32_t twin;               /* plan/twin.h: its number, from 1; 0: it has no twins */
    char *own_label;             /* of a twin: what `label` is of; owned */
    struct host *first;   /* the first of its twins (host_origin); NULL: itself, or it has none */
    bool is_aside;        /* its token is refused: it is asked nothing more */
    uint32_t refs;        /* requests that name this index */
    uint32_t next_free;   /* of a free entry: index + 1 of another, 0 is the last */
    bool contacted;       /* has answered once, so its name resolves */
    bool is_unresponsive; /* plan/unresponsive.h */

    unsigned in_flight;
    unsigned origin_in_flight; /* with all of its tokens */
    unsigned window;           /* slow start: in flight at most; 0: open */
    uint64_t window_us;        /* as of then: it grows by time too */
    uint64_t gentle_us;        /* answers do not widen it before */
    bool hold_is_user;         /* until released */
    bool is_stopped;   /* so is it, for it refuses all: not by the user, but theirs to release */
    bool awaits_login; /* nothing is asked of it before there is a token (engine/auth.h) */
    bool was_held;     /* by what it answered, once or more */
    bool told_bad_deadline; /* that it names deadlines which nobody can read */

    /* From here to `silent_why`, the ban, `same` and the pacer: of the origin. */
    uint64_t down_until_us; /* nobody answers: no probe before; 0: it is up */
    struct due down_due;
    unsigned silent_in_row;   /* attempts that nobody answered */
    uint64_t silent_since_us; /* the first of the row */
    enum job_http http;       /* asked with, whatever the job says; JOB_HTTP_AUTO: as it says */
    bool is_http_sure;        /* somebody answered, or another version was tried in vain */
    bool is_http_noted;       /* `http` was found before: it is not lost when nobody answers */
    unsigned http_tries;      /* in vain, with that */
    bool is_hopeless;         /* the last of them for a reason that seldom passes */
    bool was_reached;         /* somebody answered at its address once, if only to refuse */
    bool is_dead;             /* nobody answers there, and nobody waits for that any longer */
    unsigned unreached_in_row;
    unsigned probes;               /* in a row that failed while it was down */
    enum outcome silence;          /* how the last attempt ended that nobody answered ... */
    char silent_why[HOST_WHY_MAX]; /* ... and why, for people; bytes from outside */
    uint64_t well_us;              /* the last answer that was well; 0: none was */
    uint64_t answered_us;          /* the last answer of any kind */

    struct ban ban;          /* it refuses everything with 403 */
    struct same_answer same; /* it refuses everything alike */
    struct pacer pacer;      /* its own rate */
    struct bucket bucket;    /* of what names no resource */
    struct bucket *others;   /* of those that do; bucket index - 1 */
    uint16_t other_count;
    struct lane *lanes;
    uint16_t lane_count, lane_turn, segment_count;
    uint64_t ready_count;               /* in all lanes */
    struct host *ring_next, *ring_prev; /* the frontier's ring of hosts with ready requests */

    uint64_t requests, throttled; /* answers, and refusals among them */
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
    bool is_gentle;      /* few at once at first: what a small bucket then refuses is few, too */
    struct host **twins; /* plan/twin.h */
    uint32_t twin_count, twin_turn;
    bool twins_are_told; /* which of them an earlier session held is known */
    uint64_t work_left;  /* requests that are not settled: a quota above it need not be spread */
    uint32_t first_contacts; /* hosts not yet contacted with a request in flight */
    /* plan/unresponsive.h */
    uint32_t unresponsive_hosts, unresponsive_in_flight; /* so many, and requests at them */
    uint32_t unresponsive_max;                           /* 0: as many as there are places */
};

void host_table_init(struct host_table *table, unsigned cap_per_host, struct rate rate_per_host);

/** Frees the hosts; the requests in their queues must have been taken out. */
void host_table_release(struct host_table *table);

/** The entry of a URL's origin, made when there is none. */
MUST_CHECK enum result host_find(struct host_table *table, const struct url *url, uint32_t *index,
                                 struct err *err);
struct host *host_at(const struct host_table *table, uint32_t index);

/** Where the facts of its origin are: itself, or the first of its twins. */
static inline struct host *host_origin(const struct host *host)
{
    return host->first ? host->first : (struct host *)(uintptr_t)host;
}

/** A request begins or ends to name the entry. */
void host_ref(struct host_table *table, uint32_t index);
void host_unref(struct host_table *table, uint32_t index);

/** The lane of an endpoint's requests to this URL, made when there is none. RESULT_NOMEM only for the
 *  first of a host. */
MUST_CHECK enum result host_lane(struct host *host, uint32_t endpoint, const struct url *url,
                                 uint16_t *lane);

/** The lane of the same requests as one of another host. */
MUST_CHECK enum result host_lane_as(struct host *host, const struct lane *other, uint16_t *lane);

/** A further entry for the origin of one, which is found by no URL. NULL when out of memory. */
struct host *host_add_twin(struct host_table *table, uint32_t of);

/** The bucket that a request's lane is counted by. */
struct bucket *host_bucket(const struct host *host, const struct request *request);

/** The host's own for 0, else the one of that resource. */
struct bucket *host_bucket_at(const struct host *host, uint16_t index);

/** The bucket that most of its ready requests are counted by, or the last of them were. */
struct bucket *host_busiest_bucket(const struct host *host);

/** A 503 without a deadline came for the request: is it a refusal? See bucket_suspects. */
bool host_suspects(struct host *host, const struct request *request, uint64_t now_us);

/** So many of the bucket that the request is counted by now began after its last try, as far as is known: those
 *  that were in flight when its lane came to that bucket count as newer, until they end. */
uint64_t host_newer_than(const struct host *host, const struct request *request);

/** An answer names the resource that its request was counted against: the lane's bucket from now on. */
void host_names_resource(struct host *host, const struct request *request, struct str name);

enum host_answer {
    HOST_MAY,
    HOST_HELD,
    HOST_LOGIN, /* not before there is a token */
    HOST_FULL,
    HOST_QUOTA,   /* not yet, so that its quota lasts */
    HOST_LEARNED, /* not yet, at the rate that its refusals taught */
    HOST_TROUBLE, /* not yet: its lane is in trouble */
    HOST_PACED,   /* not yet, for its rate */
};

/** May a request of this lane start now? `host` changes only in what it has learned by time. */
enum host_answer host_may_start(const struct host_table *table, struct host *host, uint16_t lane,
                                uint64_t now_us);

/** A ready request that may start now, lanes in turn. NULL when there is none: `*why` says what keeps
 *  the one back that comes first of itself; HOST_MAY when the host has no ready request. */
struct request *host_next(const struct host_table *table, struct host *host, uint64_t now_us,
                          enum host_answer *why);

/** What keeps its ready requests back, as host_next says it; HOST_MAY when nothing does. */
enum host_answer host_why(const struct host_table *table, struct host *host, uint64_t now_us);

/** The bucket of those ready requests that are kept back for this reason, of several that with the most; NULL
 *  when it is not a bucket that keeps them back so. */
struct bucket *host_bucket_why(const struct host_table *table, struct host *host,
                               enum host_answer why, uint64_t now_us);

/** In flight at most by what is set for each host and by its slow start; 0: no limit. What is set counts all of its
 *  origin's. */
unsigned host_own_cap(const struct host_table *table, const struct host *host, uint64_t now_us);

/** The user sets another pace: what refusals taught is forgotten. */
void host_table_forget_learned(struct host_table *table);

/** It is asked from another address: what it told of its quota, and what refusals taught, is not of that. */
void host_forget_told(struct host *host);

/** Its lanes would have a first try go before the retries that are ready. */
bool host_wants_fresh(const struct host *host);

struct host_wake {
    uint64_t at_us; /* TIME_NEVER: time alone changes nothing */
    bool is_named;  /* the server's word */
};

/** When time alone will let one of its ready requests start, if none may now. */
struct host_wake host_wake(const struct host_table *table, struct host *host, uint64_t now_us);

/** Likewise, for those that are ready at another host, the first of its twins. */
struct host_wake host_wake_of(const struct host_table *table, struct host *host, struct host *queue,
                              uint64_t now_us);

/** In flight at most, by the job, the host's own word and the slow start; 0: no limit. */
unsigned host_cap(const struct host_table *table, const struct host *host, uint64_t now_us);

/** Notes in the request which of its bucket's starts it is, and how many are in flight there. */
void host_started(struct host_table *table, struct host *host, struct request *request);

/** How an attempt ended, as far as its host is concerned. */
enum host_end {
    HOST_END_WELL,     /* an answer */
    HOST_END_REFUSED,  /* one that says: not now */
    HOST_END_BROKEN,   /* one that the server failed at: 5xx, a body that ends too soon */
    HOST_END_SILENT,   /* nobody answered: connect, timeout */
    HOST_END_HOPELESS, /* likewise, for a reason that seldom passes: dns, tls */
    HOST_END_OURS,     /* cancelled, or our own shortage */
};

/** What became of it: events that are worth telling. */
enum host_news {
    HOST_NEWS_NONE,
    HOST_NEWS_DOWN,    /* nobody answers: it is held for a probe */
    HOST_NEWS_UP,      /* it was down, and answers */
    HOST_NEWS_TROUBLE, /* its lane got into trouble */
};

/** Tells of the attempt's end; to be told before bucket_refused. */
enum host_news host_ended(struct host_table *table, struct host *host,
                          const struct request *request, enum host_end end, uint64_t now_us);

/** The attempt, as its bucket's learned limit wants to be told of it. */
struct learned_answer host_answer_of(const struct request *request, uint64_t now_us);

/** Something of it went well after that moment. */
bool host_is_well_since(const struct host *host, uint64_t since_us);

/** What the request's lane was asked last for the first time went well: a failure is its URL's own. */
bool host_is_well_for(const struct host *host, const struct request *request);

/** A host, or all twins of its origin: one at a time at first. */
void host_begin_slowly(const struct host_table *table, struct host *host, uint64_t now_us);

/** All hosts are let in slowly, as after a hold: the run was paused, and goes on. */
void host_table_ease(struct host_table *table, uint64_t now_us);

/** The queue of ready requests of the request's lane. */
void host_push(struct host *host, struct request *request, enum lane_place place);

/** Any of the ready requests, whatever holds them; NULL: there is none. */
struct request *host_pop(struct host *host);
struct request *host_take(struct host *host, uint64_t id); /* NULL when it is not there */

#endif
