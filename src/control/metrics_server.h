/**
 * A tiny HTTP/1.1 server for scrapers of metrics and health probes, on the run's loop.
 *
 *   GET /metrics    metrics_text.h, in the format that Accept asks for
 *   GET /healthz    200 "ok", or 503 and a sentence (health.h)
 *   GET /readyz     the same: a run that answers is ready
 *
 * It only reads: nothing that comes in can steer the run, and there is no secret in what goes out. Heads have a
 * ceiling of 4 KiB, connections one of 4, and each ends after one answer or two seconds.
 *
 * Errors   E-MET1 the address is none or cannot be listened at (RESULT_INVALID, RESULT_BUSY).
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_CONTROL_METRICS_SERVER_H
#define SCRAPETOP_CONTROL_METRICS_SERVER_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <uv.h>

struct metrics_server;

struct metrics_calls {
    /** Appends all metrics. */
    enum result (*metrics)(void *context, struct buf *out, bool is_open);
    /** Whether all is well; `why` (of HEALTH_TEXT_MAX bytes) says what is not. */
    bool (*is_well)(void *context, char *why);
};

/** `address`: "127.0.0.1:9464", "[::1]:9464"; ":9464" is all addresses. The port may be 0: metrics_server_port. */
MUST_CHECK enum result metrics_server_new(struct metrics_server **server, uv_loop_t *loop,
                                          const char *address, const struct metrics_calls *calls,
                                          void *context, struct err *err);

/** Whether `address` can be one, without listening at it. */
MUST_CHECK enum result metrics_server_check(const char *address, struct err *err);

unsigned metrics_server_port(const struct metrics_server *server);

/** Closes everything; the server is freed on a later turn of the loop. NULL is allowed. */
void metrics_server_close(struct metrics_server *server);

#endif
