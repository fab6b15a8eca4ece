/**
 * How fast a run went in its last session, and what it holds: what a price is made of (session/price.h).
 *
 * Everything is read from a run directory at rest: the ledger's sums and report.json. A session that was killed has
 * left no report: then only the sums are known.
 *
 * Units    seconds; requests as they are sent, so retries count.
 * Errors   those of store/run_dir.h and store/ledger.h.
 * Threads  one at a time.
 */
#ifndef SCRAPETOP_HISTORY_PAST_PACE_H
#define SCRAPETOP_HISTORY_PAST_PACE_H

#include "engine/limit_words.h"
#include "store/run_reader.h"

struct past_pace {
    struct ledger_summary summary;
    bool is_known;     /* the rest holds: a session sent something, and its report is there */
    double sent_per_s; /* over the time in which it could send: not while it was paused, say */
    /* requests that were sent for each one that ended: 1.0 when none was repeated */
    double sent_per_end;
    double answer_s;      /* the mean time of an answer */
    unsigned cap;         /* at its end */
    enum run_limit limit; /* what kept it back longest while it could send */
};

/** `path` holds a run. */
MUST_CHECK enum result past_pace_read(const char *path, struct past_pace *past, struct err *err);

/** Of the report of a session; `is_known` is false when it says too little. */
void past_pace_of_report(struct str report, struct past_pace *past);

#endif
