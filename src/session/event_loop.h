/**
 * The process's event loop, with its pool of workers, made where there is room for both.
 *
 * Errors   E-LOOP1: no memory, or no descriptors left (libuv would abort the process); those of the pool.
 * Threads  the thread that runs the loop.
 */
#ifndef SCRAPETOP_SESSION_EVENT_LOOP_H
#define SCRAPETOP_SESSION_EVENT_LOOP_H

#include "base/err.h"

#include <uv.h>

/** The caller closes it with uv_loop_close. */
MUST_CHECK enum result event_loop_open(uv_loop_t *loop, struct err *err);

#endif
