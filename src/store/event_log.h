/**
 * events.jsonl: what happened, a JSON object a line, appended and never synced.
 *
 * It is there to be read by people. A line that a crash or a full disk has cut is ended before the
 * next one begins; what cannot be written is dropped. A run may go on for months and fail a million
 * times: before the file outgrows EVENT_LOG_MAX it becomes events.1.jsonl, in the place of the one that
 * was set aside before it, and another begins.
 */
#ifndef SCRAPETOP_STORE_EVENT_LOG_H
#define SCRAPETOP_STORE_EVENT_LOG_H

#include "store/run_dir.h"

#define EVENT_LOG_MAX (64 << 20) /* bytes */
#define EVENT_LOG_NAME "events.jsonl"
#define EVENT_LOG_ASIDE "events.1.jsonl"

struct event_log {
    const struct run_dir *dir; /* borrowed */
    int fd;
    bool torn; /* the file ends within a line */
    size_t bytes, max_bytes;
};

MUST_CHECK enum result event_log_open(struct event_log *log, const struct run_dir *dir,
                                      struct err *err);
void event_log_close(struct event_log *log);

/** Whole lines. */
void event_log_append(struct event_log *log, struct str lines);

/** What is kept, oldest first, appended to `out`: at most `max` bytes of each file. */
MUST_CHECK enum result event_log_read(const struct run_dir *dir, size_t max, struct buf *out,
                                      struct err *err);

/** The last `max` bytes of what is kept, appended to `out`; the first line may be torn. What cannot be
 *  read is as if it were not there. */
MUST_CHECK enum result event_log_tail(const struct run_dir *dir, size_t max, struct buf *out);

#endif
