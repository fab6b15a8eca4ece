/**
 * The price of a run, said before it is paid: how many requests, how long, when it would end, how much disk.
 *
 * Nothing is asked for it. What the job says (cap, rates, ends) bounds the time; how long an answer takes and what the
 * server allows are known from the last session in the run directory, if there was one. A run that is to be priced
 * well so begins with a short session: `run --max-requests 50`.
 *
 *   by the cap    sent / (answers a second that the cap allows): with Little's law cap / mean time of an answer;
 *                 where the cap bound the last session, its speed times the new cap over the old one
 *   by a rate     sent / rate, over all hosts, and for the host with most requests
 *   as seen       sent / speed of the last session, where something else than cap and rate bound it: a limit of the
 *                 server, its holds, pages that name the next one, this machine
 *
 * The longest of those that are known is the time. "Sent" counts repeated requests as the last session had them.
 *
 * Units    seconds; negative: not known.
 * Threads  pure; any. price_say and price_write: the main thread.
 */
#ifndef SCRAPETOP_SESSION_PRICE_H
#define SCRAPETOP_SESSION_PRICE_H

#include "base/buf.h"
#include "history/past_pace.h"
#include "job/job.h"
#include "session/dry_run.h"

#include <stdbool.h>
#include <stdint.h>

enum price_bound { PRICE_UNKNOWN, PRICE_CAP, PRICE_RATE, PRICE_SEEN };

struct price {
    uint64_t requests, done, failed, left;
    bool is_least, is_most;
    double cap_s, rate_s, seen_s; /* each by itself */
    double total_s;               /* the longest of them */
    double session_s;             /* a limit of the session ends it so early; negative: none does */
    enum price_bound bound;
    enum run_limit seen; /* PRICE_SEEN: what bound the last session */
    double seen_per_s;   /* requests a second then; 0: there is no such session */
    double answer_s;     /* 0: not known */
    unsigned cap;
    double disk_bytes; /* negative: not known */
};

/** `past`: NULL when there is no run directory. */
void price_make(const struct job *job, const struct price_plan *plan, const struct past_pace *past,
                struct price *price);

/** Sentences to stderr. `now_us`: wall clock; `free_bytes` of the disk, 0: not known. */
void price_say(const struct price *price, const struct job *job, int64_t now_us,
               uint64_t free_bytes);

/** Appends one JSON object. */
MUST_CHECK enum result price_write(const struct price *price, int64_t now_us, uint64_t free_bytes,
                                   struct buf *out);

#endif
