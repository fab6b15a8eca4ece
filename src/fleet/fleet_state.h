/**
 * The insides of fleet.h, for its own files: the desk between them, under a lock.
 *
 *   fleet         the loop's calls: what is put on the desk, what is taken from it
 *   fleet_budget  the same for quotas that are spent together
 *   fleet_login   the same for the common login
 *   fleet_thread  what talks to Redis
 */
#ifndef SCRAPETOP_FLEET_FLEET_STATE_H
#define SCRAPETOP_FLEET_FLEET_STATE_H

#include "fleet/client.h"
#include "fleet/fleet.h"
#include "fleet/fleet_login.h"

#define TOKEN_MAX 24
#define EPOCH_MAX 64

struct ids {
    uint64_t *list;
    size_t count, room;
};

struct entries {
    struct fleet_entry *list;
    size_t count, room;
};

struct holds {
    struct fleet_hold *list;
    size_t count, room;
};

struct learned {
    struct fleet_learned *list; /* the latest of each key */
    size_t count, room;
};

struct starts {
    struct fleet_starts *list;
    size_t count, room;
};

struct budget_desk {
    struct fleet_quota *told; /* the latest of each */
    size_t told_count, told_room;
    struct starts asks, back;
    uint64_t work, known, shared; /* shared: quotas that the fleet has, by the turn's word */
    struct fleet_budget_news news;
    bool has_news;
};

/* Found requests on their way. */
struct batch {
    struct batch *next;
    uint64_t upto;
    size_t len;
    char lines[];
};

struct login_desk {
    bool asks, puts, keeps, gives_up, is_own;
    struct fleet_login_ask ask;
    uint64_t asked_us; /* 0: not yet */
    struct buf sealed; /* to be put */
    uint64_t life_us;
    struct fleet_login_news news;
    bool has_news;
};

struct fleet {
    struct fleet_options options;
    uv_async_t async;
    uv_thread_t thread;
    void (*closed)(void *context);
    void *closed_context;

    /* The desk, between loop and thread. */
    uv_mutex_t lock;
    uv_cond_t wanted; /* a turn is, or the end */
    bool runs, stops, has_ended, is_urgent;
    struct fleet_tell tell;
    struct ids settled;
    struct entries ended, kept, calm;
    struct holds holds;
    struct learned learned;
    struct budget_desk budget;
    struct login_desk login;
    uint8_t *bits;    /* of requests that are settled here, the first in the highest bit */
    struct ids found; /* found requests that have ended here */
    struct batch *batches, **batches_end;
    bool has_earlier;   /* something has ended here in an earlier session */
    bool must_fill;     /* what only this worker knows of is not in its outbox yet */
    uint64_t published; /* since the news */
    char generation[FLEET_GENERATION_MAX];
    struct fleet_news news;
    bool has_news, is_reset, is_joined;
    bool must_join; /* something was not told for want of memory: all of it is told anew */
    uint64_t answered_us;
    struct err trouble;

    /* The thread's own. */
    struct fleet_client *client;
    char token[TOKEN_MAX], epoch[EPOCH_MAX];
    bool is_fresh;
    bool is_alone;                  /* a job that is made now has nobody to wait for */
    bool was_asked;                 /* see the news; also of a turn that failed */
    struct fleet_settings settings; /* as heard last: told again when Redis has lost them */
    uint64_t drains;                /* of the job, when this worker joined */
    uint64_t kept_us;               /* when leases were last renewed */
    struct buf argument, reply;
};

/** Now, as the desk's times are. */
static inline uint64_t fleet_now_us(void)
{
    return uv_hrtime() / 1000;
}

/** After a turn: what is told and asked of quotas, if there is anything. `shared`: as many as the fleet has. */
MUST_CHECK enum result fleet_budget_turn(struct fleet *fleet, uint64_t shared, struct err *err);
void fleet_budget_release(struct fleet *fleet);

/** After a turn: what is said and asked of the common login, if there is anything. */
MUST_CHECK enum result fleet_login_turn(struct fleet *fleet, struct err *err);
void fleet_login_release(struct fleet *fleet);

/** The thread's life: `context` is the fleet. */
void fleet_thread_run(void *context);

#endif
