/**
 * The subcommands, and what they share: how an error is printed and which exit code it has.
 *
 * A subcommand is one thin file: arguments in, one call, exit code out. It is started with its own
 * name in argv[0]. Its options are a table (cmd/options.h), from which main also makes the man page
 * and the shells' completions.
 */
#ifndef SCRAPETOP_CMD_CMD_H
#define SCRAPETOP_CMD_CMD_H

#include "base/err.h"
#include "cmd/options.h"

enum exit_code {
    EXIT_WELL = 0,          /* all settled well */
    EXIT_INTERNAL = 1,      /* our fault, or the system's */
    EXIT_USAGE = 2,         /* usage or job file */
    EXIT_INCOMPLETE = 3,    /* finished, but requests failed for good or pages are missing */
    EXIT_AUTH = 5,          /* authentication failed */
    EXIT_DRAINED = 7,       /* stopped and drained, resumable */
    EXIT_STORAGE = 8,       /* disk full, I/O */
    EXIT_SKIPPED = 9,       /* normalise --strict skipped records */
    EXIT_INTERRUPTED = 130, /* aborted by SIGINT */
    EXIT_TERMINATED = 143,  /* aborted by SIGTERM */
};

struct command {
    const struct option_table *table; /* has its name and summary */
    int (*run)(int argc, char **argv);
};

int cmd_run(int argc, char **argv);
int cmd_normalise(int argc, char **argv);
int cmd_raw(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_serve(int argc, char **argv);

/** "scrapetop: error[E-ARG1]: ...\n" to stderr, display-safe. */
void cmd_print_error(const struct err *err);

/** "scrapetop: warning[W-SEC1]: ...\n" to stderr, display-safe. */
void cmd_print_warning(const char *code, const char *text);

/** The exit code of a result that ended the program before any request started. */
int cmd_exit_code(enum result result);

/** Prints the error, returns its exit code. */
int cmd_fail(const struct err *err);

#endif
