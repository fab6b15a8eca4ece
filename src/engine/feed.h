/**
 * Feed: the rest of a list, which still comes in by a pipe while its first requests are asked.
 *
 *   thread   pipe --> whole lines to the run's copy --> fdatasync --> tells how far the copy reaches
 *   loop     looks at the new lines (job/list.h) --> they are requests of the plan (frontier_extend)
 *
 * So a resumed run finds every request in its copy. A line that is no URL ends the feed: the copy is cut before it,
 * requests under way are finished, and the run ends with the exit code of a usage error. It can go on with a
 * corrected list. At the end of the pipe the mark beside the copy is removed.
 *
 * Ownership  the source's descriptors stay its owner's, and open until engine_close's `closed`.
 * Threads    one of its own for the pipe; all calls on the loop thread.
 */
#ifndef SCRAPETOP_ENGINE_FEED_H
#define SCRAPETOP_ENGINE_FEED_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define FEED_MARK_MAX 32

struct feed_source {
    bool is_used;
    const char *name;         /* of the list, for messages */
    int pipe_fd;              /* what the rest comes from */
    int copy_fd;              /* the run's copy, to append to */
    uint64_t size;            /* of the copy, which ends with a line */
    struct buf begun;         /* bytes of a line that has not ended */
    char mark[FEED_MARK_MAX]; /* in the run directory: the copy is not all of the list */
};

/** Closes the descriptors, stdin apart. */
void feed_source_release(struct feed_source *source);

struct engine;
struct feed;

/** Starts reading. `list_fd` is the copy, to look at. E-RES1: no thread, no descriptors. */
MUST_CHECK enum result feed_start(struct engine *engine, const struct feed_source *source,
                                  int list_fd, struct err *err);

/** More lines may come: the run does not end yet. */
bool feed_is_open(const struct feed *feed);

/** The run is stopping: what comes from now on is not kept, and the list has not ended. */
void feed_keep_quiet(struct feed *feed);

/** The run has ended, or would end now, before the list did. */
bool feed_is_cut(const struct feed *feed);

/** Reads no more. False: its handle is not closed yet; engine_want_turn follows when it is. */
bool feed_stop(struct engine *engine);

#endif
