/** The program's exit codes. main and every subcommand use these; the man page lists them. */
#ifndef SCRAPETOP_BASE_EXIT_CODE_H
#define SCRAPETOP_BASE_EXIT_CODE_H

#include "base/err.h"

enum exit_code {
    EXIT_WELL = 0,          /* all settled well */
    EXIT_INTERNAL = 1,      /* our fault, or the system's */
    EXIT_USAGE = 2,         /* usage or job file */
    EXIT_INCOMPLETE = 3,    /* finished, but requests failed for good or pages are missing */
    EXIT_LIMIT = 4,         /* a limit that the user set to the session was reached */
    EXIT_NOT_LIVE = 4,      /* attach, ctl: there is no such live run */
    EXIT_AUTH = 5,          /* authentication failed */
    EXIT_UNEXPECTED = 6,    /* a table is not what is expected of it, and was put aside */
    EXIT_DRAINED = 7,       /* stopped and drained, resumable */
    EXIT_STORAGE = 8,       /* disk full, I/O */
    EXIT_SKIPPED = 9,       /* normalise --strict skipped records */
    EXIT_INTERRUPTED = 130, /* aborted by SIGINT */
    EXIT_TERMINATED = 143,  /* aborted by SIGTERM */
};

/** The exit code of a result that ended the program before any request started. */
int exit_code_of(enum result result);

#endif
