/**
 * The second stage within a run: the tables that `n`, --csv, --to or the job asks for, one an endpoint, over
 * all bodies committed so far, while fetching goes on. One is made after the other.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_TABLE_H
#define SCRAPETOP_ENGINE_TABLE_H

#include "base/err.h"
#include "work/work.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct snapshot_normalise;

struct table_job;

struct tables {
    struct work pool;
    struct table_job *job;
    enum result result; /* the end of the last, when that was not well */
};

/** All of them, by the user's hand. */
MUST_CHECK enum result table_order(struct engine *engine, struct err *err);

/** Those that are to be made at the end. */
void table_order_due(struct engine *engine);
/** Those in databases, after a round that others follow; not while a table is under way, the next round has its turn. */
void table_order_round(struct engine *engine);
void table_forget_orders(struct engine *engine);

/** Begins the next one that is ordered, unless one is under way; false when there is none left, not even one that waits
 *  for a place that is away. To be called again with the engine's next turn. */
bool table_next(struct engine *engine);
void table_cancel(struct engine *engine);

/** Tables whose place is away, and which are to be tried again, are given up: the run has failed without them. */
void table_wait_no_more(struct engine *engine);
bool table_is_running(const struct engine *engine);
void table_snapshot(const struct engine *engine, struct snapshot_normalise *out);
uint64_t table_rows(const struct engine *engine); /* of the last tables of all endpoints */
uint64_t table_rows_of(const struct engine *engine, uint32_t endpoint);

/** Path and format's name of the index-th kind of file that was written; NULL after the last. */
const char *table_written(const struct engine *engine, size_t index, const char **format);

/** Requests settled well that the first of them was made of. */
uint64_t table_made_of(const struct engine *engine);
void table_release(struct engine *engine);

#endif
