/**
 * Ban: notices that a host which answered well refuses everything with 403 from one answer on.
 *
 * Firewalls and limiters do so to clients that ask too much, for a while or for good. So the host is held, ever longer,
 * and one request at a time looks whether it is over:
 *
 *   open --BAN_ROW 403s in a row--> held 1 s --the probe is refused--> 2, 4, 8, 15 s --> it is for good
 *     ^                                |
 *     `------- an answer that is well -´
 *
 * A row may also be of URLs that are not for us. Such a row goes on soon after the host was well once more: then
 * there are no more bans here. Nor are there any at a host where 403s are usual, or where nothing went well: that
 * is plan/same_answer.h's.
 *
 * Pure; told the time (monotonic, microseconds). Any thread.
 */
#ifndef SCRAPETOP_PLAN_BAN_H
#define SCRAPETOP_PLAN_BAN_H

#include <stdbool.h>
#include <stdint.h>

#define BAN_ROW 10
#define BAN_HOLDS_MAX 5
#define BAN_APART 20      /* answers at least between the end of a ban and the next one */
#define BAN_USUAL_PART 20 /* one 403 that came alone in so many answers, and they are usual */

/** Zeroed: nothing was answered. */
struct ban {
    uint64_t well, alone; /* answers, and 403s that were followed by a good one */
    bool is_usual;        /* a row of 403s is no ban here */
    unsigned row, holds;  /* 403s in a row, and holds for them */
    uint32_t rows;        /* so many of them began */
    uint64_t row_from_us; /* when the first of them came */
    uint64_t held_until_us;
    unsigned ends;        /* bans that are over */
    uint64_t well_at_end; /* `well` when the last one ended */
    uint64_t well_id;     /* a request that went well, to look with; 0: none */
};

/** Answers that say no, and that a firewall may give to everything. */
bool ban_is_refusal(int status);

/** A request that began then was answered well: true when that ends a ban. One that had begun before the row
 *  says nothing of it. */
bool ban_well(struct ban *ban, uint64_t began_us);

/** A request that began then was refused. How long to hold the host from now, in microseconds; 0: not.
 *  `*is_for_good`: it was held BAN_HOLDS_MAX times, in vain; the last hold is repeated. */
uint64_t ban_refused(struct ban *ban, uint64_t began_us, uint64_t now_us, bool *is_for_good);

/** It is banned, as far as is known: one request at a time. */
bool ban_is_on(const struct ban *ban);

#endif
