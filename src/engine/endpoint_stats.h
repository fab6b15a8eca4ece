/**
 * Endpoint stats: what each endpoint of a job has given so far, in memory that does not grow.
 *
 * Ownership  endpoint_stats_release frees the list.
 * Units      microseconds (monotonic).
 * Errors     only endpoint_stats_init fails: RESULT_NOMEM.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_ENDPOINT_STATS_H
#define SCRAPETOP_ENGINE_ENDPOINT_STATS_H

#include "base/err.h"
#include "base/hist.h"
#include "engine/snapshot.h"
#include "engine/answer.h"

struct endpoint_stat {
    uint64_t done, failed; /* requests settled, by earlier sessions too */
    uint64_t earlier;      /* not among them: done in rounds before the last of `run --again` */
    uint64_t answers, throttled, server_errors;
    uint32_t this_second; /* settled in the second in the making */
    double settled_per_s; /* smoothed over some ten seconds */
    struct hist latency;  /* of answers, in this session */
};

struct endpoint_stats {
    struct endpoint_stat *list; /* by the endpoints of the job */
    size_t count;
    uint64_t second_began_us;
};

/** Nothing of it need be released when this fails. */
MUST_CHECK enum result endpoint_stats_init(struct endpoint_stats *stats, size_t endpoint_count,
                                           uint64_t now_us, struct err *err);
void endpoint_stats_release(struct endpoint_stats *stats);

/** An attempt came back. */
void endpoint_stats_answer(struct endpoint_stats *stats, const struct answer *answer);

/** A request is settled; or an earlier session has settled it, which makes no rate. */
void endpoint_stats_settled(struct endpoint_stats *stats, uint32_t endpoint, bool ok);
void endpoint_stats_restored(struct endpoint_stats *stats, uint32_t endpoint, bool ok);

/** A round before the last had settled it. */
void endpoint_stats_earlier(struct endpoint_stats *stats, uint32_t endpoint);

/** One that had failed is asked again. */
void endpoint_stats_revived(struct endpoint_stats *stats, uint32_t endpoint);

/** Closes the seconds that are over. */
void endpoint_stats_tick(struct endpoint_stats *stats, uint64_t now_us);

/** Fills all but what only the plan and the tables know: name, planned, waiting, rows, pages. */
void endpoint_stats_list(const struct endpoint_stats *stats, struct snapshot_endpoint *out);

#endif
