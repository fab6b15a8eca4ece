/**
 * The demo: the embedded API and a session that scrapes it.
 *
 * A stopped demo goes on only with a server at the same port, so a resumed one starts both again.
 *
 * Errors   are printed. E-DEMO3: the port is taken.
 * Threads  main thread; the server has its own.
 */
#ifndef SCRAPETOP_SESSION_DEMO_RUN_H
#define SCRAPETOP_SESSION_DEMO_RUN_H

#include "demo/demo.h"
#include "job/job.h"
#include "table/format.h"

#include <stdbool.h>

struct demo_run {
    struct job *job; /* of a new demo: pace and network only; its requests are added */
    const struct demo_options *api;
    const char *dir;
    bool has_dir; /* `dir` is not the default: the line that resumes names it */
    const struct table_output *outputs; /* and demo.csv in `dir`, if none is CSV */
    size_t output_count;
    bool quick, resume;
    bool plain, notify, json, exit, no_socket; /* as in struct session_options */
};

/** The job of the demo's run in `path`, and the port of its server. */
MUST_CHECK enum result demo_run_stored_job(const char *path, struct job *job, uint16_t *port,
                                           struct err *err);

/** Returns the exit code. */
int demo_run(const struct demo_run *run);

#endif
