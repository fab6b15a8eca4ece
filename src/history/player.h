/**
 * Plays a past run: in the dashboard on a terminal, else as lines on stdout.
 *
 * Errors   those of history/past_run.h; E-LOOP1.
 * Threads  main thread; it runs a loop of its own until the user leaves.
 */
#ifndef SCRAPETOP_HISTORY_PLAYER_H
#define SCRAPETOP_HISTORY_PLAYER_H

#include "base/err.h"

/** `speed`: seconds of the run in one second. */
MUST_CHECK enum result player_run(const char *path, unsigned speed, struct err *err);

#endif
