/**
 * Frontier: what is left to ask, and which of it next.
 *
 * Requests are numbered in the plan's order: all URLs of the first source, then the next one's. A
 * pattern is never unrolled and a list is read as it is needed, so that ten million URLs cost no more
 * than those that are on their way. A request that failed comes back and stands in the waiting heap
 * until its deadline, without a slot; one whose host may not be asked now is parked at that host.
 *
 *   found ---offer-->
 *   source --make--> [parked at its host] --frontier_next--> caller
 *                         ^   due                              |
 *                         +---- waiting heap <--frontier_wait--+
 *
 * After a restart it is told every row of the ledger (frontier_restore): ids without a row below the
 * highest are gaps, to be asked again; rows that wait keep their try count and deadline.
 *
 * A host that is shut for long (nobody answers, or it is held) does not keep the plan from going on: what is
 * parked there is set aside as ranges of ids when it fills the room, and made again after the rest.
 *
 * Ownership  owns the requests it holds; frontier_next hands one over, frontier_wait and
 *            frontier_put_back take it again, frontier_forget says it is done with.
 * Bounds     at FRONTIER_PARKED_MAX parked or FRONTIER_WAITING_MAX waiting requests it makes no new
 *            ones; what was on its way by then still finds room.
 * Threads    loop thread only; told the time, never reads a clock.
 */
#ifndef SCRAPETOP_PLAN_FRONTIER_H
#define SCRAPETOP_PLAN_FRONTIER_H

#include "job/job.h"
#include "plan/host.h"
#include "plan/request.h"

#define FRONTIER_PARKED_MAX 4096
#define FRONTIER_WAITING_MAX 10000
#define FRONTIER_OFFERED_MAX 512
#define FRONTIER_ASIDE_MAX 65536 /* ranges */

struct frontier;

struct frontier_options {
    const struct job *job;    /* borrowed */
    struct host_table *hosts; /* borrowed */
    /* Open files with the lists' content, one for each JOB_SOURCE_LIST in order; borrowed. */
    const int *list_fds;
    bool is_listed; /* the plan's own requests, too, are offered, as those that are discovered */
};

/** Opens the sources and counts them. Errors name the pattern or the list's line. */
MUST_CHECK enum result frontier_new(struct frontier **frontier,
                                    const struct frontier_options *options, struct err *err);
void frontier_free(struct frontier *frontier);

/** How many requests there are to ask: the plan's own, as far as they are of this shard (job/shard.h), and those
 *  discovered so far. */
uint64_t frontier_total(const struct frontier *frontier);

/** The first of these: the shard's part of the plan's own. */
uint64_t frontier_own(const struct frontier *frontier);

/** The plan's own (seeds), of all shards. Discovered requests have ids after these. None when all are offered
 *  (`is_listed`). */
uint64_t frontier_seeds(const struct frontier *frontier);

/** What makes the seeds of an endpoint that has variables; NULL for others. */
const struct expansion *frontier_expansion(const struct frontier *frontier, uint32_t endpoint);

/** The id of the request that was discovered last, or would be; not when all are offered. */
uint64_t frontier_last_id(const struct frontier *frontier);

/** How many the plan names by itself, however they are numbered. */
uint64_t frontier_plan_size(const struct frontier *frontier);

/** Makes that one of them, as frontier_make does; its id is its number in the plan. `since`: see
 *  seeds_set_since. */
MUST_CHECK enum result frontier_make_seed(struct frontier *frontier, uint64_t number,
                                          struct str since, struct request **request,
                                          struct err *err);

/** Whose it is. */
uint32_t frontier_endpoint_of(const struct frontier *frontier, uint64_t number);

/** So many more requests of the endpoint have been found, though nobody has offered them yet. */
void frontier_note_discovered(struct frontier *frontier, uint32_t endpoint, uint64_t count);

/** A discovered request is to be asked, before seeds that have not been started. Takes it, unless it fails:
 *  RESULT_CORRUPT when its endpoint or URL is none. */
MUST_CHECK enum result frontier_offer(struct frontier *frontier, struct request *request,
                                      struct err *err);

/** The same for one of an earlier session that waits; see frontier_restore. */
MUST_CHECK enum result frontier_offer_waiting(struct frontier *frontier, struct request *request,
                                              uint64_t waits_until_us, uint64_t now_us,
                                              struct err *err);

/** Offered and not begun on yet: at FRONTIER_OFFERED_MAX it is time to wait. */
size_t frontier_offered(const struct frontier *frontier);

/** The last source of the plan has grown: so many more of its own come after those there were. Of a plan in which
 *  nothing is found. */
void frontier_extend(struct frontier *frontier, uint64_t count);

/** The plan is shared with other workers: from now on this one makes what frontier_lease names and nothing else.
 *  frontier_total counts what it has had. RESULT_NOMEM. */
MUST_CHECK enum result frontier_only_leased(struct frontier *frontier);

/** These ids are to be made, in order of the calls. */
MUST_CHECK enum result frontier_lease(struct frontier *frontier, uint64_t first, uint64_t last);

/** Takes back what was leased last and is not made yet; false when there is nothing left. */
bool frontier_give_back(struct frontier *frontier, uint64_t *first, uint64_t *last);

/** Requests of an earlier session count as leased, too; with `is_taken` false they do no longer. */
void frontier_count_leased(struct frontier *frontier, uint64_t first, uint64_t last, bool is_taken);

/** After frontier_restore: what its rows passed over is others'. */
void frontier_forget_gaps(struct frontier *frontier);

/** Leased, and not made yet. */
uint64_t frontier_unmade(const struct frontier *frontier);

/** How many of them are of one endpoint. */
uint64_t frontier_planned(const struct frontier *frontier, uint32_t endpoint);

/** A row of an earlier session; the views for the call only. */
struct frontier_row {
    uint64_t id;
    uint64_t waits_until_us; /* monotonic deadline of one that waits; 0: it is settled */
    uint32_t attempt;        /* of one that waits, as are those below */
    struct last_try last;
    struct due due;
    struct str reason;
    const struct exchange *exchange; /* or NULL */
};

/** Before the first frontier_next, in order of id. A deadline ahead that a server had named (`due` says
 *  so) holds its host again: restarting is no way around it. RESULT_CORRUPT when the row is none of this
 *  plan's. */
MUST_CHECK enum result frontier_restore(struct frontier *frontier, const struct frontier_row *row,
                                        uint64_t now_us, struct err *err);

/** Makes no seeds beyond the last row of the ledger. `gaps`: nor those that rows have passed over. */
void frontier_close(struct frontier *frontier, bool gaps);

/** Makes the request with this id anew, outside of the order: for --only-failed, or a look at it. RESULT_NOT_FOUND:
 *  the plan has none, or it is another shard's. */
MUST_CHECK enum result frontier_make(struct frontier *frontier, uint64_t id,
                                     struct request **request, struct err *err);

enum frontier_answer {
    FRONTIER_REQUEST,   /* here it is */
    FRONTIER_HELD,      /* there is work, its hosts are held */
    FRONTIER_HOST_FULL, /* there is work, its hosts have all they may */
    FRONTIER_QUOTA,     /* there is work, its hosts' quotas are to last */
    FRONTIER_LEARNED,   /* there is work, at the rate that refusals taught it is not time */
    FRONTIER_TROUBLE,   /* there is work, of a kind that fails: few at once, spaced */
    FRONTIER_PACED,     /* there is work, its hosts' rates keep it back */
    FRONTIER_LOGIN,     /* there is work, its host awaits a token */
    FRONTIER_WAITING,   /* all that is left waits for its deadline */
    FRONTIER_EMPTY,     /* nothing is left here */
    FRONTIER_ERROR,     /* a list could not be read: `err` says why */
};

/** The next request that may start now: retries that are due first, then what is parked, in turn by
 *  host, then new ones. It counts as started at its host (host_started). */
enum frontier_answer frontier_next(struct frontier *frontier, uint64_t now_us,
                                   struct request **request, struct err *err);

/** Not again before `due_us`. Takes the request. */
MUST_CHECK enum result frontier_wait(struct frontier *frontier, struct request *request,
                                     uint64_t due_us);

/** As soon as its host may be asked, before all others; under another host when the request was
 *  redirected. Takes the request. */
MUST_CHECK enum result frontier_put_back(struct frontier *frontier, struct request *request,
                                         struct err *err);

/** The request is settled: frees it. */
void frontier_forget(struct frontier *frontier, struct request *request);

/** Takes a request out that waits or that its host keeps back. NULL when there is none with this id. */
struct request *frontier_take(struct frontier *frontier, uint64_t id);

/** Before all others, whatever holds its host: the user's word. Takes a request that frontier_take
 *  gave. */
void frontier_urge(struct frontier *frontier, struct request *request);

/** The same for all that wait, not urged yet, and that `wanted` says yes to. Returns how many. */
typedef bool frontier_wanted(void *context, const struct request *request);
size_t frontier_urge_all(struct frontier *frontier, frontier_wanted *wanted, void *context);

/** None of the requests to this host waits any longer: they may start now. */
void frontier_hasten(struct frontier *frontier, uint32_t host);

/** A settled request of the plan is to be asked once more, as if never tried. RESULT_NOT_FOUND when
 *  its turn has not come yet. */
MUST_CHECK enum result frontier_again(struct frontier *frontier, uint64_t id);

/** When frontier_next may answer otherwise without anything else having happened: the earliest
 *  deadline of a waiting request, or of what keeps a host with work from being asked. TIME_NEVER when none. */
uint64_t frontier_wake_us(const struct frontier *frontier, uint64_t now_us);

/** That deadline is a server's word, not our own backoff. */
bool frontier_wake_is_named(const struct frontier *frontier, uint64_t now_us);

size_t frontier_waiting(const struct frontier *frontier); /* tried before, not in flight */
size_t frontier_parked(const struct frontier *frontier);

/** Up to `max` waiting requests, next due first. The pointers are good until the next call that
 *  changes the frontier. */
size_t frontier_waits(const struct frontier *frontier, const struct request **list, size_t max);

/** The waiting request with this id, or NULL. */
const struct request *frontier_find_wait(const struct frontier *frontier, uint64_t id);

/** Waiting requests, told by what their last try ended with; see request.last. */
void frontier_each_wait(const struct frontier *frontier,
                        void (*visit)(void *context, const struct request *request), void *context);

#endif
