/**
 * The insides of fleet_link.h, for its own files. From the ground up:
 *
 *   fleet_digest  what tells two plans apart
 *   fleet_line    a found request as a line
 *   fleet_found   what answers led to: published for all, and taken from all
 *   fleet_leases  which of the plan's requests are in hand here, and until when they are this worker's
 *   fleet_budget  quotas that are spent by all together
 *   fleet_login   one login for all
 *   fleet_link    reports to the fleet, and obeys what comes back
 *   fleet_obey    what all workers were told from outside
 */
#ifndef SCRAPETOP_ENGINE_FLEET_LINK_STATE_H
#define SCRAPETOP_ENGINE_FLEET_LINK_STATE_H

#include "base/url.h"
#include "engine/engine_state.h"
#include "engine/fleet_link.h"
#include "engine/id_set.h"
#include "fleet/fleet.h"
#include "fleet/fleet_login.h"

struct leased {
    struct fleet_lease *lease;
    uint64_t left; /* of its requests, not settled */
    uint64_t *ids; /* of found requests: those that were not settled when it came */
    size_t id_count, id_room;
    /* one request, which was handed out before: it is held until the others know that it is begun here */
    bool is_suspect, is_held;
};

/* Settled here, and not told before the outbox is published up to `mark`. */
struct owed {
    uint64_t id, mark;
};

struct fleet_found {
    struct id_set ids;                     /* found requests that this worker has had */
    uint64_t sent, read_to, last;          /* places in the outbox: published, read, put there */
    uint64_t ends[2];                      /* see committer_question */
    unsigned a_time;                       /* so many are read of it, by how long they are */
    bool must_fill;                        /* all that is found here is to be in it again */
    char generation[FLEET_GENERATION_MAX]; /* see fleet_state */
    struct owed *owed;
    size_t owed_at, owed_count, owed_room;
    char origin[URL_ORIGIN_MAX]; /* of the last that was taken */
};

/* A quota that this worker or the fleet knows of. */
struct budget_watch {
    char key[FLEET_BUDGET_KEY_MAX];
    uint32_t host; /* of the bucket; a guess */
    bool is_known; /* by the fleet */
    bool is_told;  /* by this worker, as follows */
    uint64_t told_left, told_starts, told_end_us;
    uint64_t ask_after_us;
    bool is_apart; /* the user was told that it is counted for each address */
};

/* A limiter that has refused, here or elsewhere. */
struct learned_watch {
    char key[FLEET_LEARNED_KEY_MAX];
    uint32_t host;         /* of the bucket; a guess */
    bool is_known;         /* by the fleet, ... */
    bool is_told;          /* ... by its last news */
    bool leads;            /* this worker learns for all */
    unsigned wanting;      /* workers that have a part, by the news before */
    uint64_t refused_told; /* bare refusals */
    uint64_t starts_seen, started_us;
};

struct fleet_link {
    struct fleet *fleet;
    struct fleet_place place;
    char who[FLEET_ORIGIN_MAX * 2];
    uint64_t total;
    uint8_t *given, *done; /* bits: made or to be made here; settled here */
    uint64_t open;         /* given, and not done */
    struct leased *list;
    size_t count, room;
    size_t suspects;          /* in the list */
    struct fleet_entry trial; /* the one of them that is begun, or asked to be; or empty */
    unsigned seeds;           /* to be asked for */
    uint64_t asked_us, ask_after_us;
    bool is_asked, starts_asked, has_settled;
    /* The fleet's word. */
    uint64_t contact_us;
    bool is_joined, is_open, is_over, was_joined;
    unsigned slots, live;
    struct fleet_settings told, settings; /* by the news; as obeyed */
    uint64_t drains;                      /* since it joined, all were told to end */
    uint64_t said_us;                     /* when the totals were told */
    unsigned granted;
    uint64_t next_start_us, spacing_us, grant_ends_us;
    char waits_for[64];
    struct err trouble;
    uint64_t *told_holds; /* by host: until when others know it to be held */
    size_t told_count;
    char digest[FLEET_DIGEST_MAX]; /* of the plan */
    struct {
        bool is_shared;        /* with the workers that have the same key */
        bool may;              /* this worker is to log in */
        bool is_asked;         /* for a token */
        uint64_t may_since_us; /* and has not begun to */
        bool is_refused;       /* the token in hand was */
        bool is_told;          /* the user, why it is not shared */
        char number[FLEET_TOKEN_NUMBER_MAX];
        uint64_t own_logins, other_logins; /* without a key */
        unsigned kicks; /* tokens in a row that were refused after another's login */
    } login;
    struct learned_watch *learned; /* fleet_learned.c */
    size_t learned_count, learned_room;
    struct budget_watch *watches; /* fleet_budget.c */
    size_t watch_count, watch_room;
    uint64_t budgets_known; /* quotas that the fleet has, as heard last */
    struct fleet_found found;
    /* fleet_link.c's, for fleet_found.c: one has ended, and what it led to is published; how this worker is, at once */
    void (*report)(struct engine *engine, uint64_t id);
    void (*tell)(struct engine *engine);
    uint64_t publishes_since_us; /* drained, it only publishes; 0: not yet */
    bool is_started;             /* the engine is whole: there is something to report */
    bool is_closing, is_closed;
};

/* fleet_digest.c */

/** Of all that makes two plans differ: endpoints, how many requests, and what these are, of a long plan evenly spread
 *  ones. */
MUST_CHECK enum result fleet_digest_plan(struct engine *engine, char out[FLEET_DIGEST_MAX],
                                         struct err *err);

/* fleet_found.c. Results are RESULT_NOMEM or RESULT_OK, unless `err` says more. */

/** It has ended here; false when it had before. */
bool fleet_found_note_done(struct engine *engine, uint64_t id);

/** Something is found here that is not published yet; so much. */
bool fleet_found_owes(const struct engine *engine);
uint64_t fleet_found_outbox(const struct engine *engine);

/** What has ended is reported when all that has been found by now is published. */
MUST_CHECK enum result fleet_found_wait(struct engine *engine, uint64_t id);

/** News: all is published up to that place; and whether Redis has lost what it was told. */
void fleet_found_published(struct engine *engine, uint64_t upto);
void fleet_found_heed(struct engine *engine, const struct fleet_state *state);

/** The requests of a lease: those that are not in hand go to the frontier, unless it is held. */
MUST_CHECK enum result fleet_found_take(struct engine *engine, struct leased *leased);
void fleet_found_release(struct fleet_link *link);

/* fleet_leases.c. What returns a result has RESULT_NOMEM or RESULT_OK. */

/** The leases of the news, which it takes: what is not in hand here goes to the frontier. */
MUST_CHECK enum result fleet_leases_take(struct engine *engine, struct fleet_news *news);

/** Others have these by now; or, when the job was made anew, all. What is not begun of them is left. */
MUST_CHECK enum result fleet_leases_drop_lost(struct engine *engine, const struct fleet_news *news);
MUST_CHECK enum result fleet_leases_drop_all(struct engine *engine);

/** A request of the plan is in hand since an earlier session. */
void fleet_leases_restore(struct engine *engine, uint64_t id, bool is_settled);

/** A suspect is to be begun, when none is; of the news: it may be. */
void fleet_leases_try(struct engine *engine);
MUST_CHECK enum result fleet_leases_begin(struct engine *engine, const struct fleet_entry *begun);

/** It has had an answer, or none, here. */
void fleet_leases_calm(struct engine *engine, uint64_t id);

/** It has ended here; false when it had before. */
bool fleet_leases_note_done(struct engine *engine, uint64_t id);

/** The leases of which it was the last are ended. */
void fleet_leases_end(struct engine *engine, uint64_t id);

void fleet_leases_release(struct fleet_link *link);

#endif
