/**
 * Bounded jobs on libuv's pool.
 *
 * The pool is shared with name lookups and file calls, so at most `limit` of our jobs are in it at a
 * time and the rest wait here, in order. Whatever happens, each item comes back: `done` is called
 * on the loop thread, once, never from within work_submit or work_cancel.
 *
 * Ownership  an item is embedded in the caller's struct and lent from work_submit to `done`.
 * Threads    all calls on the loop thread, `run` on a pool thread: between the two calls, `run` has
 *            the item to itself.
 */
#ifndef SCRAPETOP_WORK_WORK_H
#define SCRAPETOP_WORK_WORK_H

#include "base/err.h"

#include <stdbool.h>
#include <uv.h>

struct work;

struct work_item {
    void (*run)(struct work_item *item);
    void (*done)(struct work_item *item, bool cancelled); /* cancelled: `run` was not called */
    /* Private: */
    uv_work_t request;
    struct work *work;
    struct work_item *next;
};

struct work {
    /* Private: */
    uv_loop_t *loop;
    unsigned limit, running;         /* the struct may go when none runs and none waits */
    struct work_item *first, **last; /* waiting for room */
};

/** Jobs that may run beside lookups and file calls on a pool of that size: two fewer, one at least. */
unsigned work_limit_of_pool(unsigned pool_threads);

/** Threads of the pool: UV_THREADPOOL_SIZE as libuv reads it. */
unsigned work_pool_threads(void);

/** Has the pool start its threads. libuv does so with the first job, and aborts the process without a
 *  word when it gets none: so it is asked early, once it is known that there is room for them. `loop`
 *  has nothing on it yet. E-RES1: there is no room. Harmless when the threads run already. */
MUST_CHECK enum result work_pool_start(uv_loop_t *loop, struct err *err);

void work_init(struct work *work, uv_loop_t *loop, unsigned limit);

/** Queues the item. */
void work_submit(struct work *work, struct work_item *item);

/** Items that wait come back cancelled in the next turns of the loop; those that run end by
 *  themselves. */
void work_cancel(struct work *work);

#endif
