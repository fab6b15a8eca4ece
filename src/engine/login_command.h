/**
 * Login command: a program that prints a token (`gcloud auth print-access-token`), as keyrings and vaults have one.
 *
 * It is started without a shell, in a session of its own, with nothing on its standard input. What it prints is
 * the token: one line. It must end in time, with status 0; else it is killed with all that it started, and a
 * sentence says so.
 *
 * Threads  loop thread; it never waits for the program.
 */
#ifndef SCRAPETOP_ENGINE_LOGIN_COMMAND_H
#define SCRAPETOP_ENGINE_LOGIN_COMMAND_H

#include "base/clock.h"
#include "base/str.h"

#include <stdbool.h>

struct engine;

#define LOGIN_COMMAND_TIMEOUT_US (30 * US_PER_S)
#define LOGIN_COMMAND_PRINTS_MAX 16384 /* bytes */
#define LOGIN_COMMAND_WHY_MAX 160

struct login_printed {
    struct str token; /* empty: `why` */
    char why[LOGIN_COMMAND_WHY_MAX];
    bool is_stopped; /* by login_command_stop */
    bool is_passing; /* it may go better another time */
};

/** Starts it; `done` comes later, on the loop, once: also when it cannot be started, or is stopped. */
void login_command_start(struct engine *engine,
                         void (*done)(struct engine *engine, const struct login_printed *printed));

/** Kills it, if it runs: its end comes with `done`. */
void login_command_stop(struct engine *engine);

#endif
