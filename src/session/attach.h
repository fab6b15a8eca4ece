/**
 * A screen for a run that another process makes: the same dashboard, fed by frames of its control socket.
 *
 * Without a terminal it prints the lines of a plain run instead.
 *
 *   q, Ctrl-C, hang-up   leave; the run goes on
 *   Q                    ends the run, after a question
 *
 * A connection that breaks is tried anew, for as long as its process lives; over ssh for a minute.
 *
 * Errors   E-CTL6 to E-CTL8 (control/), E-LOOP1.
 * Threads  main thread; it runs a loop of its own.
 */
#ifndef SCRAPETOP_SESSION_ATTACH_H
#define SCRAPETOP_SESSION_ATTACH_H

#include "base/err.h"

#include <stdbool.h>

struct attach_options {
    /* a run directory, a process number, HOST:RUN; NULL: the one live run of this user */
    const char *run;
    bool read_only; /* it may only look */
    bool plain;     /* lines, even on a terminal */
};

/** Returns when the user leaves (EXIT_WELL is put into `*exit`), or the run ends (its own exit code). */
MUST_CHECK enum result attach_run(const struct attach_options *options, int *exit, struct err *err);

#endif
