/**
 * events.jsonl: what happened, a JSON object a line, appended and never synced.
 *
 * It is there to be read by people. A line that a crash or a full disk has cut is ended before the
 * next one begins; what cannot be written is dropped.
 */
#ifndef SCRAPETOP_STORE_EVENT_LOG_H
#define SCRAPETOP_STORE_EVENT_LOG_H

#include "store/run_dir.h"

struct event_log {
    int fd;
    bool torn; /* the file ends within a line */
};

MUST_CHECK enum result event_log_open(struct event_log *log, const struct run_dir *dir,
                                      struct err *err);
void event_log_close(struct event_log *log);

/** Whole lines. */
void event_log_append(struct event_log *log, struct str lines);

#endif
