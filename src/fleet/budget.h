/**
 * Budget: quotas that a fleet's workers spend together, told and asked for in one call (budget.lua).
 *
 * What answers tell of a quota is told to the fleet; from then on a start needs a grant, at all workers. Each quota has
 * a key: the origin, and where its server names several the name of the resource after a blank.
 *
 * Ownership  a tell's arrays are the caller's; news own what they hold until fleet_budget_news_release.
 * Errors     fleet_budget_read: RESULT_CORRUPT for a reply that is none of ours.
 * Threads    any, one at a time.
 */
#ifndef SCRAPETOP_FLEET_BUDGET_H
#define SCRAPETOP_FLEET_BUDGET_H

#include "base/buf.h"
#include "base/err.h"
#include "fleet/turn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLEET_BUDGET_KEY_MAX 336
#define FLEET_BUDGETS_MAX 256
#define FLEET_GRANT_MAX 1024 /* starts */

enum fleet_quota_kind {
    FLEET_QUOTA_NONE, /* there is none any more */
    FLEET_QUOTA_WINDOW,
    FLEET_QUOTA_BUCKET,
    FLEET_QUOTA_RATE, /* only a limit and its window are told */
};

struct fleet_quota {
    char key[FLEET_BUDGET_KEY_MAX];
    enum fleet_quota_kind kind;
    uint64_t left; /* less what is on its way from here ... */
    uint64_t seen; /* ... and as the server told it */
    uint64_t limit, reset_us, window_us;
    uint64_t grain_us; /* the reset may be told this much too late */
    unsigned spare,
        busy; /* starts that were granted to this worker: not spent; these and in flight */
    double refill_per_s;
    bool is_steady;  /* the window's length is known */
    bool is_refused; /* by the answer that tells it */
    bool gives_all;  /* spent windows gave all of the limit when they ended */
    uint64_t put_us; /* when it was told, by fleet_now_us: what has passed since is taken off */
};

struct fleet_starts {
    char key[FLEET_BUDGET_KEY_MAX];
    unsigned count;
};

struct fleet_budget_tell {
    const struct fleet_quota *told;
    const struct fleet_starts *asks, *back; /* wanted; not spent in time */
    size_t told_count, ask_count, back_count;
    uint64_t work;  /* requests that are left to this worker */
    uint64_t known; /* quotas that it knows the fleet to have */
};

struct fleet_grant {
    char key[FLEET_BUDGET_KEY_MAX];
    unsigned count;
    uint64_t first_us, spacing_us; /* from now */
    uint64_t wait_us;              /* when none is given: until it is worth while to ask again */
    bool is_known;                 /* else nobody has told of such a quota, or Redis has lost it */
};

struct fleet_budget_key {
    char text[FLEET_BUDGET_KEY_MAX];
};

struct fleet_budget_news {
    struct fleet_grant *grants;
    struct fleet_budget_key *known; /* all that the fleet has */
    size_t grant_count, known_count;
    uint64_t count; /* of those */
    bool has_known;
    char apart[FLEET_BUDGET_KEY_MAX]; /* one that seems to be counted for each address; or empty */
};

MUST_CHECK enum result fleet_budget_write(const struct fleet_budget_tell *tell,
                                          const struct fleet_self *self, uint64_t now_us,
                                          struct buf *out);

/** Of a reply that is FLEET_OK. */
MUST_CHECK enum result fleet_budget_read(struct str reply, struct fleet_budget_news *news,
                                         struct err *err);
void fleet_budget_news_release(struct fleet_budget_news *news);

#endif
