/**
 * A run of the past, opened by its directory: for `replay` and `compare`.
 *
 * Errors   those of run_dir_open_readonly and replay_new.
 * Threads  main thread.
 */
#ifndef SCRAPETOP_HISTORY_PAST_RUN_H
#define SCRAPETOP_HISTORY_PAST_RUN_H

#include "history/replay.h"

/* bytes of an events.jsonl of before it was set aside in time */
#define PAST_RUN_EVENTS_MAX (512U << 20)

/** `*replay` is to be freed with replay_free. */
MUST_CHECK enum result past_run_open(struct replay **replay, const char *path, struct err *err);

#endif
