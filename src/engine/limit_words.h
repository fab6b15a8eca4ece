/**
 * What keeps a run from going faster: as values, and the words for them.
 *
 * The engine fills a struct snapshot_limit (limit.c) and never writes a key or advice into it. The words
 * are made here, for people: for a screen with the hint that it knows (ui/hints.h), for progress lines
 * and events.jsonl without one.
 *
 * Units    microseconds. "in" counts forward from the snapshot.
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_ENGINE_LIMIT_WORDS_H
#define SCRAPETOP_ENGINE_LIMIT_WORDS_H

#include "base/units.h"
#include "plan/due.h"
#include "plan/failure.h"

#include <stdbool.h>
#include <stdint.h>

/** Exactly one at a time. */
enum run_limit {
    LIMIT_NONE,
    LIMIT_CAP,
    LIMIT_HOST_CAP,
    LIMIT_RATE,
    LIMIT_LEARNED, /* the rate that refusals taught */
    LIMIT_TROUBLE, /* what is left fails: few at once, spaced */
    LIMIT_BUDGET,
    LIMIT_HOLD,
    LIMIT_QUEUE_EMPTY,
    LIMIT_INPUT, /* the list comes in no faster */
    LIMIT_PAGINATION,
    LIMIT_DESCRIPTORS,
    LIMIT_LOOP_CPU,
    LIMIT_DISK,
    LIMIT_PAUSED,
    LIMIT_DRAINING,
    LIMIT_ALL_WAITING,
    LIMIT_ROUND, /* of polls: the next is not due */
    LIMIT_AUTH,  /* a login is asked: requests wait for its token */
    LIMIT_FLEET, /* of several workers on one job: it has no start, or no work */
    LIMIT_COUNT,
};

/** Who set it, or which of several things it is. */
enum limit_by {
    LIMIT_BY_NONE,
    LIMIT_BY_USER,          /* CAP, RATE, HOLD, PAUSED: by hand, or by an option */
    LIMIT_BY_CAP_0,         /* PAUSED */
    LIMIT_BY_AUTO,          /* CAP: the controller */
    LIMIT_BY_SWEEP,         /* CAP */
    LIMIT_BY_SAME_ANSWER,   /* CAP: all are refused alike, and asked one at a time */
    LIMIT_BY_PER_HOST,      /* HOST CAP, RATE: the option for each host */
    LIMIT_BY_SERVER,        /* HOST CAP: the host allows no more at once */
    LIMIT_BY_REFUSALS,      /* HOST CAP: the host refuses more at once */
    LIMIT_BY_SLOW_START,    /* HOST CAP: it was held, and is let in slowly */
    LIMIT_BY_FIRST_CONTACT, /* HOST CAP: hosts that have not answered yet */
    LIMIT_BY_BODIES,        /* LOOP CPU: large bodies are being checked */
    LIMIT_BY_STARTS,        /* LOOP CPU: it starts as fast as the loop turns */
    LIMIT_BY_LOAD,          /* LOOP CPU: its core is busy */
    LIMIT_BY_MEMORY,        /* DESCRIPTORS: there is no memory for a request */
    LIMIT_BY_FULL,          /* DISK: no space */
    LIMIT_BY_SLOW,          /* DISK: slower than the network */
    LIMIT_BY_OTHER,         /* DISK: another program holds the ledger */
};

#define LIMIT_HOST_MAX 64
#define LIMIT_REASON_MAX 64
#define LIMIT_FLIGHT_MAX 64
#define LIMIT_NEVER UINT64_MAX

struct snapshot_limit {
    enum run_limit kind;
    enum limit_by by;
    bool is_only_host; /* there is but one: it need not be named */
    char host
        [LIMIT_HOST_MAX]; /* HOST CAP, RATE by host, LEARNED, TROUBLE, BUDGET, HOLD, ALL WAITING: whose */
    struct due due;       /* HOLD, ALL WAITING: who set that it waits */
    char reason
        [LIMIT_REASON_MAX]; /* FLEET: why; HOLD by the breaker, ALL WAITING: why the first of those that wait
                                      failed, in words; bytes from outside */
    uint64_t in_us;    /* HOLD, ALL WAITING, ROUND, BUDGET: until it ends; LIMIT_NEVER */
    uint64_t every_us; /* ROUND */
    unsigned cap;      /* CAP, HOST CAP; DESCRIPTORS: files that may be open */
    struct rate rate;  /* RATE, LEARNED */
    double refused_at; /* LEARNED: the rate at which it refused, a second; due.status: how */
    bool quota_known;  /* BUDGET: */
    uint64_t quota_left, quota_limit; /* quota_limit 0: not told */
    double cpu_percent;               /* LOOP CPU: of the thread that is full */
    unsigned threads; /* LOOP CPU: so many could fetch more (--threads); 0: only other processes */
    /* HOST CAP, TROUBLE, QUEUE EMPTY, PAGINATION, DRAINING: the oldest in flight is so old; 0:
     * none is worth its name */
    uint64_t flight_us;
    char flight[LIMIT_FLIGHT_MAX]; /* "GET /posts/17", secrets masked, cut; bytes from outside */
    bool have_waiting;             /* requests wait that the user may have asked now */
};

/** The words for both would be the same, but for how long it takes and for a learned rate that has hardly
 *  changed: nothing new to tell. */
bool limit_is_same(const struct snapshot_limit *a, const struct snapshot_limit *b);

/** "CAP", "HOST CAP", ... the bare word; "" for none. */
const char *run_limit_word(enum run_limit limit);

/** "auto", "slow-start", ...: for machines; "" for none. */
const char *limit_by_word(enum limit_by by);

#define LIMIT_TEXT_MAX 128

/** "CAP 10 (+ raises it)": the words, and in brackets what is to be said of it and then `hint`, which may
 *  be NULL. Empty for LIMIT_NONE. */
void limit_words(const struct snapshot_limit *limit, const char *hint, char text[LIMIT_TEXT_MAX]);

#endif
