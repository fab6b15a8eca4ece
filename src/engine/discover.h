/**
 * Discover: what answers give rise to, from the body to the frontier.
 *
 *   body --(pages, records: on the loop or the pool)--> discoveries --settlement--> ledger
 *   ledger --(a few hundred at a time)--> frontier
 *
 * Memory holds only what the frontier has room for: a page that names a million details writes a million rows, which
 * are read back in parts.
 *
 * Ownership  discover_release frees everything but the struct.
 * Threads    loop thread only, but for discover_read.
 */
#ifndef SCRAPETOP_ENGINE_DISCOVER_H
#define SCRAPETOP_ENGINE_DISCOVER_H

#include "fetch/response.h"
#include "job/job.h"
#include "plan/discovered.h"
#include "plan/frontier.h"
#include "store/ledger.h"

struct engine;
struct extract_links;
struct settlement;

struct discover {
    const struct job *job;
    struct extract_links *links;
    bool leads_on;     /* some answer of this job may lead to further requests */
    bool has_since;    /* some endpoint has a `since` */
    bool *is_since;    /* by endpoint: it has one, or hangs on one that has; NULL: none */
    bool is_used;      /* that, or the plan's own requests come out of the ledger, too */
    uint32_t *parents; /* of the plan below */
    struct ledger_plan plan;
    uint64_t last_id;   /* of what has been found so far */
    uint64_t read_to;   /* highest id that the frontier has been given */
    uint64_t asked_for; /* last_id when the ledger was asked */
    bool is_asking;
    bool outbox_asked, fill_asked; /* what is found is shared: the question is of that */
    uint64_t *announced; /* pages beyond those named by then, by endpoint, in this session */
    /* of all endpoints, when they have been read after the last answer */
    struct page_account *accounts;
    bool accounts_asked, accounts_read;
    bool again_only; /* the frontier gets no others than these: */
    uint64_t *again; /* ids of failed ones that are to be asked once more, the last of them first */
    size_t again_count, again_allocated;
    uint64_t asked_again[FRONTIER_OFFERED_MAX]; /* those in the question, or none */
    size_t asked_again_count;
};

/** `is_listed`: the plan's own requests are in the ledger, too (ledger_merge). */
MUST_CHECK enum result discover_init(struct discover *d, const struct job *job, bool is_listed,
                                     struct err *err);
void discover_release(struct discover *d);

/** How much of it an earlier session has found, and what of that waits. Before the store is started. */
MUST_CHECK enum result discover_restore(struct engine *engine, struct err *err);

/** Whether answers of this endpoint lead to further requests. */
bool discover_wants(const struct discover *d, uint32_t endpoint);

/** What a good answer to this request gives rise to. RESULT_NOMEM alone; `out` may then have a part of it. Any thread. */
MUST_CHECK enum result discover_read(const struct discover *d, const struct request *request,
                                     const struct response *response, struct discoveries *out);

/** The settlement is durable, and with it what it has found. Releases the discoveries. */
void discover_committed(struct engine *engine, struct settlement *settlement);

/** These are in the ledger now. */
void discover_note_discovered(struct engine *engine, const struct discoveries *discoveries);

/** The frontier has had all that was found, and could do with more. */
bool discover_has_room(const struct engine *engine);

/** Asks the ledger for more, when the frontier has room. */
void discover_feed(struct engine *engine);
void discover_answered(void *engine, struct request *list, size_t count); /* committer's on_found */

/** The ledger has discovered requests that the frontier has not been given. */
bool discover_is_pending(const struct engine *engine);

/** The accounts of all that has ended are being read, or have been: false while that goes on. To be asked
 *  for when nothing is under way any more. */
bool discover_settle_accounts(struct engine *engine);

/** Of one endpoint; NULL when nothing is found in this run, or the run goes on. */
const struct page_account *discover_account(const struct engine *engine, uint32_t endpoint);

/** Pages that the endpoint's listings have announced so far, or else named. */
uint64_t discover_announced(const struct engine *engine, uint32_t endpoint);

/** A discovered request that failed is to be asked again. */
MUST_CHECK enum result discover_again(struct engine *engine, uint64_t id);

#endif
