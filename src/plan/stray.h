/**
 * Stray refusals: they come at any rate, so that slowing down does not help.
 *
 * One request in a hundred is refused, by a sick machine among many, or because requests gathered while
 * something stood still. A client that slows down a little for each of them stands nearly still in the end. So the
 * refusals of a learned rate are watched: the requests that were accepted between two of them must become
 * more as the rate sinks. When they do not, they are strays:
 *
 *   watching --a fifth slower, and still as often--> known: none of the rate's, which
 *      ^                                                goes back to where the watch began
 *      `------------- some minutes, or they come more often -----------'
 *
 * Pure: told the time. Units: microseconds (monotonic), requests per second.
 */
#ifndef SCRAPETOP_PLAN_STRAY_H
#define SCRAPETOP_PLAN_STRAY_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed at first. */
struct stray {
    double from;         /* the rate at which the watch began; 0: it has not */
    unsigned count;      /* refusals since then */
    double first, later; /* accepted between the first few of them, and between the others */
    double part;         /* known: of the requests; 0: not known */
    double between;      /* accepted between two of them, smoothed */
    uint64_t until_us;   /* known until then */
    bool was_close;      /* the last one came soon after the one before */
};

/** A refusal at this rate; `accepted` since the one before, which is `whole` a second. True when it is none of
 *  the rate's. */
bool stray_refused(struct stray *stray, double rate, double accepted, double whole,
                   uint64_t now_us);

/** The rate that is known to be no cause of refusals, to go back to; 0: none is. */
double stray_rate(const struct stray *stray, uint64_t now_us);

#endif
