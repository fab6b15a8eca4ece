/**
 * A session: one process at work on one run, and its viewers.
 *
 * The composition root of `run` and `demo`: it owns the loop, the engine, and the screen (dashboard or
 * plain lines), carries keys and signals to the engine and snapshots to the screen.
 *
 *   SIGINT, q    drain; again: abort            SIGUSR1, SIGUSR2   cap + 1, - 1
 *   SIGTERM      drain for 5 s, then abort      SIGWINCH           new size
 *   SIGHUP       the dashboard ends, the run goes on
 *   SIGTSTP      the terminal is given back, the process stops; SIGCONT: redrawn
 *
 * Threads  main thread.
 */
#ifndef SCRAPETOP_SESSION_SESSION_H
#define SCRAPETOP_SESSION_SESSION_H

#include "base/err.h"
#include "engine/feed.h"
#include "engine/follow_up.h"
#include "engine/sweep.h"
#include "job/job.h"
#include "session/detach.h"
#include "session/monitor.h"
#include "session/run_growth.h"
#include "store/run_dir.h"
#include "table/format.h"

#include <stdbool.h>

struct tending;

struct session_options {
    const struct job *job;
    const struct run_dir *dir;
    const struct tending *tending; /* who looks after the store meanwhile; NULL: nobody */
    const int *list_fds;
    const struct feed_source *feed;  /* the rest of the last list, or NULL */
    size_t feed_list;                /* its place in list_fds */
    const struct run_growth *growth; /* what the run asked until now, or NULL */
    bool prunes;                     /* what is not asked any more leaves the tables */
    bool asks_again;                 /* when all has ended, a further round ... */
    uint64_t again_age_us;           /* ... of what has had no good answer for so long; 0: of all */
    const struct record_where *again_where; /* ... of what has such a record; NULL: of all */
    const struct ledger_since_set *since;   /* from where its listings are asked */
    size_t since_count;
    const struct table_output *outputs; /* to write when all is settled */
    size_t output_count;
    struct sweep *sweep; /* NULL: none */
    struct follow_up follow_up;
    bool plain;            /* no dashboard, even on a terminal */
    bool notify;           /* title, bell and notifications, whatever the settings say */
    bool json;             /* the report as JSON on stdout */
    bool exit;             /* the dashboard ends with the work */
    bool no_socket;        /* nobody comes back to it from another terminal */
    bool quiet;            /* lines only for warnings and errors */
    uint64_t progress_us;  /* between lines of progress; 0: some seconds, later minutes */
    struct detach *detach; /* who started it waits to hear that it is under way; NULL: nobody */
    struct monitor_options monitor;
    const char *on_end, *ping; /* at_end.h; NULL: none */
    const char *copy_to;       /* line_copy.h; NULL: nowhere */
    uint64_t copy_every_us;    /* 0: LINE_COPY_EVERY_US */
    bool stdin_is_read;        /* a list came by it: keys come from the terminal itself */
    const char *resume;        /* the command that goes on with it; NULL: run -o */
};

/** Runs it to its end and prints the report; returns the exit code. */
int session_run(const struct session_options *options);

#endif
