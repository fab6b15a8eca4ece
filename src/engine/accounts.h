/**
 * Accounts: what each endpoint of a job has given so far, in memory that does not grow.
 *
 * Ownership  accounts_release frees the list.
 * Units      microseconds (monotonic).
 * Errors     only accounts_init fails: RESULT_NOMEM.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_ACCOUNTS_H
#define SCRAPETOP_ENGINE_ACCOUNTS_H

#include "base/err.h"
#include "base/hist.h"
#include "engine/snapshot.h"
#include "fetch/response.h"

struct account {
    uint64_t done, failed; /* requests settled, by earlier sessions too */
    uint64_t answers, throttled, server_errors;
    uint32_t this_second; /* settled in the second in the making */
    double settled_per_s; /* smoothed over some ten seconds */
    struct hist latency;  /* of answers, in this session */
};

struct accounts {
    struct account *list; /* by the endpoints of the job */
    size_t count;
    uint64_t second_began_us;
};

/** Nothing of it need be released when this fails. */
MUST_CHECK enum result accounts_init(struct accounts *a, size_t endpoint_count, uint64_t now_us,
                                     struct err *err);
void accounts_release(struct accounts *a);

/** An attempt came back. */
void accounts_answered(struct accounts *a, uint32_t endpoint, const struct response *response);

/** A request is settled; or an earlier session has settled it, which makes no rate. */
void accounts_settled(struct accounts *a, uint32_t endpoint, bool ok);
void accounts_restored(struct accounts *a, uint32_t endpoint, bool ok);

/** One that had failed is asked again. */
void accounts_revived(struct accounts *a, uint32_t endpoint);

/** Closes the seconds that are over. */
void accounts_tick(struct accounts *a, uint64_t now_us);

/** Fills all but what only the plan and the tables know: name, planned, waiting, rows, pages. */
void accounts_list(const struct accounts *a, struct snapshot_endpoint *out);

#endif
