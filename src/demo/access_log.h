/**
 * Access log: one line a request, appended when its answer is settled.
 *
 *     ARRIVED_US WALL STATUS METHOD URL IN_FLIGHT TOOK_US
 *     81234567 2026-11-21T04:15:00.123Z 200 GET /posts/17 12 200143
 *
 * Fields are separated by one space. ARRIVED_US (monotonic) and WALL tell when the request was
 * there, IN_FLIGHT how many were, this one included; STATUS is 0 when no answer was sent (hung, reset,
 * or the client left). Bytes of the URL beyond printable ASCII are written %XX, so a line is a line.
 *
 * Errors   access_log_open only: the file cannot be opened.
 * Threads  the server's thread only; every line is one write, whole at once.
 */
#ifndef SCRAPETOP_DEMO_ACCESS_LOG_H
#define SCRAPETOP_DEMO_ACCESS_LOG_H

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>

struct access_log {
    FILE *file; /* NULL: nothing is logged */
};

struct access_line {
    uint64_t arrived_us, took_us;
    int64_t wall_us;
    unsigned status, in_flight;
    struct str method, url;
};

/** `path` NULL: a log that takes nothing. */
MUST_CHECK enum result access_log_open(struct access_log *log, const char *path, struct err *err);
void access_log_close(struct access_log *log);

/** A line that cannot be written is lost: a full disk must not stop the server. */
void access_log_write(struct access_log *log, const struct access_line *line);

#endif
