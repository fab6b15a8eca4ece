/**
 * Split: what is too much for the server is asked for in parts, where the job says so ("split").
 *
 *   window   A request asks for a stretch of time, `{day}` to `{day.next}`. Its halves take its place, each a request of
 *            its own with a first page of its own, until they are small enough: a day by the calendar, a second by the
 *            clock, or what the variable's format can tell apart.
 *   page     A page of 100 records is asked for again as one of 50 and so on, at the same record: where pages name one
 *            another, the listing goes on in the smaller size; where all are named already, the smaller pages take the
 *            place of the one (pages_split).
 *
 * Too much is: 413; 422, unless it speaks of a mistake in the request; a timeout, 408, 504 or 524 at the second try; a body beyond --max-body; an error that speaks of
 * too many results; a first page that tells of more records than `over`. Where both could be halved, too many results
 * halve the window, all else the page.
 *
 * The answer that was too much is settled as done, with the parts among its discoveries: one transaction has both, so a
 * kill loses nothing and asks nothing twice. It brings no records to any table. Parts stand in the order of the whole.
 *
 * What ends it: SPLIT_DEPTH_MAX halvings of one window, or SPLIT_BARREN_MAX splits of an endpoint in a row without an
 * answer that counts: the server then means something else. The request fails as it would without.
 *
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_PLAN_SPLIT_H
#define SCRAPETOP_PLAN_SPLIT_H

#include "job/expansion.h"
#include "job/job.h"
#include "plan/discovered.h"

#define SPLIT_DEPTH_MAX 24
#define SPLIT_BARREN_MAX                                                                           \
    4096 /* parts are asked level by level: a year has 364 splits before its first day */
#define SPLIT_TRIES 2 /* of what may be an accident: a timeout */

enum split_cause {
    SPLIT_NONE,      /* it is not too much, or nobody knows */
    SPLIT_TOO_LARGE, /* for one answer */
    SPLIT_TOO_MANY,  /* records for one query */
};

/** What came. `body` is what an error says, JSON or not. */
struct split_view {
    enum outcome outcome;
    int status;
    uint32_t attempt;
    bool is_trial; /* nobody had told of such a page: many a refusal is the listing's end */
    struct str body;
    uint64_t total; /* records that a first page tells of; else PAGE_TOTAL_UNKNOWN */
};

enum split_cause split_cause_of(const struct job_endpoint *endpoint, const struct split_view *view);

#define SPLIT_WORDS_MAX 160

/** Replaces what `out` holds by the parts, and says so in `words` ("asked for in two: ..."). `expansion` is that of the
 *  endpoint's source, or NULL. RESULT_NOT_FOUND, and `out` unchanged: it has no parts, and `words` says why ("one day
 *  cannot be halved"); RESULT_NOMEM. */
MUST_CHECK enum result split_make(const struct job_endpoint *endpoint,
                                  const struct expansion *expansion, const struct request *request,
                                  enum split_cause cause, struct discoveries *out,
                                  char words[SPLIT_WORDS_MAX]);

#endif
