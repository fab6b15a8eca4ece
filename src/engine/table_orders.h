/**
 * The tables that are to be made: each an endpoint's, to one output, in the order in which they were ordered.
 *
 * One whose place is away (struct table_format, may_be_away) goes behind the others, and has its turn again after a
 * pause: twice as long each time, but never of the same length for all who wait for one server.
 *
 * Ownership  an order owns its path. table_orders_take gives one away, to ordered_table_free or table_orders_put_back.
 * Units      microseconds, monotonic.
 * Errors     RESULT_NOMEM.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_TABLE_ORDERS_H
#define SCRAPETOP_ENGINE_TABLE_ORDERS_H

#include "base/err.h"
#include "table/format.h"

#include <stdbool.h>
#include <stdint.h>

#define TABLE_AWAY_US UINT64_C(300000000) /* that a place that is away is waited for */

struct ordered_table {
    struct ordered_table *next;
    uint32_t endpoint;
    struct table_output output; /* its path is the order's */
    bool is_due;    /* the run is not over before it is made, and has failed without it */
    unsigned tries; /* that met a place that was away */
    uint64_t not_before_us, waits_until_us; /* of such a one */
    struct err away;                        /* likewise: what was met last */
};

struct table_orders {
    struct ordered_table *first;
    bool wait_no_more; /* for places that are away */
};

/** One file is made once for an endpoint; what is due stays so. */
MUST_CHECK enum result table_orders_add(struct table_orders *orders, uint32_t endpoint,
                                        const struct table_output *output, bool is_due,
                                        struct err *err);

/** The first whose time has come, taken out; NULL: there is none now. */
struct ordered_table *table_orders_take(struct table_orders *orders, uint64_t now_us);

/** The order met `err`: it is put behind the others, and `*pause_us` says for how long. False: it will not pass, or has
 *  been waited for long enough; the order is the caller's still. */
bool table_orders_put_back(struct table_orders *orders, struct ordered_table *order,
                           const struct err *err, uint64_t now_us, uint64_t *pause_us);

/** One that waits for a place that is away, taken out; NULL: there is none. */
struct ordered_table *table_orders_take_waiting(struct table_orders *orders);

void table_orders_forget(struct table_orders *orders, bool due_too);

/** NULL is fine. */
void ordered_table_free(struct ordered_table *order);

#endif
