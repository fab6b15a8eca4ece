/**
 * What a session tells to programs that watch it: metrics over HTTP and as a file, its totals as a file, the service
 * manager.
 *
 * Ownership  the session owns the struct; monitor_close releases what is in it, on later turns of the loop,
 *            and monitor_release the rest.
 * Errors     E-MET1 (control/metrics_server.h); that a file cannot be written is said once, W-MET1.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_SESSION_MONITOR_H
#define SCRAPETOP_SESSION_MONITOR_H

#include "control/metrics_server.h"
#include "control/published_file.h"
#include "engine/engine.h"
#include "session/service.h"

/** Each may be NULL: not wanted. Borrowed. */
struct monitor_options {
    const char *metrics;      /* the address to serve at: "127.0.0.1:9464" */
    const char *metrics_file; /* for node_exporter's textfile collector; written every 15 s */
    const char *status_file;  /* totals as JSON; written every second */
};

struct monitor {
    const struct monitor_options *options;
    struct engine **engine; /* borrowed */
    bool is_ending;         /* set by the session: the engine is asked nothing more */
    bool is_open, has_warned;
    struct clock clock;
    uv_timer_t timer;
    struct metrics_server *server;
    struct published_file *metrics_file, *status_file;
    uint64_t metrics_us; /* when the file was last written */
    struct service service;
    struct snapshot *snapshot;
};

MUST_CHECK enum result monitor_open(struct monitor *m, uv_loop_t *loop, struct engine **engine,
                                    const struct monitor_options *options, struct err *err);

/** The run is under way. */
void monitor_ready(struct monitor *m);

/** It drains, and ends after `us` at most. */
void monitor_draining(struct monitor *m, uint64_t us);

/** The last figures are written; while the engine can still be asked. From now on the service manager hears only that
 *  the end is under way. */
void monitor_finish(struct monitor *m);

/** The same, where no loop turns any more: as often as one likes. */
void monitor_still_ending(struct monitor *m);

/** Closes all but the way to the service manager. */
void monitor_close(struct monitor *m);
void monitor_release(struct monitor *m);

#endif
