/**
 * A turn: what a worker tells the fleet and asks of it, in one call (turn.lua), and what comes back.
 *
 * Requests of the plan are numbered as everywhere, from 1; the scripts count from 0, which is nobody else's business.
 *
 * Ownership  a tell's arrays are the caller's; news own what they hold until fleet_news_release.
 * Errors     fleet_news_read: RESULT_CORRUPT for a reply that is none of ours.
 * Threads    any, one at a time.
 */
#ifndef SCRAPETOP_FLEET_TURN_H
#define SCRAPETOP_FLEET_TURN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLEET_GRACE_MS 1500  /* after the job was made anew: who is there tells what it has */
#define FLEET_ENTRY_MAX 48   /* bytes of a lease's name */
#define FLEET_ORIGIN_MAX 280 /* of a host's */
#define FLEET_HOLDS_MAX 256
#define FLEET_LEARNED_KEY_MAX 336
#define FLEET_LEARNED_MAX 256
#define FLEET_DEADLY 3       /* workers that died of a request: it is asked no more */
#define FLEET_SEEDS_MAX 1024 /* of the plan's requests in one lease */

struct fleet_entry {
    char name[FLEET_ENTRY_MAX];
};

struct fleet_hold {
    char origin[FLEET_ORIGIN_MAX];
    uint64_t left_us;
};

/** What refusals taught one worker for all. In a tell it is this worker's own part, in news the part that this worker has of
 *  all. */
struct fleet_learned {
    char key[FLEET_LEARNED_KEY_MAX]; /* as of a quota (fleet/budget.h) */
    uint64_t
        refused; /* without a deadline, since it was told last; in news: at the others, when it is this one that learns */
    uint64_t milli_per_s; /* starts, in thousandths; 0: no limit */
    uint64_t at_once;     /* in flight; 0: no limit */
    uint64_t hold_us;     /* nothing is to start for so long */
    bool leads;           /* it is this worker that learns, as it was told */
    bool is_active;       /* it has started some lately: it may learn */
};

/** What others may know of a worker, for people. */
struct fleet_said {
    uint64_t pid, ok, failed, waiting; /* waiting: for their time, or a place */
    uint64_t milli_per_s;              /* requests, in thousandths */
};

/** How all of the fleet goes: what `ctl` turns. */
struct fleet_settings {
    unsigned cap;
    struct rate rate;
    bool is_paused;
    uint64_t version; /* 0: as the first worker made it */
};

/** What is told. Zeroed: nothing, and nothing is wanted. */
struct fleet_tell {
    unsigned in_flight;
    bool wants;              /* to have transfers in flight */
    uint64_t outbox;         /* found here, and not published yet */
    unsigned seeds;          /* so many more requests of the plan; 0: none */
    unsigned starts;         /* so many starts at the shared rate; 0: none */
    const uint64_t *settled; /* ascending */
    size_t settled_count;
    const struct fleet_entry *ended; /* leases of which all is settled */
    size_t ended_count;
    struct fleet_entry
        begins; /* a lease of one request that may be deadly, about to be begun; or empty */
    const struct fleet_entry *calm; /* leases whose one request has had an answer, or none, here */
    size_t calm_count;
    const struct fleet_entry *keep; /* leases that are to live on */
    size_t keep_count;
    const struct fleet_hold *holds;
    size_t hold_count;
    const struct fleet_learned *learned;
    size_t learned_count;
    struct fleet_said said;
    bool has_said;
    bool leaves; /* it is its last turn */
};

struct fleet_range {
    uint64_t first, last;
};

/** A lease: what of a part of the plan nobody has settled yet, or some requests that were found. */
struct fleet_lease {
    struct fleet_lease *next;
    struct fleet_entry entry;
    uint64_t deaths; /* of those that begun on it, when it is of one request */
    uint64_t times; /* that it was handed out, before a worker was silent or died; 1: to this one */
    char *found;    /* lines, as a worker published them: nothing of them is believed; or NULL */
    size_t range_count;
    struct fleet_range ranges[];
};

struct fleet_news {
    bool is_open; /* not recounted: work is handed out */
    bool is_over; /* all of the job is settled */
    unsigned slots, live;
    struct fleet_lease *leases;
    struct fleet_entry *lost; /* others have them by now */
    size_t lost_count;
    struct fleet_hold *holds;
    size_t hold_count;
    struct fleet_learned *learned; /* all that is known */
    size_t learned_count;
    unsigned wanting; /* workers that have transfers in flight, or want some */
    struct {
        unsigned count;
        uint64_t first_us, spacing_us; /* from now */
    } grant;
    bool was_asked; /* for requests of the plan, since the news before */
    struct fleet_settings settings;
    struct fleet_entry begun; /* as told: others know */
    uint64_t drains;          /* how often all were told to end */
    uint64_t budgets;         /* quotas that are spent together (fleet/budget.h) */
    uint64_t published; /* the highest place in the outbox up to which all is; 0: none by now */
    char waits_for[64]; /* a worker that is gone, and alone knows of work; or empty */
};

void fleet_lease_free(struct fleet_lease *lease); /* NULL is ignored */

/** What the scripts answer with, before anything else of a reply. */
enum fleet_answer {
    FLEET_OK,
    FLEET_GONE,
    FLEET_LOST,
    FLEET_DIFFERENT,
    FLEET_TAKEN,
    FLEET_FULL, /* publish.lua: later */
};

/** FLEET_GONE: the job was made anew. FLEET_LOST: this worker was silent for too long. */
MUST_CHECK enum result fleet_answer_read(struct str reply, enum fleet_answer *answer,
                                         struct err *err);

/** Of a reply, or of settings as they are told to hello.lua. */
void fleet_settings_read(struct str reply, struct fleet_settings *settings);
struct json_writer;
/** As it is told, in thousandths: one that would be none of them is one request in a longer time. */
struct rate fleet_rate_told(struct rate rate);
void fleet_settings_write(struct json_writer *w, const struct fleet_settings *settings);

/** Who tells it. */
struct fleet_self {
    const char *worker, *who, *token, *epoch;
};

/** The argument of turn.lua. `is_fresh`: the leases that it has already are wanted, too. */
MUST_CHECK enum result fleet_turn_write(const struct fleet_tell *tell,
                                        const struct fleet_self *self, bool is_fresh,
                                        struct buf *out);

/** Of a reply that is FLEET_OK. `total`: requests in the plan; no lease has others. */
MUST_CHECK enum result fleet_news_read(struct str reply, uint64_t total, struct fleet_news *news,
                                       struct err *err);
void fleet_news_release(struct fleet_news *news);

#endif
